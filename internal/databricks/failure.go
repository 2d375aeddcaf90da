package databricks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// cause is the kind of a failure.
type cause int

const (
	// causeUnreachable: no connection could be made.
	causeUnreachable cause = iota
	// causeLost: the connection broke after the request was sent.
	causeLost
	// causeSilent: the host accepted the request and did not answer in time.
	causeSilent
	// causeRefused: a rule of this package or of package egress forbids the request.
	causeRefused
	// causeTLS: the host's certificate was not accepted.
	causeTLS
	causeUnauthorized
	causeForbidden
	causeNotFound
	// causeBusy: 429, nothing was executed.
	causeBusy
	// causeUnavailable: 502 to 504; the request may have been executed.
	causeUnavailable
	// causeHTTP: any other status.
	causeHTTP
	// causeReply: the reply is an exception or an error status.
	causeReply
	// causeMalformed: the reply or the file failed a check.
	causeMalformed
	// causeLink: a file of a result could not be fetched by its link.
	causeLink
	// causeToken: the token could not be read or made.
	causeToken
	// causeInflated: a compressed page or file inflates beyond the limit.
	causeInflated
	// causeLimit: the answer exceeds a limit of its size or time.
	causeLimit
)

// failure is the failure of one request. It is internal to the package; callers receive a
// *jobs.Error.
type failure struct {
	method     string
	cause      cause
	status     int
	message    string
	retryAfter time.Duration
	err        error
	// token is what a request was sent with, to which the host answered with an error.
	token jobs.Secret
}

func (f *failure) Error() string {
	text := f.message
	if text == "" && f.err != nil {
		text = f.err.Error()
	}
	if f.status != 0 {
		text = strings.TrimSuffix(fmt.Sprintf("HTTP %d %s: %s", f.status, http.StatusText(f.status), text), ": ")
	}
	return redact.Text(text)
}

func (f *failure) Unwrap() error { return f.err }

// transient reports whether the request may succeed if it is sent again. It is false if
// that could execute a statement twice that is not idempotent.
func (f *failure) transient(idempotent bool) bool {
	switch f.cause {
	case causeUnreachable, causeBusy:
		return true
	case causeLost, causeUnavailable:
		return idempotent
	case causeSilent:
		// The attempt has used its whole timeout. Only a fetch is tried again, because a
		// single page may be slow.
		return f.method == "FetchResults"
	default:
		return false
	}
}

// transientDownload reports whether a download of a result file may succeed if it is tried
// again. A link that the storage refused stays refused.
func (f *failure) transientDownload() bool {
	switch f.cause {
	case causeRefused, causeMalformed, causeLimit:
		return false
	case causeLink:
		return f.status == http.StatusTooManyRequests || f.status >= http.StatusInternalServerError
	}
	return true
}

// answered names the request whose answer is malformed.
func (f *failure) answered() string {
	if f.method == "" {
		return "a fetch of the result"
	}
	return f.method
}

// leavesOutcomeOpen reports whether the statement may have been executed.
func (f *failure) leavesOutcomeOpen() bool {
	switch f.method {
	case "GetOperationStatus":
		return true // the warehouse has accepted it
	case "ExecuteStatement":
		switch f.cause {
		case causeLost, causeSilent, causeUnavailable, causeMalformed, causeLimit:
			return true
		}
	}
	return false
}

// isNotReady reports whether the host answered that it is busy or unavailable. The
// transport then retries for as long as a warehouse may take to start.
func (f *failure) isNotReady() bool { return f.cause == causeBusy || f.cause == causeUnavailable }

// errNoAnswer is the cause with which a call is cancelled at its timeout.
var errNoAnswer = errors.New("no answer within the time limit")

// sendFailure returns the failure of a request without a response.
func sendFailure(ctx context.Context, method string, sent bool, err error) *failure {
	f := &failure{method: method, cause: causeUnreachable, err: err}
	var refused *egress.RefusedAddressError
	var exceeded *egress.AnswerError
	switch {
	case errors.As(err, &exceeded):
		f.cause, f.err = causeLimit, exceeded
	case errors.As(err, &refused):
		f.cause, f.err = causeRefused, refused
	case egress.IsTLSFailure(err):
		f.cause = causeTLS
	case errors.Is(context.Cause(ctx), errNoAnswer):
		f.cause, f.err = causeSilent, errNoAnswer
		if !sent {
			f.cause = causeUnreachable
		}
	case sent:
		f.cause = causeLost
	}
	return f
}

// invalidToken matches the message of a 403 that is about the token, because Databricks
// does not always answer 401 for an invalid token.
var invalidToken = regexp.MustCompile(
	`(?i)(invalid|expired|revoked|unknown|malformed) (access |personal access )?token|token (is|was|has) (been )?(invalid|expired|revoked)|credential was not sent`,
)

// statusFailure returns the failure of a response whose status is not 200. The request was
// sent with the token.
func statusFailure(method string, token jobs.Secret, response *http.Response, body []byte) *failure {
	f := &failure{method: method, cause: causeHTTP, status: response.StatusCode, message: errorText(response, body), token: token}
	f.retryAfter = retry.After(response.Header.Get("Retry-After"), time.Now())
	switch {
	case f.status == http.StatusUnauthorized, f.status == http.StatusForbidden && invalidToken.MatchString(f.message):
		f.cause = causeUnauthorized
	case f.status == http.StatusForbidden:
		f.cause = causeForbidden
	case f.status == http.StatusNotFound:
		f.cause = causeNotFound
	case f.status == http.StatusTooManyRequests:
		f.cause = causeBusy
	case f.status == http.StatusBadGateway, f.status == http.StatusServiceUnavailable, f.status == http.StatusGatewayTimeout:
		f.cause = causeUnavailable
	case f.status/100 == 3:
		f.cause = causeRefused
		f.message = "the host answered with a redirect to " + response.Header.Get("Location") +
			", which is not followed: the token is for the configured host alone"
	}
	return f
}

// errorText returns the message of an error response, from the headers or the body.
func errorText(response *http.Response, body []byte) string {
	for _, header := range []string{"X-Databricks-Reason-Phrase", "X-Thriftserver-Error-Message", "X-Databricks-Error-Or-Redirect-Message"} {
		if text := response.Header.Get(header); text != "" {
			return text
		}
	}
	const most = 500
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "<") || strings.ContainsRune(text, 0) || strings.ContainsRune(text, '\uFFFD') {
		return "" // a web page, or Thrift
	}
	if m := messageField.FindStringSubmatch(text); m != nil {
		if unquoted, err := strconv.Unquote(`"` + m[1] + `"`); err == nil {
			text = unquoted
		}
	}
	if text = redact.Text(text); len(text) > most {
		text = text[:most] + "..."
	}
	return text
}

var messageField = regexp.MustCompile(`"message"\s*:\s*"((?:[^"\\]|\\.)*)"`)

// isDNS reports whether a name could not be resolved.
func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}
