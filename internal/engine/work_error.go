package engine

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// WorkError is the error of work in another process: what the end of a run depends on,
// without the values that only that process has.
type WorkError struct {
	Failure jobs.Failure `json:"failure"`
	// Transient means that the next attempt may succeed.
	Transient bool `json:"transient,omitempty"`
	// Fenced means that the run has another owner, and Cancelled that the work was stopped.
	Fenced    bool `json:"fenced,omitempty"`
	Cancelled bool `json:"cancelled,omitempty"`
}

// NewWorkError describes an error for another process; nil stays nil.
func NewWorkError(err error) *WorkError {
	if err == nil {
		return nil
	}
	return &WorkError{
		Failure: jobs.FailureOf(err), Transient: transient(err),
		Fenced: errors.Is(err, store.ErrFenced), Cancelled: errors.Is(err, context.Canceled),
	}
}

func (e *WorkError) Error() string { return e.Failure.String() }

// Unwrap returns what the end of a run depends on.
func (e *WorkError) Unwrap() []error {
	f := e.Failure
	all := []error{&jobs.Error{Code: f.Code, Summary: f.Summary, Detail: f.Detail, Next: f.Next, Attribute: f.Attribute}}
	if e.Fenced {
		all = append(all, store.ErrFenced)
	}
	if e.Cancelled {
		all = append(all, context.Canceled)
	}
	return all
}
