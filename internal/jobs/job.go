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
}

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
