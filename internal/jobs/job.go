package jobs

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind is the kind of a job: import or export.
type Kind string

// The kinds of job.
const (
	KindTableImport    Kind = "table_import"
	KindAudienceExport Kind = "audience_export"
)

// TableImport moves rows of a Databricks table into an event stream.
type TableImport struct {
	Catalog         string `json:"catalog"`
	Database        string `json:"database"`
	Table           string `json:"table"`
	TimestampColumn string `json:"timestamp_column"`
	// RecordTimestampColumn holds the time of the event; empty means
	// TimestampColumn.
	RecordTimestampColumn string `json:"record_timestamp_column,omitempty"`
	// Since is the timestamp after which rows are read (exclusive); nil reads
	// from the beginning.
	Since  *time.Time `json:"since,omitempty"`
	Stream string     `json:"stream"`
	// KeyColumns identify a row among rows of one timestamp. If empty, row
	// tracking or a digest of the row orders equal timestamps.
	KeyColumns []string `json:"key_columns,omitempty"`
	// Columns are the columns of an event; ExcludeColumns are the columns that it
	// leaves out. At most one of the two is set; neither means all columns.
	Columns        []string `json:"columns,omitempty"`
	ExcludeColumns []string `json:"exclude_columns,omitempty"`
	// Where is a SQL predicate over the table's columns.
	Where string `json:"where,omitempty"`
	// Lookback is how far below the watermark a run looks for late rows. nil
	// means DefaultLookback; 0 means only at the watermark.
	Lookback *time.Duration `json:"lookback_ns,omitempty"`
	// Changes is how a run finds late rows; Deletes is what it does with rows that
	// were deleted. Events of deleted rows need KeyColumns.
	Changes          Changes          `json:"changes,omitempty"`
	Deletes          Deletes          `json:"deletes,omitempty"`
	NullTimestamps   NullTimestamps   `json:"null_timestamps,omitempty"`
	FutureTimestamps FutureTimestamps `json:"future_timestamps,omitempty"`
	// BatchSize is the largest number of events in one commit; 0 lets the
	// importer choose.
	BatchSize int64 `json:"batch_size,omitempty"`
	// RowLimit is the largest number of events of one run; the next run
	// continues. 0 means no limit.
	RowLimit int64 `json:"row_limit,omitempty"`
	// MaxRejected is how many rows of a run the platform may reject before the run
	// fails. It fails after its cursor has moved.
	MaxRejected int64 `json:"max_rejected,omitempty"`
	// ScratchSchema is the "catalog.database" for the copy of a source without
	// history; empty means a temporary table of the session.
	ScratchSchema string `json:"scratch_schema,omitempty"`
	// FullRefresh is any text. Changing it begins a new generation: every row is
	// sent again.
	FullRefresh string `json:"full_refresh,omitempty"`
}

// DefaultLookback is the Lookback of an import that sets none.
const DefaultLookback = 24 * time.Hour

// Changes is how a run finds the rows that were added below its watermark.
type Changes string

// The ways to find late rows. Empty is ChangesAuto.
const (
	// ChangesAuto reads the table's change data feed, and compares the lookback
	// where the feed does not have every commit since the last run.
	ChangesAuto Changes = "auto"
	// ChangesFeed reads the feed, and fails where it is not complete.
	ChangesFeed Changes = "feed"
	// ChangesCompare compares two versions of the table.
	ChangesCompare Changes = "compare"
)

// Deletes is what a run does with rows that were deleted since the last one.
type Deletes string

// What happens to deleted rows. Empty is DeletesIgnore.
const (
	DeletesIgnore Deletes = "ignore"
	// DeletesEvents sends an event with the key columns of each deleted row.
	DeletesEvents Deletes = "events"
)

// CheckDeletes returns an error if the definition does not say which row an event of
// a deleted row is about.
func (i TableImport) CheckDeletes() error {
	if i.Deletes == DeletesEvents && len(i.KeyColumns) == 0 {
		return Invalid("deletes", "Events of deleted rows need key_columns",
			"Such an event has the key columns of the row and nothing else: without them nobody can tell which row was deleted.",
			"Set key_columns to the columns that identify a row, or deletes to \"ignore\"")
	}
	return nil
}

// NullTimestamps is the policy for rows without a timestamp.
type NullTimestamps string

// The policies for rows without a timestamp. Empty is NullSkip.
const (
	NullSkip        NullTimestamps = "skip"
	NullError       NullTimestamps = "error"
	NullIncludeOnce NullTimestamps = "include_once"
)

