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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// request is one call of the API.
type request struct {
	method string
	// path follows protocol.Base; its values are escaped.
	path  string
	query url.Values
	body  any
	// accept is the media type of a streamed answer.
	accept string
}

// at puts escaped values into a path.
func at(format string, values ...string) string {
	escaped := make([]any, len(values))
	for i, v := range values {
		escaped[i] = protocol.Segment(v)
	}
	return fmt.Sprintf(format, escaped...)
}

// call makes a request and reads its answer.
func call[T any](ctx context.Context, c *Client, r request) (T, error) {
	var out T
	resp, _, err := c.send(ctx, r)
	if err != nil {
		return out, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusNoContent {
		return out, nil
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return out, c.unreachable(ctx, err)
	}
	return out, nil
}

// do makes a request that gives nothing. What a first try, whose answer was
// lost, has deleted, is not missing.
func (c *Client) do(ctx context.Context, r request) error {
	resp, tries, err := c.send(ctx, r)
	if r.method == http.MethodDelete && tries > 1 && jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// attempts bound those of a call.
var attempts = retry.Policy{Attempts: 5, First: 200 * time.Millisecond, Longest: 30 * time.Second}

// send makes a request until the runner has answered it. A request that is not
// idempotent is repeated only where the runner cannot have seen it.
func (c *Client) send(ctx context.Context, r request) (_ *http.Response, tries int, _ error) {
	if strings.Contains(r.path+"/", "//") {
		return nil, 0, jobs.Invalid("id", "An object without an id is asked for", "Its id or name is empty.", "Give the id of the object")
	}
	body, err := json.Marshal(r.body)
	if err != nil {
		return nil, 0, err
	}
	var next retry.Decision
	resp, err := retry.Do(ctx, attempts, func(n int) (*http.Response, error) {
		tries = n
		resp, err := c.try(ctx, r, body)
		if err != nil {
			next = retry.If(r.method != http.MethodPost || neverSent(err))
			return nil, c.unreachable(ctx, err)
		}
		if resp.StatusCode < http.StatusMultipleChoices && agreed(resp) {
			return resp, nil
		}
		transient, err := c.refusal(resp)
		next = retry.If(transient && (r.method != http.MethodPost || resp.StatusCode == http.StatusTooManyRequests))
		next.After = min(retry.After(resp.Header.Get("Retry-After"), time.Now()), attempts.Longest)
		return nil, err
	}, func(int, error) retry.Decision { return next })
	if err != nil && next.Retry && ctx.Err() != nil { // it ended in a pause
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
	return c.http.Do(req)
}

// neverSent reports that there was no connection to send anything over.
func neverSent(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// agreed reports whether a runner of the same API version answered.
func agreed(resp *http.Response) bool {
	return resp.Header.Get(protocol.VersionHeader) == strconv.Itoa(protocol.Version)
}

// maxProblem bounds what is read of an answer that is no good.
const maxProblem = 1 << 20

// refusal gives the error that an answer stands for, and whether it may pass.
// Only a runner's own word, in a problem with a code, says that something is
// not there.
func (c *Client) refusal(resp *http.Response) (transient bool, _ error) {
	defer func() { _ = resp.Body.Close() }()
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
		return false, problem.JobsError()
	}
	transient = resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= http.StatusInternalServerError
	return transient, &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: "runner.url", Summary: "It is not a runner that answers at " + c.base.Redacted(),
		Detail: fmt.Sprintf("It answered %s, without the runner's header %s.", resp.Status, protocol.VersionHeader),
		Next:   "Check the address, and what stands between: a proxy may answer for a runner that is down",
	}
}

// unreachable gives the error of a call without an answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	e := &jobs.Error{
		Code: jobs.CodeUnreachable, Attribute: "runner.url", Summary: "No answer from " + c.place, Err: err,
		Detail: err.Error() + ".", Next: "Check that the runner is up and can be reached from here",
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() {
		e.Code = jobs.CodeTimeout
	}
	if errors.Is(err, context.Canceled) {
		e.Code = jobs.CodeCancelled
	}
	return e
}
