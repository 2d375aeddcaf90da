package databricks

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// throttle delays all requests of this process to a host that answered 429, so that not
// every connection has to receive a 429.
type throttle struct {
	mu    sync.Mutex
	until time.Time
}

var throttles = struct {
	mu     sync.Mutex
	byHost map[string]*throttle
}{byHost: map[string]*throttle{}}

func throttleOf(host string) *throttle {
	throttles.mu.Lock()
	defer throttles.mu.Unlock()
	t := throttles.byHost[host]
	if t == nil {
		t = &throttle{}
		throttles.byHost[host] = t
	}
	return t
}

func (t *throttle) blockFor(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if until := time.Now().Add(d); until.After(t.until) {
		t.until = until
	}
}

func (t *throttle) wait(ctx context.Context, method string, deadline time.Time) *failure {
	t.mu.Lock()
	until := t.until
	t.mu.Unlock()
	d := time.Until(until)
	if d <= 0 || isCleanup(method) {
		return nil
	}
	if until.After(deadline) {
		return &failure{method: method, cause: causeBusy,
			message: fmt.Sprintf("the workspace asked for a pause of another %s", d.Round(time.Second)), retryAfter: d}
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &failure{method: method, cause: causeUnreachable, err: context.Cause(ctx)}
	}
}