// FutureTimestamps is the policy for rows later than the warehouse's clock.
type FutureTimestamps string

// The policies for future rows. Empty is FutureDefer.
const (
	FutureDefer   FutureTimestamps = "defer"
	FutureInclude FutureTimestamps = "include"
)

// AudienceExport moves the profiles of an audience into a Databricks table.
type AudienceExport struct {
	// AudienceID is the audience's id or slug.
	AudienceID string `json:"audience_id"`
	Catalog    string `json:"catalog"`
	Database   string `json:"database"`
	// TableName is the target table; the default is ExportTable(slug).
	TableName string `json:"table_name"`
	// Fields are the exported fields, in this order; empty means all.
	Fields            []string    `json:"fields,omitempty"`
	OverwriteExisting bool        `json:"overwrite_existing,omitempty"`
	ColumnTypes       ColumnTypes `json:"column_types,omitempty"`
	Format            FileFormat  `json:"format,omitempty"`
	Compression       Compression `json:"compression,omitempty"`
	// ScratchSchema is the "catalog.database" of the table that is loaded before
	// it replaces the target; empty means the target's schema.
	ScratchSchema string `json:"scratch_schema,omitempty"`
	// MaxShrinkPercent is by how many percent of its rows, from 0 to 100, a run may
	// shrink the table; nil means any.
	MaxShrinkPercent *int64 `json:"max_shrink_percent,omitempty"`
}

// ColumnTypes selects the source of an exported table's column types.
type ColumnTypes string

// The sources of types. Empty is ColumnTypesDeclared.
const (
	ColumnTypesDeclared ColumnTypes = "declared"
	ColumnTypesInferred ColumnTypes = "inferred"
)

// FileFormat is the format of staged files.
type FileFormat string

// The formats. Empty is FormatCSV.
const (
	FormatCSV     FileFormat = "csv"
	FormatParquet FileFormat = "parquet"
)

// Compression is how staged files are compressed.
type Compression string

// The compressions. Empty is the format's default: gzip for CSV, zstd for
// Parquet.
const (
	CompressionNone Compression = "none"
	CompressionGzip Compression = "gzip"
	CompressionZstd Compression = "zstd"
)

// DefaultCompression returns the default compression of a format.
func DefaultCompression(f FileFormat) Compression {
	if f == FormatParquet {
		return CompressionZstd
	}
	return CompressionGzip
}

// CheckFiles returns an error if the settings of the staged files contradict
// each other.
func (e AudienceExport) CheckFiles() error {
	switch {
	case e.Format == FormatParquet && e.ColumnTypes == ColumnTypesInferred:
		return Invalid("column_types", "The column types of a Parquet file cannot be inferred",
			"A Parquet file declares the types of its columns.", "Leave column_types out, or set format = \"csv\"")
	case e.Format != FormatParquet && e.Compression == CompressionZstd:
		return Invalid(
			"compression",
			"A CSV file cannot be compressed with zstd",
			"COPY INTO reads CSV files that are uncompressed or compressed with gzip.",
			"Set compression to \"gzip\" or \"none\", or format to \"parquet\"",
		)
	}
	return nil
}

// JobSpec is a job as declared: exactly one of Import and Export is set.
type JobSpec struct {
	Label           string `json:"label"`
	Description     string `json:"description,omitempty"`
	AuthorizationID string `json:"authorization_id"`
	// ManagedBy is who executes the job; empty is ManagedByProvider.
	ManagedBy Manager `json:"managed_by,omitempty"`
	// QueryTimeout bounds each statement at the warehouse, in whole minutes.
	QueryTimeout time.Duration   `json:"query_timeout_ns"`
	Import       *TableImport    `json:"import,omitempty"`
	Export       *AudienceExport `json:"export,omitempty"`
	Schedule     *Schedule       `json:"schedule,omitempty"`
	// Triggers are stored so that a job imported into another state shows no
	// change in its plan.
	Triggers map[string]string `json:"triggers,omitempty"`
	// FailOnError is whether a failed run fails the apply; it is stored for the
	// same reason.
	FailOnError bool `json:"fail_on_error"`
	// After are ids of jobs. This job runs when all of them have succeeded since
	// its own last run began.
	After []string `json:"after,omitempty"`
	// Wait is whether apply waits for the run that it starts; nil means true.
	Wait *bool `json:"wait,omitempty"`
	// CheckSource is whether the definition is saved only if the warehouse has the table of
	// a job with a schedule, since nobody watches its first run. Nil checks nothing; Terraform
	// shows it as true, its default.
	CheckSource *bool `json:"check_source,omitempty"`
	// ExpectedEverySeconds is how often a run of the job is expected to succeed, in
	// seconds; without a success for longer, the job is late. 0 means that nothing is
	// expected.
	ExpectedEverySeconds int64 `json:"expected_every_seconds,omitempty"`
}

