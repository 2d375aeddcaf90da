package jobs

import "time"

// DryRun reports what a run of a job would read and write if it started now. It
// only reads: nothing in the warehouse, the store or the platform changes.
type DryRun struct {
	JobID  string       `json:"job_id"`
	Label  string       `json:"label"`
	Kind   Kind         `json:"kind"`
	Reads  DryRunReads  `json:"reads"`
	Writes DryRunWrites `json:"writes"`
	// Statements are the SQL statements that the run would send, in order. Angle
	// brackets mark values that are not known before the run.
	Statements []string `json:"statements"`
	// Notes are remarks that the counts do not show.
	Notes []string `json:"notes"`
	// Samples are the first rows of an import, or the first profiles of an export, if
	// they were asked for.
	Samples []DryRunSample `json:"samples,omitempty"`
}

// DryRunRequest asks for the dry run of a definition that need not be registered. If
// there is a cursor of the same key, the run continues from it.
type DryRunRequest struct {
	Definition JobSpec
	// Connection, unless nil, is used in place of the definition's authorization, which
	// may not exist yet. It is not saved.
	Connection *AuthorizationChange
	// Samples is the number of samples, at most MostSamples.
	Samples int
}

// MostSamples is the largest number of samples of a dry run.
const MostSamples = 100

// DryRunSample is a row that an import would send, with what the stored mappings of its
// stream make of it; or a profile that an export would write.
type DryRunSample struct {
	// Row is the event as a JSON object; empty for an export.
	Row string `json:"row,omitempty"`
	// Profile has the values by field, as an export writes them. A field without a value
	// is not in it.
	Profile map[string]string `json:"profile"`
}

// DryRunReads reports what a run would read.
type DryRunReads struct {
	// Source is the table of an import, or the audience of an export.
	Source string `json:"source"`
	// Snapshot is the version of the source: "version 12".
	Snapshot string `json:"snapshot"`
	// From and To bound the timestamps of an import's window, both inclusive. nil
	// means no bound. An export has neither.
	From *time.Time `json:"from,omitempty"`
	To   *time.Time `json:"to,omitempty"`
	// Rows counts the rows of the window, or profiles of the audience, that were
	// not sent yet.
	Rows int64 `json:"rows"`
	// Slices are the ranges of the window that are read with one query each, in
	// order.
	Slices []DryRunSlice `json:"slices,omitempty"`
	// Changes is how the run finds what changed since the last one, and why so:
	// "the change data feed after version 11".
	Changes       string `json:"changes,omitempty"`
	ChangesReason string `json:"changes_reason,omitempty"`
	// Late is the range below the window where the run looks for late rows.
	Late *DryRunLate `json:"late,omitempty"`
	// RowsNull counts rows without a timestamp, RowsFuture rows later than the
	// warehouse's clock.
	RowsNull   int64 `json:"rows_null"`
	RowsFuture int64 `json:"rows_future"`
	// Continues is set if an earlier run of the same key left a cursor. Watermark is the
	// timestamp of that cursor; nil if it has none yet.
	Continues bool       `json:"continues,omitempty"`
	Watermark *time.Time `json:"watermark,omitempty"`
	// Columns are the columns of an import's events.
	Columns []DryRunColumn `json:"columns,omitempty"`
}

// DryRunSlice is a range of timestamps, both inclusive, and its number of rows.
type DryRunSlice struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Rows int64     `json:"rows"`
}

// DryRunLate is the range of timestamps, both inclusive, where the run looks
// for late rows.
type DryRunLate struct {
	From *time.Time `json:"from,omitempty"`
	To   time.Time  `json:"to"`
	// Against is what the range is compared with.
	Against string `json:"against"`
	// Looked is the number of rows that the run would compare itself. New is the
	// number of new rows if the warehouse compares. One of the two is nil.
	Looked *int64 `json:"looked,omitempty"`
	New    *int64 `json:"new,omitempty"`
}

// DryRunWrites reports what a run would write.
type DryRunWrites struct {
	// Stream is the stream of an import's events.
	Stream string `json:"stream,omitempty"`
	// Table is the table that an export replaces; Staging is where its files are
	// staged.
	Table   string `json:"table,omitempty"`
	Staging string `json:"staging,omitempty"`
	// Exists is whether the table exists, Ours whether an export of this job
	// created it, InPlace whether only its content is replaced.
	Exists  bool           `json:"exists"`
	Ours    bool           `json:"ours"`
	InPlace bool           `json:"in_place"`
	Columns []DryRunColumn `json:"columns,omitempty"`
	// Rows is the largest possible number of events, or the number of rows of the
	// new table.
	Rows int64 `json:"rows"`
	// RowsBefore is the number of rows that an export's table has now; nil without one.
	RowsBefore *int64 `json:"rows_before,omitempty"`
}

// DryRunColumn is a column of the new table, or of events.
type DryRunColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}
