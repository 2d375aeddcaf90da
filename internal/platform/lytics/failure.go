package lytics

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// failure is the failure of a call.
type failure struct {
	status int // 0 without a response
	// lytics means that the API sent the response, not a proxy.
	lytics    bool
	codes     []string
	message   string
	requestID string
	// garbled means that the status is a success, but the response cannot be decoded.
	garbled bool
	// transient means that the call may succeed if it is tried again.
	transient bool
	// unsure means that the call may have taken effect.
	unsure bool
	// accepted means that a call that changes something was answered with the status of a
	// success, so that it most likely took effect, and the answer cannot be read.
	accepted bool
	timedOut bool
	// beyondLimit means that the answer exceeds the limits of the call.
	beyondLimit bool
	retryAfter  time.Duration
	tries       int
	err         error
}

// Error is the text of the failure as a cause. It contains no part of the response.
func (f *failure) Error() string {
	if f.err != nil {
		return f.err.Error()
	}
	return fmt.Sprintf("status %d", f.status)
}

func (f *failure) Unwrap() error { return f.err }

// isUnsure reports whether the failed call may have taken effect.
func isUnsure(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.unsure
}

// isAccepted reports whether the failed call most likely took effect.
func isAccepted(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.accepted
}

// hasStatus reports whether Lytics answered with one of these statuses.
func hasStatus(err error, status ...int) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.lytics && slices.Contains(status, f.status)
}

func transportFailure(err error, wrote bool, timeout time.Duration) *failure {
	f := &failure{transient: true, unsure: wrote, err: err}
	// The client's error contains the whole URL.
	if u, ok := errors.AsType[*url.Error](err); ok {
		f.err = u.Err
	}
	if exceeded, ok := errors.AsType[*egress.AnswerError](err); ok {
		f.beyondLimit, f.transient, f.err = true, false, exceeded
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		f.err, f.transient = certificate, false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		f.timedOut, f.err = true, fmt.Errorf("no answer within %s", timeout)
	}
	return f
}

// overloaded reports whether Lytics asks for fewer requests, whichever they are.
func (f *failure) overloaded() bool {
	return f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable
}

// containers are the codes of a 404 that refers to the object's table, schema or account.
var containers = []string{"TABLE-NOTFOUND-009", "SCHEMA-NOTFOUND-010", "SCHEMAVERSION-NOTFOUND-011", "ACCOUNT-NOTFOUND-021"}

// container reports whether a 404 refers to the object's table, schema or account.
func (f *failure) container() bool {
	return slices.ContainsFunc(f.codes, func(code string) bool { return slices.Contains(containers, code) })
}

func isContainer(err error) bool {
	f, ok := errors.AsType[*failure](err)
	return ok && f.container()
}

// urlAttribute is the path of the attribute with the address of a call.
func (c call) urlAttribute() string {
	if strings.HasPrefix(c.path, collectPath) {
		return "platform.lytics.bulk_url"
	}
	return "platform.lytics.api_url"
}

