package jobs

import "errors"

// Code classifies an error by what the caller can do about it.
type Code string

// The codes. Only CodeNotFound may make a caller forget a known object.
const (
	// CodeNotFound: the store was read and has no such object.
	CodeNotFound Code = "not_found"
	// CodeConflict: another object already owns the same key.
	CodeConflict Code = "conflict"
	// CodeNotOwned: the object belongs to another resource.
	CodeNotOwned Code = "not_owned"
	// CodeInUse: something else depends on the object.
	CodeInUse Code = "in_use"
	// CodeInvalid: the definition cannot work as written.
	CodeInvalid Code = "invalid"
	// CodeUnauthorized: the warehouse refused the credential.
	CodeUnauthorized Code = "unauthorized"
	// CodeForbidden: the credential is valid, but a permission is missing.
	CodeForbidden Code = "forbidden"
	// CodeUnreachable: no answer from the warehouse, staging or platform.
	CodeUnreachable Code = "unreachable"
	// CodeSecretUnreadable: no key, or the wrong key, for a stored secret.
	CodeSecretUnreadable Code = "secret_unreadable"
	// CodeStore: the store is missing, different, corrupt or full.
	CodeStore Code = "store"
	// CodeCancelled: the run was cancelled.
	CodeCancelled Code = "cancelled"
	// CodeTimeout: a deadline passed.
	CodeTimeout Code = "timeout"
	// CodeLimited: the other side limits how often this may be asked; a later
	// attempt can succeed.
	CodeLimited Code = "limited"
	// CodeFailed: a run failed for a reason that no other code names.
	CodeFailed Code = "failed"
)

// Error says what happened, to what, why, and what to do next. Its text never
// holds a secret.
type Error struct {
	Code Code
	// Attribute is the Terraform attribute at fault, with dots for nested
	// attributes ("schedule.time_of_day"), or empty.
	Attribute string
	// Summary says in one line what happened, to what.
	Summary string
	// Detail says why.
	Detail string
	// Next says what to do about it.
	Next string
	// Err is the cause, if any; Detail already carries its text.
	Err error
}

func (e *Error) Error() string { return e.failure().String() }

func (e *Error) failure() Failure {
	return Failure{Code: e.Code, Summary: e.Summary, Detail: e.Detail, Next: e.Next, Attribute: e.Attribute}.Redacted()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// IsCode reports whether err is, or wraps, an Error with the code.
func IsCode(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}

// Invalid returns the error for an attribute that cannot work as written.
func Invalid(attribute, summary, detail, next string) *Error {
	return &Error{Code: CodeInvalid, Attribute: attribute, Summary: summary, Detail: detail, Next: next}
}
