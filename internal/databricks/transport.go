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

// transport is the HTTP transport below the driver; the package comment says what it
// corrects. It is safe for concurrent use.
type transport struct {
	base     httpTransport
	endpoint *url.URL
	token    *tokenSource
	throttle *throttle
	// patience is the time to wait for a warehouse that is busy or starting.
	patience time.Duration
	// answered is set when the host has answered a request.
	answered atomic.Bool
	links    links
	// pageBytes is the size of the pages and files that are requested.
	pageBytes int64
	// inflateLimit is the largest size in bytes of what a page or a file inflates to.
	inflateLimit int64
}

// httpTransport sends requests to hosts. It is an *http.Transport of package egress.
type httpTransport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// requestTimeout limits the time of one request until its response begins.
func requestTimeout(method string, c *call) time.Duration {
	switch method {
	case "OpenSession":
		return 20 * time.Second
	case "ExecuteStatement":
		// A warehouse that is starting may delay the response.
		return 5 * time.Minute
	case "FetchResults", "GetResultSetMetadata":
		return 2 * time.Minute
	case "CloseOperation", "CancelOperation", "CloseSession":
		if c != nil && c.err() != nil {
			return cancelGrace
		}
		return 10 * time.Second
	default:
		return 30 * time.Second
	}
}

// pieceTimeout limits the time between two parts of a response, if requestTimeout is not
// longer.
const pieceTimeout = time.Minute

// maxRenewals is the number of new tokens with which one request is tried. A part of the
// workspace may refuse a token that was issued just before.
const maxRenewals = 3

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := readBody(request)
	if err != nil {
		return nil, err
	}
	// The driver requests these flags at every connect. An empty list switches its
	// telemetry off; there is no other switch.
	if strings.HasPrefix(request.URL.Path, "/api/2.0/connector-service/feature-flags/") {
		return bufferedResponse(request, "application/json", bytes.NewBufferString(`{"flags":[]}`)), nil
	}
	if f, ok := t.links.fileOf(request); ok {
		return t.download(request, f)
	}
	if request.URL.Scheme != t.endpoint.Scheme || request.URL.Host != t.endpoint.Host || request.URL.Path != t.endpoint.Path {
		return nil, &failure{cause: causeRefused,
			message: fmt.Sprintf("a request to %s is refused: only %s is contacted", request.URL.Host, t.endpoint.Host)}
	}
	method, c := requestMethod(body), callFrom(request.Context())
	pages, offered := t.pageBytes, t.offerLZ4(method, c)
	if offered {
		pages = min(pages, lz4PageBytes)
	}
	body = limitPages(method, body, pages, offered)
	content, f := t.sendRepeatedly(request, method, body, c)
	if f != nil {
		if c != nil {
			c.recordFailure(f)
		}
		return nil, f
	}
	r, err := parseReply(method, content.Bytes())
	if err == nil {
		err = r.check(method, offered)
	}
	if err == nil && c != nil {
		err = c.accept(method, r, content.Bytes())
	}
	if err != nil {
		f := t.malformed(method, err)
		if c != nil {
			c.record(method, reply{guid: r.guid})
			c.recordFailure(f)
		}
		return nil, f
	}
	if c != nil {
		c.record(method, r)
	}
	if r.page != nil && (c == nil || r.page.wanted) {
		t.links.add(r.page.parts, c)
	}
	if c != nil && c.passThrough && r.page != nil {
		content = c.extractBatches(content, r.page)
	}
	return bufferedResponse(request, "application/x-thrift", content), nil
}

// pauses is the retry policy of a request to the workspace. The caller adds the limits of
// the attempts.
var pauses = retry.Policy{First: 500 * time.Millisecond, Longest: 30 * time.Second}

// maxLostAttempts is the maximum number of attempts of a request without a response. A
// request that is answered with "busy" or "unavailable" is retried for as long as a
// warehouse may take to start.
const maxLostAttempts = 3

// sendRepeatedly sends the request until it is answered. It retries if the failure is
// transient and the time for a starting warehouse has not passed.
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
		if method == "ExecuteStatement" && c != nil {
			c.deadline.start()
		}
		return t.send(ctx, request, method, body, requestTimeout(method, c))
	}, func(n int, f *failure) retry.Decision {
		if method == "ExecuteStatement" && c != nil && f.isNotReady() {
			c.deadline.pause()
		}
		if f.cause == causeUnauthorized && renewals < maxRenewals {
			// The credential may have been replaced since it was read, or its token may
			// have expired.
			renewals++
			changed, err := t.token.renew(ctx, f.token)
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

// withCallersCancel adds the caller's cancellation to the context of a request, because the
// driver does not pass it on. After a cancel, ExecuteStatement has executeGrace to return
// the statement's id, without which the statement cannot be cancelled at the warehouse. A
// status call has the same time, because the driver cancels the statement right after it.
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

// send makes one attempt and reads the whole response. bound is the request's timeout.
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
	response, err := answerLimits(bound).Do(attempt, t.base.RoundTrip)
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
		return nil, statusFailure(method, token, response, content.Bytes())
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