// explain returns the *jobs.Error that describes the failure to the user.
func (f *failure) explain(ctx context.Context, c call) error {
	e := &jobs.Error{Summary: c.summary, Err: f}
	address, says := c.urlAttribute(), f.says(c)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		e.Code, e.Detail, e.Next = jobs.CodeTimeout, "the time ran out: "+context.Cause(ctx).Error(), "Allow more time, or run it again"
	case ctx.Err() != nil:
		e.Code, e.Detail, e.Next = jobs.CodeCancelled, context.Cause(ctx).Error(), "Run it again; it goes on where it was"
	case f.beyondLimit:
		e.Code, e.Attribute, e.Detail = jobs.CodeFailed, address, f.Error()
		e.Next = "Check that the address is Lytics's API, and proxies on the way; " +
			"where the account really has that much, report this as a limit of this release"
	case f.timedOut:
		e.Code, e.Attribute = jobs.CodeTimeout, address
		e.Detail = fmt.Sprintf("%s gave %s, in %s", c.base.Host, f.err, attempts(f.tries))
		e.Next = "Check the address, the network and Lytics's status page, then run it again"
	case f.status == 0:
		f.transport(e, c, address)
	case f.status == http.StatusUnauthorized:
		e.Code, e.Attribute, e.Detail, e.Next = jobs.CodeUnauthorized, tokenAttribute, "Lytics does not accept the "+
			"API token (401"+says+")", tokenNext
	case f.status == http.StatusForbidden:
		e.Code, e.Attribute = jobs.CodeForbidden, tokenAttribute
		e.Detail, e.Next = "the API token is good and lacks the right to "+cmp.Or(
			c.right,
			"do this",
		)+" (403"+says+")", "Give the token the role that it needs, in Lytics under Account Settings, API Tokens; or check "+
			"platform.lytics.account_id"
	case f.status == http.StatusNotFound && f.lytics && c.object[0] != "" && !f.container():
		e.Code, e.Summary, e.Next = jobs.CodeNotFound, fmt.Sprintf("There is no %s %q", c.object[0], c.object[1]), "Check the id"
	case f.status == http.StatusNotFound && f.lytics:
		e.Code, e.Attribute, e.Detail = jobs.CodeFailed, "platform.lytics.account_id", "Lytics does not find it (404"+says+")"
		e.Next = "Check that the token's account is the right one, and that it has a schema for users"
	case f.status == http.StatusConflict && f.lytics:
		e.Code, e.Attribute, e.Detail, e.Next = jobs.CodeConflict, c.conflict, "Lytics refuses it (409"+says+")", "Import the object that "+
			"is there, or choose another name"
	case f.lytics && c.private && (f.status == http.StatusBadRequest || f.status == http.StatusUnprocessableEntity):
		e.Code, e.Detail = jobs.CodeFailed, fmt.Sprintf(
			"Lytics refuses the request (%d%s); what it says is left out, for it may repeat personal data",
			f.status,
			says,
		)
		e.Next = "Ask Lytics with the request id"
	case f.lytics && (f.status == http.StatusBadRequest || f.status == http.StatusUnprocessableEntity):
		e.Code, e.Attribute, e.Detail, e.Next = jobs.CodeInvalid, c.attribute, fmt.Sprintf(
			"Lytics refuses it (%d%s)",
			f.status,
			says,
		), "Correct the definition"
	case f.status == http.StatusRequestEntityTooLarge:
		e.Code, e.Detail, e.Next = jobs.CodeFailed, "Lytics finds the request too large (413)", "Report this, with the release that you use"
	case f.status == http.StatusTooManyRequests:
		e.Code = jobs.CodeFailed
		e.Detail = fmt.Sprintf("Lytics limits how often this is asked, in %s%s", attempts(f.tries), wait(f.retryAfter))
		e.Next = "Run it again later, or ask Lytics for a higher limit"
	case f.status >= 500:
		e.Code, e.Detail = jobs.CodeUnreachable, fmt.Sprintf("%s failed with status %d in %s%s", c.base.Host, f.status, attempts(f.tries), says)
		e.Next = "Run it again later; if it stays, ask Lytics with the request id"
	case f.garbled:
		e.Code, e.Attribute, e.Detail = jobs.CodeUnreachable, address, c.base.Host+" gives answers that are not the API's"
		e.Next = "Check the address, and proxies on the way"
	default:
		e.Code, e.Attribute = jobs.CodeUnreachable, address
		e.Detail, e.Next = fmt.Sprintf(
			"%s answers with status %d%s, which is not the API's",
			c.base.Host,
			f.status,
			says,
		), "Check the address: "+address+" is the scheme and the host alone"
	}
	return e
}

func (f *failure) transport(e *jobs.Error, c call, address string) {
	e.Code, e.Attribute = jobs.CodeUnreachable, address
	e.Detail = fmt.Sprintf("%s cannot be reached, in %s: %v", c.base.Host, attempts(f.tries), f.err)
	e.Next = "Check the address, the network and the proxy, then run it again"
	if d, ok := errors.AsType[*net.DNSError](f.err); ok && d.IsNotFound {
		e.Detail, e.Next = fmt.Sprintf("there is no host %s", c.base.Hostname()), "Check the address"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](f.err); ok {
		e.Next = "Check the address; where a proxy opens TLS, its certificate authority has to be known to this machine"
	}
}

// says returns Lytics's message, if it cannot contain personal data.
func (f *failure) says(c call) string {
	text := ""
	if f.message != "" && !c.private {
		text = ": " + shorten(redact.Text(strings.Join(strings.Fields(f.message), " ")))
	}
	if f.requestID != "" {
		text += ", request " + shorten(f.requestID)
	}
	return text
}

// longestMessage is the length limit of Lytics's message in an error.
const longestMessage = 500

func shorten(text string) string {
	if len(text) <= longestMessage {
		return text
	}
	return strings.ToValidUTF8(text[:longestMessage], "") + "..."
}

func attempts(n int) string {
	if n == 1 {
		return "one attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

func wait(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return ", and asks to wait " + d.Round(time.Second).String()
}
