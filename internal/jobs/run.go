package jobs

import "time"

// Status is the state of a run.
type Status string

// The states. Queued, waiting and running are active; a job has at most one
// active run.
const (
	StatusQueued    Status = "queued"
	StatusWaiting   Status = "waiting_for_warehouse"
	StatusRunning   Status = "running"
	StatusSucceeded Status = "succeeded"
	StatusFailed    Status = "failed"
	StatusCancelled Status = "cancelled"
	StatusMissed    Status = "missed"
)

// Active reports whether a run in this state has not ended.
func (s Status) Active() bool {
	return s == StatusQueued || s == StatusWaiting || s == StatusRunning
}

// Reason is why a run exists.
type Reason string

// The reasons.
const (
	ReasonApply    Reason = "apply"
	ReasonSchedule Reason = "schedule"
	ReasonManual   Reason = "manual"
	ReasonAfter    Reason = "after"
)

// Run is one execution of a job.
type Run struct {
	ID     string `json:"id"`
	JobID  string `json:"job_id"`
	Status Status `json:"status"`
	Reason Reason `json:"reason"`
	// PlannedAt is the occurrence of the schedule that the run executes; nil if
	// the run was requested.
	PlannedAt *time.Time `json:"planned_at,omitempty"`
	// Missed counts missed occurrences of the schedule. A catch-up run executes
	// them together with its own; a run of status missed stands for occurrences
	// that were left out.
	Missed int `json:"missed,omitempty"`
	// Attempt counts from 1. A run is attempted again after a transient failure,
	// or after its process was lost.
	Attempt int `json:"attempt"`
	// NextAttemptAt is the time of the next attempt of a queued run that had a
	// transient failure.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	// Cancelling is whether an active run was asked to stop. It is known where the store
	// is read, and is no part of the run's JSON.
	Cancelling bool `json:"-"`
	// Runner is the name of the process that executes the run, or executed it.
	Runner string `json:"runner,omitempty"`
	// Phase describes the current step ("reading rows").
	Phase string `json:"phase"`
	Progress
	Counts
	// Failure says why the run failed, was cancelled or was missed; zero while
	// the run is active, and if it succeeded.
	Failure    Failure    `json:"failure,omitzero"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// RunAgain is the next step after a run that ended early and whose cursor is
// kept.
const RunAgain = "Run the job again: it continues where this run stopped."

// Progress is the progress of the current phase. Total is 0 if it is not known.
type Progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// Counts are the results of a run. A count that does not apply to the kind of
// job is zero.
type Counts struct {
	// RowsRead is the rows the warehouse returned (import), or the profiles
	// scanned (export).
	RowsRead int64 `json:"rows_read"`
	// RowsWritten is the events emitted (import) or the rows of the new table
	// (export).
	RowsWritten int64 `json:"rows_written"`
	// RowsKnown is the rows that were read again at the watermark and not sent,
	// because an earlier run sent them.
	RowsKnown int64 `json:"rows_known"`
	// RowsNull is the rows without a timestamp; they were skipped. RowsFuture is
	// the rows later than the warehouse's clock; a later run sends them.
	RowsNull   int64 `json:"rows_null"`
	RowsFuture int64 `json:"rows_future"`
	// RowsErased is the rows that were left out because their user was erased.
	RowsErased int64 `json:"rows_erased,omitempty"`
	// RowsRejected is the rows that the platform refused; they are in quarantine.
	RowsRejected int64 `json:"rows_rejected,omitempty"`
	// Bytes is the size of the events or of the staged files.
	Bytes int64 `json:"bytes"`
	// PossiblyDuplicated is the events that were sent a second time, with the
	// same ids, because the platform's answer to the first request was lost. The
	// platform has no idempotency key that would tell whether it had stored them.
	PossiblyDuplicated int64 `json:"possibly_duplicated,omitempty"`
	// Profiles is the number of profiles after the run.
	Profiles int64 `json:"profiles"`
	// Unidentified is the events, of all streams, without any identifier: they
	// belong to no profile.
	Unidentified int64 `json:"unidentified,omitempty"`
	// Unfit is the values that do not fit the type of their field.
	Unfit int64 `json:"unfit,omitempty"`
	// Conflicts is the users with more identities than one user may have;
	// ConflictExample is an identity of one of them.
	Conflicts       int64  `json:"conflicts,omitempty"`
	ConflictExample string `json:"conflict_example,omitempty"`
	// EventsBehind is the events that were sent to a Lytics account before an
	// export, and that Lytics had not counted when the wait for its profiles ended.
	EventsBehind int64 `json:"events_behind,omitempty"`
	// Snapshot is what the run read: "version 12", or "temporary view".
	Snapshot string `json:"snapshot,omitempty"`
	// Watermark is the timestamp where the next run begins.
	Watermark *time.Time `json:"watermark,omitempty"`
	// Table is the full name of the table that an export replaced.
	Table string `json:"table,omitempty"`
	// Statements are the ids, in the warehouse's query history, of the last
	// MostStatements statements of the run, in order.
	Statements []string `json:"statements,omitempty"`
}

// MostStatements is the largest number of statement ids that a run keeps.
const MostStatements = 200

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	JobID string
	// Statuses selects runs of these statuses; none means all.
	Statuses []Status
	// Since leaves out runs created before it.
	Since time.Time
	// Limit is the largest number of runs returned, newest first; 0 means 100.
	Limit int
	// After is the id of a run: only the runs that the list has behind it are returned.
	// CodeInvalid means that there is no such run any more.
	After string
}

// NoRunToGoOnAfter is the error of a list whose RunFilter.After names no run.
func NoRunToGoOnAfter(id string) error {
	return Invalid("after", "There is no run "+id+" that a list could go on after",
		"It was removed since the page before was read: ended runs are kept for a limited time.", "Read the list again from its beginning")
}

// LogLine is one line of a run's log.
type LogLine struct {
	At time.Time `json:"at"`
	// Level is "info", "warn" or "error".
	Level   string `json:"level"`
	Message string `json:"message"`
}
