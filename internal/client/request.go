package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// request is one call of the API.
type request struct {
	method string
	// path is the path after protocol.Base, with escaped values.
	path  string
	query url.Values
	body  any
	// repeatable marks a POST that can be sent again after an answer was lost.
	repeatable bool
	// accept is the media type of a streamed answer.
	accept string
}

// at formats a path with escaped values.
func at(format string, values ...string) string {
	escaped := make([]any, len(values))
	for i, v := range values {
		escaped[i] = protocol.Segment(v)
	}
	return fmt.Sprintf(format, escaped...)
}

// call sends a request and decodes the answer.
func call[T any](ctx context.Context, c *Client, r request) (T, error) {
	var out T
	resp, _, err := c.send(ctx, r)
	if err != nil {
		return out, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return out, c.malformed(fmt.Errorf("it has status %d, and no content", resp.StatusCode))
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return out, c.unreachable(ctx, err)
	}
	decoded, err := decode[T](text)
	if err != nil {
		return out, c.malformed(err)
	}
	return decoded, nil
}

// do sends a request without a result. If a repeated DELETE finds no object, do
// returns no error: an earlier attempt, whose answer was lost, deleted it.
func (c *Client) do(ctx context.Context, r request) error {
	resp, tries, err := c.send(ctx, r)
	if r.method == http.MethodDelete && tries > 1 && jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNoContent {
		err = c.malformed(fmt.Errorf("it has status %d where there is no content", resp.StatusCode))
	}
	_ = resp.Body.Close()
	return err
}

// attempts is the retry policy of a call.
var attempts = retry.Policy{Attempts: 5, First: 200 * time.Millisecond, Longest: 30 * time.Second}

// send sends a request, with retries, until the runner answers. It repeats a
// request that is not idempotent only if the runner cannot have received it.
func (c *Client) send(ctx context.Context, r request) (_ *http.Response, tries int, _ error) {
	if strings.Contains(r.path+"/", "//") {
		return nil, 0, jobs.Invalid("id", "The request names no object", "The id or name is empty.", "Give the id of the object")
	}
	body, err := json.Marshal(r.body)
	if err != nil {
		return nil, 0, err
	}
	again := r.method != http.MethodPost || r.repeatable
	var next retry.Decision
	resp, err := retry.Do(ctx, attempts, func(n int) (*http.Response, error) {
		tries = n
		resp, err := c.try(ctx, r, body)
		if err != nil {
			_, exceeded := errors.AsType[*egress.AnswerError](err)
			next = retry.If(!exceeded && !errors.Is(err, http.ErrSchemeMismatch) && (again || neverSent(err)))
			return nil, c.unreachable(ctx, err)
		}
		if resp.StatusCode < http.StatusMultipleChoices && agreed(resp) {
			return resp, nil
		}
		transient, err := c.refusal(resp)
		next = retry.If(transient && (again || resp.StatusCode == http.StatusTooManyRequests))
		next.After = min(retry.After(resp.Header.Get("Retry-After"), time.Now()), attempts.Longest)
		return nil, err
	}, func(int, error) retry.Decision { return next })
	if err != nil && next.Retry && ctx.Err() != nil { // ctx ended during a pause
		err = c.unreachable(ctx, context.Cause(ctx))
	}
	return resp, tries, err
}

func (c *Client) try(ctx context.Context, r request, body []byte) (*http.Response, error) {
	u := *c.base
	full := u.EscapedPath() + protocol.Base + r.path
	path, err := url.PathUnescape(full)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawPath, u.RawQuery = path, full, r.query.Encode()
	var reader io.Reader
	if r.body != nil {
		reader = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, u.String(), reader)
	if err != nil {
		return nil, err
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json")
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	req.Header.Set("Authorization", "Bearer "+c.config.Token.Reveal())
	req.Header.Set(protocol.VersionHeader, strconv.Itoa(protocol.Version))
	req.Header.Set(protocol.ReleaseHeader, c.config.Release)
	req.Header.Set(protocol.ClientHeader, c.instance)
	limits := answerLimits
	if r.accept != "" {
		limits = streamLimits
	}
	return limits.Do(req, c.http.Do)
}

// The limits of the runner's answers.
var (
	// answerLimits: the largest answer is the list of jobs. A job has up to a few
	// kilobytes and about 60 values. The runner may need answerTimeout to begin.
	answerLimits = egress.Limits{Bytes: 32 << 20, Values: 500_000, Silence: answerTimeout, Total: answerTimeout + 5*time.Minute}
	// streamLimits: a streamed answer may be as large as a stream of events. Its lines
	// are bounded by maxLine and lineTimeout.
	streamLimits = egress.Limits{Silence: answerTimeout}
)

// neverSent reports whether the request was not sent, because no connection
// could be opened.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// agreed reports whether the answer comes from a runner of the same API
// version.
func agreed(resp *http.Response) bool {
	return resp.Header.Get(protocol.VersionHeader) == strconv.Itoa(protocol.Version)
}

// maxProblem and problemTimeout bound the body of an error answer.
const (
	maxProblem     = 1 << 20
	problemTimeout = time.Minute
)

// refusal returns the error of an answer, and whether it is transient. Only a
// Problem of the runner can have CodeNotFound; an answer of a proxy cannot.
func (c *Client) refusal(resp *http.Response) (transient bool, _ error) {
	defer func() { _ = resp.Body.Close() }()
	late := time.AfterFunc(problemTimeout, func() { _ = resp.Body.Close() })
	defer late.Stop()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	version := resp.Header.Get(protocol.VersionHeader)
	theirs, numbered := strconv.Atoi(version)
	problem := &protocol.Problem{}
	said := err == nil && strings.HasPrefix(resp.Header.Get("Content-Type"), protocol.ProblemType) &&
		json.Unmarshal(text, problem) == nil && problem.Code != ""
	switch {
	case numbered == nil && theirs != protocol.Version:
		summary, detail, next := protocol.Mismatch(protocol.Version, c.config.Release, theirs, resp.Header.Get(protocol.ReleaseHeader))
		return false, &jobs.Error{Code: jobs.CodeFailed, Attribute: "runner.url", Summary: summary, Detail: detail, Next: next}
	case said && version == "" && problem.Code == jobs.CodeNotFound:
	case said:
		return false, c.problem(problem)
	}
	transient = resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError
	return transient, &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: "runner.url", Summary: "The server at " + c.base.Redacted() + " is not a runner",
		Detail: fmt.Sprintf("It answered %s, without the runner's header %s.", resp.Status, protocol.VersionHeader),
		Next:   "Check the URL, and whether a proxy answers for a runner that is down",
	}
}

// unreachable returns the error of a call without an answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	e := &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: "runner.url", Summary: "No answer from " + c.place, Err: err,
		Detail: err.Error() + ".", Next: "Check that the runner is running and reachable from this machine",
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		e.Code = jobs.CodeTimeout
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		e.Summary, e.Detail = "The runner at "+c.base.Redacted()+" does not speak TLS", "Its URL begins with https, and the server answers in HTTP."
		e.Next = "Write http:// in the URL if the runner listens on a loopback address; elsewhere start it with --tls-cert and --tls-key"
	}
	if exceeded, ok := errors.AsType[*egress.AnswerError](err); ok && !exceeded.Late {
		e.Code, e.Summary = jobs.CodeFailed, "An answer of "+c.place+" is larger than its API describes"
		e.Next = "Check the URL, and which proxies are on the way; " +
			"where the runner really has that much, report this as a limit of this release"
	}
	if errors.Is(err, context.Canceled) {
		e.Code = jobs.CodeCancelled
	}
	return e
}
