package jobs

import (
	"cmp"
	"errors"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// Failure says why a run ended without success, in the parts of an Error. It
// contains no secret. The zero Failure means that there is none.
type Failure struct {
	Code Code `json:"code,omitempty"`
	// Summary says in one line what happened, to what.
	Summary string `json:"summary,omitempty"`
	// Detail says why; it may have several sentences.
	Detail string `json:"detail,omitempty"`
	// Next is what to do about it.
	Next string `json:"next,omitempty"`
	// Attribute is the Terraform attribute at fault, as in Error.
	Attribute string `json:"attribute,omitempty"`
}

// String joins summary, detail and next step.
func (f Failure) String() string {
	text := f.Summary
	for _, part := range []string{f.Detail, f.Next} {
		switch {
		case part == "":
		case text == "":
			text = part
		default:
			text = strings.TrimSuffix(text, ".") + ". " + part
		}
	}
	return text
}

// IsZero reports whether there is no failure.
func (f Failure) IsZero() bool { return f == Failure{} }

// Redacted returns the failure without the secrets that this process knows.
func (f Failure) Redacted() Failure {
	f.Summary, f.Detail, f.Next = redact.Text(f.Summary), redact.Text(f.Detail), redact.Text(f.Next)
	return f
}

// FailureOf returns the parts of the Error that err is or wraps. An Error
// without a code gets CodeFailed. The text that wrapping errors add before the
// Error goes before the summary, the text that they add after it goes after the
// detail. If err wraps no Error, its text is the summary.
func FailureOf(err error) Failure {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return Failure{Code: CodeFailed, Summary: err.Error()}.Redacted()
	}
	f := e.failure()
	f.Code = cmp.Or(f.Code, CodeFailed)
	before, behind, _ := strings.Cut(err.Error(), e.Error())
	f.Summary = before + f.Summary
	f.Detail = Failure{Summary: f.Detail, Detail: strings.TrimSpace(behind)}.String()
	return f.Redacted()
}
