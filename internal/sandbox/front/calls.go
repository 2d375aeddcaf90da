package front

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// errRejected is the error of a call that an HTTP error answers (exchange.reject).
var errRejected = errors.New("the call was answered with an HTTP error")

// rpc is a call in progress. R is its reply.
type rpc[R any] struct {
	name string
	// text is the statement that the call concerns, if any.
	text    string
	session *session
	// run executes the call.
	run func() (R, error)
	// status makes a reply that holds only a status.
	status func(*tcli.TStatus) R
}

// serve runs a call and applies the faults that are set for it. An error or a
// panic becomes a TApplicationException: after a broken connection, clients would
// retry for minutes.
func serve[R any](ctx context.Context, h *handler, c rpc[R]) (reply R, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = h.reportPanic(c.name, p)
		}
	}()
	var none R
	x, at, faults := exchangeOf(ctx), fault.Call{Name: c.name, Text: c.text}, h.options.Faults
	reject := func(r *httpReply) (R, error) {
		x.reject = r
		h.journal.addRejected(c.name, c.text, c.session, r.status)
		return none, errRejected
	}

	if hit, ok := faults.Trigger(at, fault.Slow); ok {
		if err := hit.Wait(ctx); err != nil {
			return none, err
		}
	}
	if hit, ok := faults.Trigger(at, fault.TokenRevoked); ok {
		h.tokens.revoke(hit.Status)
		return reject(invalidToken(hit.Status))
	}
	if hit, ok := faults.Trigger(at, fault.ColdStart); ok {
		if hit.Form == "reject" {
			return reject(startingReply(hit))
		}
		x.startDelay = hit.Remaining
	}
	if hit, ok := faults.Trigger(at, fault.Mutate); ok {
		x.mutate = hit.Mutate
	}
	kinds := []fault.Kind{fault.TooManyRequests, fault.Unavailable, fault.Cut}
	if c.session != nil {
		kinds = append(kinds, fault.SessionExpired)
	}
	hit, ok := faults.Trigger(at, kinds...)
	if !ok {
		reply, err := c.run()
		if errors.Is(err, warehouse.ErrStarting) {
			return reject(startingReply(fault.Hit{Fault: fault.Fault{RetryAfter: startingRetryAfter}}))
		}
		return reply, err
	}
	switch hit.Kind {
	case fault.TooManyRequests:
		return reject(&httpReply{
			status: http.StatusTooManyRequests, code: "REQUEST_LIMIT_EXCEEDED", retryAfter: hit.RetryAfter,
			message: "Your request was rejected since your organization has exceeded the rate limit. Please retry your request later.",
		})
	case fault.Unavailable:
		r := &httpReply{
			status: http.StatusServiceUnavailable, code: "TEMPORARILY_UNAVAILABLE", retryAfter: hit.RetryAfter,
			message: "The service is temporarily unavailable. Please try again later.",
		}
		if hit.Form == "before" {
			return reject(r)
		}
		reply, err = c.run()
		x.reject = r
		return reply, err
	case fault.SessionExpired:
		h.sessions.expire(c.session)
		gone := invalidSession(c.session.id)
		h.journal.addRejected(c.name, c.text, c.session, 0)
		if hit.Form == "exception" {
			return none, gone
		}
		return c.status(errorStatus(gone)), nil
	default:
		x.cut = true
		return c.run()
	}
}

// reportPanic logs a panic with its stack, and returns the error for the client.
func (s *Server) reportPanic(where string, p any) error {
	s.options.Log.Error("the sandbox has a bug", "in", where, "panic", p, "stack", string(debug.Stack()))
	return fmt.Errorf("the sandbox failed in %s: %v; its log has the stack", where, p)
}

// startingRetryAfter is the Retry-After, in seconds, while the engine starts.
const startingRetryAfter = 2

func startingReply(hit fault.Hit) *httpReply {
	retryAfter := hit.RetryAfter
	if retryAfter == 0 {
		retryAfter = max(1, int(math.Min(5, math.Ceil(hit.Remaining.Seconds()))))
	}
	return &httpReply{
		status: http.StatusServiceUnavailable, code: "TEMPORARILY_UNAVAILABLE", retryAfter: retryAfter,
		message: "TEMPORARILY_UNAVAILABLE: The SQL warehouse is starting. Please try again later.",
	}
}
