package lytics

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"slices"
	"sync/atomic"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// The time for which a call is retried, from its first failure. Calls of a plan have less
// time than calls of a run.
const (
	definitionPatience = 45 * time.Second
	runPatience        = 10 * time.Minute
)

// attemptTimeout limits one attempt.
const attemptTimeout = time.Minute

// The pauses between attempts double from the first to the longest.
const (
	firstPause   = 500 * time.Millisecond
	longestPause = 30 * time.Second
)

// The limits of Lytics's answers. The timeout of a call limits the time of an answer.
var (
	// answerLimits: the largest lists have 500 audiences or some thousand fields, with up
	// to about 30 values each.
	answerLimits = egress.Limits{Bytes: 16 << 20, Values: 500_000}
	// pageLimits: a page has up to pageSize profiles. If they do not fit, Scan asks for
	// fewer.
	pageLimits = egress.Limits{Bytes: 48 << 20, Values: 1_000_000}
)

// call is a request to the API, and the meaning of its failures.
type call struct {
	// summary is the summary of the error.
	summary string
	method  string
	base    *url.URL
	// path is the escaped path after base.
	path        string
	query       url.Values
	body        []byte
	contentType string
	gzipped     bool
	// repeatable means that sending the request twice has the effect of sending it once.
	repeatable bool
	// object is the kind and the name of the object that a 404 refers to.
	object [2]string
	// attribute is the attribute that a 400 refers to, and conflict the one that a 409
	// refers to.
	attribute, conflict string
	// right is the permission that a 403 refers to, if it is not a permission on the
	// object.
	right string
	// anyAccount is set for the call that reads the token's account. All other calls use
	// a token of the store's account.
	anyAccount bool
	// private means that the response contains personal data, so errors do not repeat it.
	private bool
	// patience is the time for retries; 0 means definitionPatience.
	patience time.Duration
	timeout  time.Duration
	// limits are those of the answer; without any, they are answerLimits.
	limits egress.Limits
	// unsure, which may be nil, is called before a request is repeated that may have
	// taken effect.
	unsure func()
	// backOff, which may be nil, is the pause that the call holds together with others.
	backOff *retry.Shared
}

// get returns a call that reads.
func (p *Platform) get(summary, path string) call {
	return call{summary: summary, method: http.MethodGet, base: p.api, path: path, query: url.Values{}, repeatable: true}
}

// send returns a call with a JSON body.
func (p *Platform) send(summary, method, path string, body any) (call, error) {
	b, err := json.Marshal(body)
	return call{summary: summary, method: method, base: p.api, path: path, query: url.Values{}, body: b, contentType: "application/json"}, err
}

// do makes a call, and retries transient failures until patience ends.
func (p *Platform) do(ctx context.Context, c call) ([]byte, error) {
	if c.patience == 0 {
		c.patience = definitionPatience
	}
	if isDotSegment(c.object[1]) {
		return nil, notFound(c.object[0], c.object[1])
	}
	policy := retry.Policy{
		First: firstPause, Longest: longestPause, Within: c.patience, FromFirstFailure: true, Shared: c.backOff, Clock: p.clock,
	}
	var (
		token    jobs.Secret
		f        *failure
		renewed  bool
		tokenErr error
	)
	answer, err := retry.Do(ctx, policy, func(n int) (answer []byte, err error) {
		if f != nil && f.unsure && c.unsure != nil {
			c.unsure()
		}
		if c.anyAccount || p.db == nil {
			token, tokenErr = p.token.get(ctx)
		} else {
			token, _, tokenErr = p.checkedToken(ctx, c.patience)
		}
		if tokenErr != nil {
			return nil, tokenErr
		}
		if answer, f = p.attempt(ctx, c, token); f == nil {
			return answer, nil
		}
		f.tries = n
		return nil, errAttempt
	}, func(int, error) retry.Decision {
		if tokenErr != nil {
			return retry.Decision{}
		}
		if f.status == http.StatusUnauthorized && !renewed {
			renewed = true
			var changed bool
			if changed, tokenErr = p.token.renew(ctx, token); changed || tokenErr != nil {
				return retry.Decision{Retry: changed, Free: true}
			}
		}
		return retry.Decision{Retry: f.transient && (!f.unsure || c.repeatable), After: f.retryAfter, Everyone: f.overloaded()}
	})
	switch {
	case err == nil:
		return answer, nil
	case tokenErr != nil:
		return nil, tokenErr
	}
	return nil, f.explain(ctx, c)
}

