package front

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/fault"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// errRejected stands in for the reply of a call that is answered in HTTP.
var errRejected = errors.New("the call was answered below the Thrift protocol")

// rpc is a call in progress. R is its reply.
type rpc[R any] struct {
	name string
	// text is the statement that the call is about, if it is about one.
	text    string
	session *session
	// run does the work.
	run func() (R, error)
	// status makes a reply that holds nothing but a status.
	status func(*tcli.TStatus) R
}

// serve runs a call under the faults that are set for it. An error becomes a
// TApplicationException, and so does a panic: a connection that breaks would
// keep clients retrying for minutes.
func serve[R any](ctx context.Context, h *handler, c rpc[R]) (reply R, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = h.bug(c.name, p)
		}
	}()
	var none R
	x, at, faults := exchangeOf(ctx), fault.Call{Name: c.name, Text: c.text}, h.options.Faults
	reject := func(r *httpReply) (R, error) {
		x.reject = r
		h.journal.rejected(c.name, c.text, c.session, r.status)
		return none, errRejected
	}

	if hit, ok := faults.Trigger(at, fault.Slow); ok {
		select {
		case <-time.After(time.Duration(hit.Delay)):
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	if hit, ok := faults.Trigger(at, fault.TokenRevoked); ok {
		h.tokens.revoke(hit.Status)
		return reject(invalidToken(hit.Status))
	}
	if hit, ok := faults.Trigger(at, fault.ColdStart); ok {
		if hit.Form == "reject" {
			return reject(starting(hit))
		}
		x.hold = hit.Remaining
	}
	kinds := []fault.Kind{fault.TooManyRequests, fault.Unavailable, fault.Cut}
	if c.session != nil {
		kinds = append(kinds, fault.SessionExpired)
	}
	hit, ok := faults.Trigger(at, kinds...)
	if !ok {
		reply, err := c.run()
		if errors.Is(err, warehouse.ErrStarting) {
			return reject(starting(fault.Hit{Fault: fault.Fault{RetryAfter: startingRetryAfter}}))
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
		h.journal.rejected(c.name, c.text, c.session, 0)
		if hit.Form == "exception" {
			return none, gone
		}
		return c.status(errorStatus(gone)), nil
	default:
		x.cut = true
		return c.run()
	}
}

// bug reports a panic, with where it came from in the sandbox's own log.
func (s *Server) bug(where string, p any) error {
	s.options.Log.Error("the sandbox has a bug", "in", where, "panic", p, "stack", string(debug.Stack()))
	return fmt.Errorf("the sandbox failed in %s: %v; its log has the stack", where, p)
}

// startingRetryAfter is in how many seconds to ask again for an engine that is
// starting.
const startingRetryAfter = 2

func starting(hit fault.Hit) *httpReply {
	retryAfter := hit.RetryAfter
	if retryAfter == 0 {
		retryAfter = max(1, int(math.Min(5, math.Ceil(hit.Remaining.Seconds()))))
	}
	return &httpReply{
		status: http.StatusServiceUnavailable, code: "TEMPORARILY_UNAVAILABLE", retryAfter: retryAfter,
		message: "TEMPORARILY_UNAVAILABLE: The SQL warehouse is starting. Please try again later.",
	}
}
