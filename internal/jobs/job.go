package jobs

import (
	"strings"
	"time"
)

// Kind tells the two movements apart.
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
	// RecordTimestampColumn is the event's own time; empty means the
	// timestamp column.
	RecordTimestampColumn string `json:"record_timestamp_column,omitempty"`
	// Since is exclusive; nil reads from the beginning.
	Since  *time.Time `json:"since,omitempty"`
	Stream string     `json:"stream"`
	// KeyColumns name a row within one timestamp; empty leaves the order of
	// equal timestamps to row tracking or to a digest of the row.
	KeyColumns []string `json:"key_columns,omitempty"`
	// Columns are the only ones an event has; ExcludeColumns those it has not.
	// At most one of the two is set; neither means all.
	Columns        []string `json:"columns,omitempty"`
	ExcludeColumns []string `json:"exclude_columns,omitempty"`
	// Where is a SQL predicate over the table's columns.
	Where string `json:"where,omitempty"`
	// Lookback is how far below the watermark late commits are looked for; nil
	// means DefaultLookback, 0 looks at the watermark alone.
	Lookback         *time.Duration   `json:"lookback_ns,omitempty"`
	NullTimestamps   NullTimestamps   `json:"null_timestamps,omitempty"`
	FutureTimestamps FutureTimestamps `json:"future_timestamps,omitempty"`
	// BatchSize is the most events committed at once; 0 means the importer's
	// own measure.
	BatchSize int64 `json:"batch_size,omitempty"`
	// RowLimit bounds the events of one run; the next one goes on. 0 means all.
	RowLimit int64 `json:"row_limit,omitempty"`
	// ScratchSchema is "catalog.database", where a source without history may
	// be copied to; empty means a temporary table of the session.
	ScratchSchema string `json:"scratch_schema,omitempty"`
	// FullRefresh is any text; a change begins a new generation, that sends
	// every row again.
	FullRefresh string `json:"full_refresh,omitempty"`
}

// DefaultLookback is how far below the watermark an import looks that says
// nothing.
const DefaultLookback = 24 * time.Hour

// NullTimestamps says what becomes of rows without a timestamp.
type NullTimestamps string

// The policies for rows without a timestamp. Empty is NullSkip.
const (
	NullSkip        NullTimestamps = "skip"
	NullError       NullTimestamps = "error"
	NullIncludeOnce NullTimestamps = "include_once"
)

// FutureTimestamps says what becomes of rows later than the warehouse's clock.
type FutureTimestamps string

// The policies for rows of the future. Empty is FutureDefer.
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
	// TableName is the target; by default ExportTable(slug).
	TableName string `json:"table_name"`
	// Fields to export, in this order; empty means all.
	Fields            []string `json:"fields,omitempty"`
	OverwriteExisting bool     `json:"overwrite_existing,omitempty"`
	// ColumnTypes says where the table's types come from.
	ColumnTypes ColumnTypes `json:"column_types,omitempty"`
	Format      FileFormat  `json:"format,omitempty"`
	Compression Compression `json:"compression,omitempty"`
	// ScratchSchema is "catalog.database", where the table is loaded before it
	// replaces the target; empty means the target's own.
	ScratchSchema string `json:"scratch_schema,omitempty"`
}

// ColumnTypes says where an exported table's types come from.
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

// DefaultCompression is that of a format.
func DefaultCompression(f FileFormat) Compression {
	if f == FormatParquet {
		return CompressionZstd
	}
	return CompressionGzip
}

// CheckFiles refuses what no staged file can be.
func (e AudienceExport) CheckFiles() error {
	switch {
	case e.Format == FormatParquet && e.ColumnTypes == ColumnTypesInferred:
		return Invalid("column_types", "The types of a Parquet file are not inferred",
			"A Parquet file says what its columns are.", "Leave column_types out, or set format = \"csv\"")
	case e.Format != FormatParquet && e.Compression == CompressionZstd:
		return Invalid("compression", "A CSV file is not compressed with zstd",
			"COPY INTO unpacks CSV files that are compressed with gzip.", "Set compression to \"gzip\" or \"none\", or format to \"parquet\"")
	}
	return nil
}

// JobSpec is a job as declared: exactly one of Import and Export is set.
type JobSpec struct {
	Label           string `json:"label"`
	Description     string `json:"description,omitempty"`
	AuthorizationID string `json:"authorization_id"`
	// QueryTimeout bounds each statement at the warehouse; whole minutes.
	QueryTimeout time.Duration   `json:"query_timeout_ns"`
	Import       *TableImport    `json:"import,omitempty"`
	Export       *AudienceExport `json:"export,omitempty"`
	Schedule     *Schedule       `json:"schedule,omitempty"`
	// Triggers are kept so that a job imported into another state plans empty.
	Triggers map[string]string `json:"triggers,omitempty"`
	// FailOnError is how Terraform treats a failed run; kept here so that an
	// import into another state plans empty.
	FailOnError bool `json:"fail_on_error"`
	// After are ids of jobs: this one runs when all of them have succeeded
	// since its own last run began.
	After []string `json:"after,omitempty"`
	// Wait nil or true has apply follow the run it starts.
	Wait *bool `json:"wait,omitempty"`
}

// Kind tells which movement the definition describes.
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
	// NextRunAt is the next planned run; nil without a schedule or paused.
	NextRunAt *time.Time `json:"next_run_at,omitempty"`
	// Paused is the state in force: the definition's, or an operator's.
	Paused    bool      `json:"paused"`
	LastRun   *Run      `json:"last_run,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// DefaultStream is the stream of an import that names none.
func DefaultStream(catalog, database, table string) string {
	return "databricks_" + catalog + "_" + database + "_" + table
}

// ExportTable is the table of an export that names none.
func ExportTable(audienceSlug string) string { return "lytics_user_" + audienceSlug }

// DefaultQueryTimeout bounds a statement of a job that says nothing.
const DefaultQueryTimeout = 60 * time.Minute

// Key identifies what a job moves, whatever resource declares it. The cursor
// of an import belongs to its key, so that deleting and creating the resource
// goes on where it was.
func Key(host string, s JobSpec) string {
	host = strings.ToLower(strings.TrimSuffix(host, "/"))
	if e := s.Export; e != nil {
		return joinKey("export", host, e.Catalog, e.Database, e.TableName)
	}
	i := s.Import
	return joinKey("import", host, i.Catalog, i.Database, i.Table, i.TimestampColumn, i.Stream)
}

// joinKey cannot confuse ("a|b", "c") with ("a", "b|c").
func joinKey(parts ...string) string {
	r := strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	for i, p := range parts {
		parts[i] = r.Replace(p)
	}
	return strings.Join(parts, "|")
}
