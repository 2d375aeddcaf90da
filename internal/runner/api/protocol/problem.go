package protocol

import (
	"context"
	"errors"
	"net/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Problem is a jobs.Error on the wire: problem details (RFC 9457) with code,
// attribute and next as extensions.
type Problem struct {
	Type      string    `json:"type,omitempty" doc:"Always about:blank; the code distinguishes problems."`
	Title     string    `json:"title" doc:"What happened, to what, in one line."`
	Status    int       `json:"status" doc:"The HTTP status."`
	Detail    string    `json:"detail,omitempty" doc:"Why."`
	Code      jobs.Code `json:"code" doc:"What a caller can do about it." enum:"not_found,conflict,not_owned,in_use,invalid,unauthorized,forbidden,unreachable,secret_unreadable,store,cancelled,timeout,limited,failed"`
	Attribute string    `json:"attribute,omitempty" doc:"The Terraform attribute at fault, with dots for nested attributes."`
	Next      string    `json:"next,omitempty" doc:"What to do about it."`
}

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// statuses are the HTTP statuses of the codes. 401 and 403 are only about the
// runner's token, as HTTP clients expect; a credential that the warehouse
// refuses is 422.
var statuses = map[jobs.Code]int{
	jobs.CodeNotFound:         http.StatusNotFound,
	jobs.CodeConflict:         http.StatusConflict,
	jobs.CodeNotOwned:         http.StatusConflict,
	jobs.CodeInUse:            http.StatusConflict,
	jobs.CodeInvalid:          http.StatusUnprocessableEntity,
	jobs.CodeUnauthorized:     http.StatusUnprocessableEntity,
	jobs.CodeForbidden:        http.StatusUnprocessableEntity,
	jobs.CodeSecretUnreadable: http.StatusUnprocessableEntity,
	jobs.CodeUnreachable:      http.StatusBadGateway,
	jobs.CodeTimeout:          http.StatusGatewayTimeout,
	jobs.CodeLimited:          http.StatusTooManyRequests,
	jobs.CodeStore:            http.StatusServiceUnavailable,
	jobs.CodeCancelled:        http.StatusConflict,
	jobs.CodeFailed:           http.StatusInternalServerError,
}

// ProblemOf converts an error for the wire. If err is not a jobs.Error, its
// text is the detail, and doing names the failed operation.
func ProblemOf(err error, doing string) *Problem {
	e, ok := errors.AsType[*jobs.Error](err)
	switch {
	case ok:
	case errors.Is(err, context.DeadlineExceeded):
		e = &jobs.Error{Code: jobs.CodeTimeout, Summary: "Could not " + doing + " in time", Detail: err.Error()}
	case errors.Is(err, context.Canceled):
		e = &jobs.Error{Code: jobs.CodeCancelled, Summary: "Could not " + doing, Detail: "It was interrupted."}
	default:
		e = &jobs.Error{Code: jobs.CodeFailed, Summary: "Could not " + doing, Detail: err.Error()}
	}
	status, ok := statuses[e.Code]
	if !ok {
		status = http.StatusInternalServerError
	}
	f := jobs.Failure{Summary: e.Summary, Detail: e.Detail, Next: e.Next}.Redacted()
	return &Problem{
		Type: "about:blank", Title: f.Summary, Status: status, Detail: f.Detail,
		Code: e.Code, Attribute: e.Attribute, Next: f.Next,
	}
}

// JobsError converts the problem from the wire.
func (p *Problem) JobsError() *jobs.Error {
	return &jobs.Error{Code: p.Code, Attribute: p.Attribute, Summary: p.Title, Detail: p.Detail, Next: p.Next}
}

// Error implements error.
func (p *Problem) Error() string { return p.JobsError().Error() }

// GetStatus returns the HTTP status to the server's framework.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type to the server's framework.
func (p *Problem) ContentType(string) string { return ProblemType }
