package databricks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// transport is the HTTP transport below the driver; the package comment says what it is
// for. It is safe for concurrent use.
type transport struct {
	base     *http.Transport
	endpoint *url.URL
	token    *tokenSource
	throttle *throttle
	// patience is how long a warehouse that is busy or starting is waited for.
	patience time.Duration
	// answered is set once the host has answered anything.
	answered atomic.Bool
	links    links
}

// requestTimeout bounds one request of a method: the time until its answer
// begins.
func requestTimeout(method string, c *call) time.Duration {
	switch method {
	case "OpenSession":
		return 20 * time.Second
	case "ExecuteStatement":
		// A warehouse that is starting may hold it back.
		return 5 * time.Minute
	case "FetchResults", "GetResultSetMetadata":
		return 2 * time.Minute
	case "CloseOperation", "CancelOperation", "CloseSession":
		if c != nil && c.ctx.Err() != nil {
			return cancelGrace
		}
		return 10 * time.Second
	default:
		return 30 * time.Second
	}
}

// pieceTimeout bounds the time between two pieces of an answer, where
// requestTimeout is not longer.
const pieceTimeout = time.Minute

// maxRenewals is how many new tokens one request is tried with. A token that was
// just made may be refused by a part of the workspace that does not know it yet.
const maxRenewals = 3

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := readBody(request)
	if err != nil {
		return nil, err
	}
	// The driver asks the host for these at every connect. An empty list switches
	// its telemetry off, which has no other switch.
	if strings.HasPrefix(request.URL.Path, "/api/2.0/connector-service/feature-flags/") {
		return bufferedResponse(request, "application/json", bytes.NewBufferString(`{"flags":[]}`)), nil
	}
	if c := t.links.callOf(request); c != nil {
		return t.download(request, c)
	}
	if request.URL.Scheme != t.endpoint.Scheme || request.URL.Host != t.endpoint.Host || request.URL.Path != t.endpoint.Path {
		return nil, &failure{cause: causeRefused,
			message: fmt.Sprintf("a request to %s is refused: only %s is contacted", request.URL.Host, t.endpoint.Host)}
	}
	method, c := requestMethod(body), callFrom(request.Context())
	content, f := t.sendRepeatedly(request, method, body, c)
	if f != nil {
		if c != nil {
			c.recordFailure(f)
		}
		return nil, f
	}
	r, err := parseReply(method, content.Bytes())
	if err != nil {
		r.failure = err.Error()
	}
	if c != nil {
		c.record(method, r)
	}
	t.links.add(r.links, c)
	if c != nil && c.passThrough && r.page != nil && err == nil {
		content = c.extractBatches(content, r.page)
	}
	return bufferedResponse(request, "application/x-thrift", content), nil
}

// pauses are the retry policy's of one request to the workspace. The caller adds
// what bounds the attempts.
var pauses = retry.Policy{First: 500 * time.Millisecond, Longest: 30 * time.Second}

// maxLostAttempts is how often a request is sent that the warehouse does not
// answer. One that is answered with "busy" or "unavailable" is sent for as long
// as a warehouse may take to start.
const maxLostAttempts = 3

// sendRepeatedly sends the request until it is answered, as often as the method
// is idempotent and the time for a starting warehouse allows.
func (t *transport) sendRepeatedly(request *http.Request, method string, body []byte, c *call) (*bytes.Buffer, *failure) {
	idempotent := method != "ExecuteStatement" || c != nil && c.idempotent
	cleanup := isCleanup(method)
	ctx := request.Context()
	if c != nil && !cleanup {
		var stop context.CancelFunc
		ctx, stop = withCallersCancel(ctx, c, method)
		defer stop()
	}
	renewals, begun := 0, time.Now()
	policy := pauses
	policy.Within = t.patience
	return doFailing(ctx, policy, func(int) (*bytes.Buffer, *failure) {
		if f := t.throttle.wait(ctx, method, begun.Add(t.patience)); f != nil {
			return nil, f
		}
		return t.send(ctx, request, method, body, requestTimeout(method, c))
	}, func(n int, f *failure) retry.Decision {
		if f.cause == causeUnauthorized && renewals < maxRenewals {
			// The credential may have been replaced since it was read, or the
			// token made of it may have expired.
			renewals++
			changed, err := t.token.renew(ctx)
			if err != nil {
				*f = failure{method: method, cause: causeToken, err: err}
				return retry.Decision{}
			}
			if changed {
				return retry.Decision{Retry: true, Free: true}
			}
		}
		after := f.retryAfter
		if f.cause == causeBusy {
			after = max(after, policy.Pause(n))
			t.throttle.blockFor(after)
		}
		switch {
		case cleanup, !f.transient(idempotent):
			return retry.Decision{}
		case f.isNotReady():
		case n >= maxLostAttempts, f.cause == causeUnreachable && time.Since(begun) > egress.DialTimeout:
			return retry.Decision{}
		}
		return retry.Decision{Retry: true, After: after}
	})
}

// doFailing is retry.Do for attempts whose error is a *failure.
func doFailing[T any](ctx context.Context, p retry.Policy, attempt func(n int) (T, *failure),
	classify func(n int, f *failure) retry.Decision,
) (T, *failure) {
	var last *failure
	result, _ := retry.Do(ctx, p, func(n int) (T, error) {
		var result T
		if result, last = attempt(n); last != nil {
			return result, last
		}
		return result, nil
	}, func(n int, _ error) retry.Decision { return classify(n, last) })
	return result, last
}

// withCallersCancel gives a request the caller's cancellation, which the driver
// dropped on the way here. ExecuteStatement gets executeGrace to answer: without
// the statement's id it cannot be cancelled at the warehouse. A status call gets
// the same, because the driver cancels the statement right after it.
func withCallersCancel(ctx context.Context, c *call, method string) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(c.ctx, func() {
		switch method {
		case "ExecuteStatement", "GetOperationStatus":
			time.AfterFunc(executeGrace, func() { cancel(context.Cause(c.ctx)) })
		default:
			cancel(context.Cause(c.ctx))
		}
	})
	return ctx, func() { stop(); cancel(nil) }
}

// send makes one attempt and reads the whole answer. bound is the request's
// timeout.
func (t *transport) send(
	ctx context.Context, request *http.Request, method string, body []byte, bound time.Duration,
) (*bytes.Buffer, *failure) {
	token, err := t.token.get(ctx)
	if err != nil {
		return nil, &failure{method: method, cause: causeToken, err: err}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(bound, func() { cancel(errNoAnswer) })
	defer timer.Stop()
	var sent atomic.Bool
	traced := httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	})
	attempt := request.Clone(traced)
	attempt.Body = io.NopCloser(bytes.NewReader(body))
	attempt.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	attempt.ContentLength = int64(len(body))
	attempt.Header.Set("Authorization", "Bearer "+token.Reveal())
	response, err := t.base.RoundTrip(attempt)
	if err != nil {
		return nil, sendFailure(ctx, method, sent.Load(), err)
	}
	defer func() { _ = response.Body.Close() }()
	t.answered.Store(true)
	content, err := readAll(response, func() { timer.Reset(max(pieceTimeout, bound)) })
	if err != nil {
		return nil, sendFailure(ctx, method, true, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, statusFailure(method, response, content.Bytes())
	}
	return content, nil
}

func readBody(request *http.Request) ([]byte, error) {
	if request.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(request.Body)
	return body, errors.Join(err, request.Body.Close())
}