// errAttempt is returned to package retry for an attempt that ended with a *failure.
var errAttempt = errors.New("the attempt failed")

// attempt makes one request.
func (p *Platform) attempt(ctx context.Context, c call, token jobs.Secret) ([]byte, *failure) {
	timeout := c.timeout
	if timeout == 0 {
		timeout = attemptTimeout
	}
	inner, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var wrote atomic.Bool
	inner = httptrace.WithClientTrace(inner, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(inner, c.method, p.address(c), bytes.NewReader(c.body))
	if err != nil {
		return nil, &failure{err: errors.New("the request cannot be made")}
	}
	req.Header.Set("Authorization", token.Reveal())
	req.Header.Set("Accept", "application/json")
	if c.contentType != "" {
		req.Header.Set("Content-Type", c.contentType)
	}
	if c.gzipped {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if p.userAgent != "" {
		req.Header.Set("User-Agent", p.userAgent)
	}
	limits := c.limits
	if limits == (egress.Limits{}) {
		limits = answerLimits
	}
	resp, err := limits.Do(req, p.http.Do)
	if err != nil {
		return nil, transportFailure(err, wrote.Load(), timeout)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	good := resp.StatusCode >= 200 && resp.StatusCode < 300
	changed := good && c.method != http.MethodGet
	if err != nil {
		f := transportFailure(err, true, timeout)
		f.accepted = changed
		return nil, f
	}
	if changed && len(answer) == 0 && resp.StatusCode == http.StatusNoContent {
		return nil, nil
	}
	if good && isSuccess(answer) {
		return answer, nil
	}
	f := p.statusFailure(resp, answer)
	f.accepted = changed
	return nil, f
}

// address returns the URL of a call.
func (p *Platform) address(c call) string {
	q := url.Values{}
	for k, v := range c.query {
		q[k] = v
	}
	if p.account != "" {
		q.Set("account_id", p.account)
	}
	text := c.base.String() + c.path
	if len(q) > 0 {
		text += "?" + q.Encode()
	}
	return text
}

// statusFailure returns the failure of a response with an error status.
func (p *Platform) statusFailure(resp *http.Response, answer []byte) *failure {
	f := &failure{status: resp.StatusCode, retryAfter: retry.After(resp.Header.Get("Retry-After"), p.clock.Now())}
	if gjson.ValidBytes(answer) && gjson.GetBytes(answer, "status").Exists() {
		f.lytics = true
		f.requestID = gjson.GetBytes(answer, "request_id").String()
		f.message = gjson.GetBytes(answer, "message").String()
		for _, e := range gjson.GetBytes(answer, "errors").Array() {
			f.codes = append(f.codes, e.Get("code").String())
			if m := e.Get("message").String(); m != "" && f.message == "" {
				f.message = m
			}
		}
	}
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300:
		f.garbled, f.transient, f.unsure = true, true, true
	case resp.StatusCode == http.StatusTooManyRequests:
		f.transient = true
	case resp.StatusCode == http.StatusRequestTimeout, resp.StatusCode >= 500:
		f.transient, f.unsure = true, true
	}
	return f
}

// into makes a call and decodes the data of its response. Numbers keep all their digits. A
// list without entries may be null, as servers written in Go encode it; an object may not.
func (p *Platform) into(ctx context.Context, c call, out any) error {
	answer, err := p.do(ctx, c)
	if err != nil || out == nil {
		return err
	}
	var envelope struct {
		Data json.RawMessage `json:"data"`
	}
	if len(answer) == 0 {
		return c.malformed(errors.New("it is empty"))
	}
	if err = json.Unmarshal(answer, &envelope); err != nil {
		return c.malformed(err)
	}
	object := slices.Contains([]reflect.Kind{reflect.Map, reflect.Struct}, reflect.TypeOf(out).Elem().Kind())
	if len(envelope.Data) == 0 || object && string(envelope.Data) == "null" {
		return c.malformed(errors.New("it has no data"))
	}
	d := json.NewDecoder(bytes.NewReader(envelope.Data))
	d.UseNumber()
	if err = d.Decode(out); err != nil {
		return c.malformed(err)
	}
	return nil
}

// checked is into with a check of what was decoded.
func (p *Platform) checked(ctx context.Context, c call, out any, check func() error) error {
	if err := p.into(ctx, c, out); err != nil {
		return err
	}
	if err := check(); err != nil {
		return c.malformed(err)
	}
	return nil
}