// ChecksSource reports whether the job's table is checked before the definition is saved.
// A job that runs after others is not checked, since they may create its table, and neither
// is one that is paused.
func (s JobSpec) ChecksSource() bool {
	paused := s.Schedule != nil && s.Schedule.Paused != nil && *s.Schedule.Paused
	return s.CheckSource != nil && *s.CheckSource && s.Schedule != nil && !paused && len(s.After) == 0 && !s.ManagedBy.IsLytics()
}

// Kind returns the kind of the job.
func (s JobSpec) Kind() Kind {
	if s.Export != nil {
		return KindAudienceExport
	}
	return KindTableImport
}

// Job is a registered JobSpec.
type Job struct {
	ID string `json:"id"`
	JobSpec
	// Lytics is the state in the Lytics account; nil for a job that this provider
	// executes.
	Lytics *LyticsState `json:"lytics,omitempty"`
	// NextRunAt is the time of the next planned run; nil if the job has no
	// schedule or is paused. For a job that Lytics executes it is the time at
	// which Lytics starts it next.
	NextRunAt *time.Time `json:"next_run_at,omitempty"`
	// Paused is whether the schedule is paused, by the definition or by PauseJob.
	Paused  bool `json:"paused"`
	LastRun *Run `json:"last_run,omitempty"`
	// LastSuccessAt is the end of the newest successful run that the store has.
	LastSuccessAt *time.Time `json:"last_success_at,omitempty"`
	CreatedAt     time.Time  `json:"created_at"`
	UpdatedAt     time.Time  `json:"updated_at"`
}

// DefaultStream returns the stream of an import that names none.
func DefaultStream(catalog, database, table string) string {
	return "databricks_" + catalog + "_" + database + "_" + table
}

// ExportTable returns the table of an export that names none.
func ExportTable(audienceSlug string) string { return "lytics_user_" + audienceSlug }

// DefaultQueryTimeout is the QueryTimeout of a job that sets none.
const DefaultQueryTimeout = 60 * time.Minute

// Check refuses a definition that no deployment can execute: one that is neither an
// import nor an export, one that is both, an import whose condition is more than one
// condition, one whose events of deleted rows would name none, an export whose
// max_shrink_percent is no percentage, and an expected_every that is out of bounds.
func (s JobSpec) Check() error {
	if s.Import != nil && s.Export == nil {
		return errors.Join(s.Import.CheckWhere(), s.Import.CheckDeletes(), s.checkExpectedEvery())
	}
	if s.Import == nil && s.Export != nil {
		return errors.Join(s.Export.checkShrink(), s.checkExpectedEvery())
	}
	detail := "It has neither import nor export, so that there is nothing to move."
	if s.Import != nil {
		detail = "It has both import and export."
	}
	return Invalid("", "The job's definition is invalid", detail, "Give exactly one of import and export")
}

func (e AudienceExport) checkShrink() error {
	if p := e.MaxShrinkPercent; p != nil && (*p < 0 || *p > 100) {
		return Invalid("max_shrink_percent", "max_shrink_percent is not a percentage", fmt.Sprintf("It is %d.", *p), "Give a number "+
			"from 0 to 100")
	}
	return nil
}

// Key identifies what a job moves, independent of the resource that declares
// it. The cursor of an import belongs to its key, so an import that was deleted
// and created again continues where it stopped.
func Key(host string, s JobSpec) string {
	host = strings.ToLower(strings.TrimSuffix(host, "/"))
	if e := s.Export; e != nil && s.ManagedBy.IsLytics() {
		// Lytics names the table itself.
		return joinKey("lytics-export", host, e.Catalog, e.Database, e.AudienceID)
	}
	if e := s.Export; e != nil {
		return joinKey("export", host, e.Catalog, e.Database, e.TableName)
	}
	i := s.Import
	return joinKey("import", host, i.Catalog, i.Database, i.Table, i.TimestampColumn, i.Stream)
}

// joinKey escapes the separator, so that ("a|b", "c") and ("a", "b|c") have
// different keys.
func joinKey(parts ...string) string {
	r := strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	for i, p := range parts {
		parts[i] = r.Replace(p)
	}
	return strings.Join(parts, "|")
}
