package lytics

import (
	"context"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// sharedPause is the pause of calls that are made side by side: after an answer 429 to one of
// them, none sends a request before the pause ends. A nil *sharedPause never pauses.
type sharedPause struct {
	mu    sync.Mutex
	until time.Time
}

// extend makes the pause last until a time, if it is shorter.
func (s *sharedPause) extend(until time.Time) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if until.After(s.until) {
		s.until = until
	}
}

// wait returns after the pause, or when the context ends.
func (s *sharedPause) wait(ctx context.Context, clock *retry.Clock) {
	for s != nil {
		s.mu.Lock()
		left := s.until.Sub(clock.Now())
		s.mu.Unlock()
		if left <= 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-clock.After(left):
		}
	}
}
