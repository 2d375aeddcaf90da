package egress

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// MaxHeader limits the header of an answer in bytes. The APIs of this product answer with a
// few kilobytes; Go's default is 10 MB for each connection.
const MaxHeader = 256 << 10

// Limits bound one answer, because a broken or hostile server can send without end, send
// little that inflates to much, or send a byte a second. A field of 0 is no limit.
type Limits struct {
	// Bytes limits the size of the body, as it is received and after inflating.
	Bytes int64
	// Values limits the number of values in a JSON body. Each value needs memory of its
	// own, so a body of megabytes that consists of empty objects needs gigabytes. With
	// Values, maxNesting applies too.
	Values int64
	// Silence limits the time until the answer begins, and the time between two parts
	// of the body.
	Silence time.Duration
	// Total limits the time from the request to the end of the body.
	Total time.Duration
}

// AnswerError means that an answer exceeded a limit. It does not contain the path of the
// request or a part of the answer, because both may contain secrets or personal data.
type AnswerError struct {
	Method, Host string
	// Exceeds says which limit it exceeded, as the predicate of a sentence.
	Exceeds string
	// Late means that the limit is one of time.
	Late bool
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer of %s to %s %s", e.Host, e.Method, e.Exceeds)
}

// Timeout and Temporary implement net.Error.
func (e *AnswerError) Timeout() bool { return e.Late }

// Temporary implements net.Error.
func (e *AnswerError) Temporary() bool { return false }

// Do sends a request with the method of a transport or a client, and bounds the answer. An
// error of the answer or of its body is an *AnswerError if a limit was exceeded. The caller
// must close the body.
func (l Limits) Do(request *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	a := &answer{limits: l, method: request.Method, host: request.URL.Host, ctx: ctx, cancel: cancel}
	a.silence = a.deadline(l.Silence, fmt.Sprintf("stood still for %s", l.Silence))
	a.total = a.deadline(l.Total, fmt.Sprintf("did not end within %s", l.Total))
	bounded := request.Clone(ctx)
	// The transport inflates answers by itself only if the request does not name an
	// encoding, and then nobody can count the bytes that it received.
	inflate := request.Header.Get("Accept-Encoding") == "" && request.Header.Get("Range") == "" && request.Method != http.MethodHead
	if inflate {
		if bounded.Header == nil {
			bounded.Header = http.Header{}
		}
		bounded.Header.Set("Accept-Encoding", "gzip")
	}
	response, err := send(bounded)
	if err != nil {
		err = a.cause(err)
		a.stop()
		return nil, err
	}
	a.silence.Stop()
	if l.Bytes > 0 && response.ContentLength > l.Bytes && request.Method != http.MethodHead {
		_ = response.Body.Close()
		a.stop()
		return nil, a.tooLarge()
	}
	body := &boundedBody{answer: a, raw: response.Body}
	body.content = &body.received
	body.received = receivedBytes{body: body}
	if inflate && strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
		body.content = &inflater{compressed: &body.received}
		response.Header.Del("Content-Encoding")
		response.Header.Del("Content-Length")
		response.ContentLength, response.Uncompressed = -1, true
	}
	response.Body = body
	return response, nil
}

// answer is the state of one request and its answer.
type answer struct {
	limits         Limits
	method, host   string
	ctx            context.Context //nolint:containedctx // the context of the request that this answers
	cancel         context.CancelCauseFunc
	silence, total *time.Timer
}

// deadline cancels the request after a time; 0 means never.
func (a *answer) deadline(after time.Duration, exceeds string) *time.Timer {
	if after <= 0 {
		// A timer that is stopped before it can fire.
		t := time.NewTimer(time.Hour)
		t.Stop()
		return t
	}
	return time.AfterFunc(after, func() { a.cancel(a.exceeds(exceeds, true)) })
}

func (a *answer) exceeds(what string, late bool) *AnswerError {
	return &AnswerError{Method: a.method, Host: a.host, Exceeds: what, Late: late}
}

func (a *answer) tooLarge() *AnswerError {
	return a.exceeds("is larger than "+size(a.limits.Bytes), false)
}

// cause returns the limit of time that ended a request; else err.
func (a *answer) cause(err error) error {
	if exceeded, ok := errors.AsType[*AnswerError](context.Cause(a.ctx)); ok {
		return exceeded
	}
	return err
}

func (a *answer) stop() {
	a.silence.Stop()
	a.total.Stop()
	a.cancel(nil)
}

func size(n int64) string {
	switch {
	case n >= 1<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
