package jobs

import "time"

// DryRun says what a run of a job would read and write if it started now.
// Nothing is changed to find out: the warehouse is only asked.
type DryRun struct {
	JobID  string       `json:"job_id"`
	Label  string       `json:"label"`
	Kind   Kind         `json:"kind"`
	Reads  DryRunReads  `json:"reads"`
	Writes DryRunWrites `json:"writes"`
	// Statements are those the run would send, in order; what is not known
	// before it runs stands in angle brackets.
	Statements []string `json:"statements"`
	// Notes say what the counts do not.
	Notes []string `json:"notes"`
}

// DryRunReads is what a run would read.
type DryRunReads struct {
	// Source is the table of an import, or the audience of an export.
	Source string `json:"source"`
	// Snapshot names what is read of it: "version 12".
	Snapshot string `json:"snapshot"`
	// From and To are the timestamps of the window, both inclusive; nil has no
	// bound, or is no import's.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	// Rows lie in the window, or in the audience, and are not sent yet.
	Rows int64 `json:"rows"`
	// Slices are the queries that the window is read in, one after the other.
	Slices []DryRunSlice `json:"slices,omitempty"`
	// Late is the range below the window in which late rows are looked for.
	Late *DryRunLate `json:"late,omitempty"`
	// RowsNull have no timestamp; RowsFuture lie after the warehouse's clock.
	RowsNull   int64 `json:"rows_null"`
	RowsFuture int64 `json:"rows_future"`
}

// DryRunSlice is a range of timestamps, inclusive, and its rows.
type DryRunSlice struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Rows int64     `json:"rows"`
}

// DryRunLate is the range of timestamps, inclusive, that is compared.
type DryRunLate struct {
	From *time.Time `json:"from,omitempty"`
	To   time.Time  `json:"to"`
	// Against is what it is compared with.
	Against string `json:"against"`
	// Looked is how many rows are compared where the warehouse does not do it;
	// New how many are new, where it does.
	Looked *int64 `json:"looked,omitempty"`
	New    *int64 `json:"new,omitempty"`
}

// DryRunWrites is what a run would write.
type DryRunWrites struct {
	// Stream is where an import's events go.
	Stream string `json:"stream,omitempty"`
	// Table is what an export puts in place; Staging where its files wait.
	Table   string `json:"table,omitempty"`
	Staging string `json:"staging,omitempty"`
	// Exists tells that the table is there, Ours that an export of this job made
	// it, InPlace that its content alone is replaced.
	Exists  bool           `json:"exists"`
	Ours    bool           `json:"ours"`
	InPlace bool           `json:"in_place"`
	Columns []DryRunColumn `json:"columns,omitempty"`
	// Rows is how many events at most, or rows of the new table.
	Rows int64 `json:"rows"`
}

// DryRunColumn is a column of the new table.
type DryRunColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}
