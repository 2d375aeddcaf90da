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

// Active reports whether a run in this state may still change.
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
	// PlannedAt is the occurrence of the schedule that it stands for; nil when
	// it was asked for.
	PlannedAt *time.Time `json:"planned_at,omitempty"`
	// Missed counts the occurrences it stands for that nothing executed in
	// their time: those a catch-up run makes good beside its own, or those that
	// a run of status missed leaves out.
	Missed int `json:"missed,omitempty"`
	// Attempt counts from 1; a run that a lost process left, or that failed for
	// a passing reason, is tried again.
	Attempt int `json:"attempt"`
	// NextAttemptAt is when a queued run that failed for a passing reason is
	// tried again.
	NextAttemptAt *time.Time `json:"next_attempt_at,omitempty"`
	// Runner names the process that executes it, or did.
	Runner string `json:"runner,omitempty"`
	// Phase is what it is at now, in words ("reading rows").
	Phase string `json:"phase"`
	Progress
	Counts
	// Failure is why it ended, or was left out; zero for a run that is active or
	// succeeded.
	Failure    Failure    `json:"failure,omitzero"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// RunAgain is the next step after a run that another one goes on with.
const RunAgain = "Run the job again: it goes on from where this run was."

// Progress is how far the present phase is. Total 0 means not known.
type Progress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// Counts are what a run did; those that do not concern its kind stay zero.
type Counts struct {
	// RowsRead is the rows the warehouse returned (import), or the profiles
	// scanned (export).
	RowsRead int64 `json:"rows_read"`
	// RowsWritten is the events emitted (import) or the rows of the new table
	// (export).
	RowsWritten int64 `json:"rows_written"`
	// RowsKnown were read again at the watermark and had been sent before.
	RowsKnown int64 `json:"rows_known"`
	// RowsNull have no timestamp and were skipped; RowsFuture lie after the
	// warehouse's clock and wait for a later run.
	RowsNull   int64 `json:"rows_null"`
	RowsFuture int64 `json:"rows_future"`
	// RowsErased are of users who were erased, and were left out.
	RowsErased int64 `json:"rows_erased,omitempty"`
	// Bytes of events or staged files.
	Bytes int64 `json:"bytes"`
	// PossiblyDuplicated is the events sent a second time, with the same ids,
	// because the platform's answer to the first was lost and it has no
	// idempotency key to tell them by.
	PossiblyDuplicated int64 `json:"possibly_duplicated,omitempty"`
	// Profiles is how many exist after the run.
	Profiles int64 `json:"profiles"`
	// What the profiles leave out, of all events there are: those without any
	// identifier, values that do not fit their field, and users of more
	// identities than one has, with an example of such an identity.
	Unidentified    int64  `json:"unidentified,omitempty"`
	Unfit           int64  `json:"unfit,omitempty"`
	Conflicts       int64  `json:"conflicts,omitempty"`
	ConflictExample string `json:"conflict_example,omitempty"`
	// Snapshot names what was read: "version 12", or "temporary view".
	Snapshot string `json:"snapshot,omitempty"`
	// Watermark is where the next run begins.
	Watermark *time.Time `json:"watermark,omitempty"`
	// Table is the full name of the table an export replaced.
	Table string `json:"table,omitempty"`
	// Statements are ids of the statements that the run sent, in order, as the
	// warehouse's query history has them: the last MostStatements.
	Statements []string `json:"statements,omitempty"`
}

// MostStatements is how many statement ids a run keeps.
const MostStatements = 200

// RunFilter selects runs; zero fields select all.
type RunFilter struct {
	JobID string
	// Statuses are the only ones selected; none means all.
	Statuses []Status
	// Since leaves out runs made before it.
	Since time.Time
	// Limit is the most runs returned, newest first; 0 means 100.
	Limit int
}

// LogLine is one line of a run's log.
type LogLine struct {
	At time.Time `json:"at"`
	// Level is "info", "warn" or "error".
	Level   string `json:"level"`
	Message string `json:"message"`
}
