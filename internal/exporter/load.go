package exporter

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// copyFiles is the most names COPY INTO's FILES takes.
const copyFiles = 1000

// sqlType is the column type of a field. Collections travel as JSON.
func sqlType(f jobs.Field) string {
	switch f.Type {
	case "bool":
		return "BOOLEAN"
	case "int":
		return "BIGINT"
	case "number":
		return "DOUBLE"
	case "date":
		return "TIMESTAMP"
	default:
		return "STRING"
	}
}

// column is a column of the target: a field, its quoted name and its type.
type column struct{ name, sql, sqlType string }

// tableColumns turns fields into columns, and refuses what no Delta table can
// hold.
func tableColumns(fields []jobs.Field) ([]column, error) {
	if len(fields) == 0 {
		return nil, jobs.Invalid("fields", "The export has no columns", "The platform has no fields yet.", "Declare lytics_field and lytics_mapping resources first")
	}
	seen := map[string]string{}
	columns := make([]column, len(fields))
	for i, f := range fields {
		lower := strings.ToLower(f.ID)
		if other, ok := seen[lower]; ok {
			return nil, jobs.Invalid("fields", fmt.Sprintf("Fields %q and %q differ only by case", other, f.ID),
				"Databricks does not tell column names apart by case.", "Choose fields explicitly, with one of the two")
		}
		seen[lower] = f.ID
		quoted, err := databricks.Quote(f.ID)
		if err != nil {
			return nil, err
		}
		columns[i] = column{f.ID, quoted, sqlType(f)}
	}
	return columns, nil
}

// needsMapping reports names that Delta only takes with column mapping.
func needsMapping(columns []column) bool {
	return slices.ContainsFunc(columns, func(c column) bool { return strings.ContainsAny(c.name, " ,;{}()\n\t=") })
}

// loadFiles fills the run's own table and counts it.
func (e *Export) loadFiles(ctx context.Context, wh *databricks.Warehouse, columns []column, s *staged) error {
	e.Progress.Phase("loading with COPY INTO", s.rows)
	load, err := databricks.QuoteTable(e.load(e.RunID))
	if err != nil {
		return err
	}
	definitions := make([]string, len(columns))
	for i, c := range columns {
		definitions[i] = c.sql + " " + c.sqlType
	}
	if err := wh.ExecRepeatable(ctx, fmt.Sprintf("CREATE OR REPLACE TABLE %s (%s)%s", load, strings.Join(definitions, ", "), e.properties(needsMapping(columns)))); err != nil {
		return err
	}
	credential, err := e.Staging.CopyCredential(ctx)
	if err != nil {
		return err
	}
	copying := databricks.WithSecrets(ctx, credential.Secrets()...)
	for files := range slices.Chunk(s.files, copyFiles) {
		statement, err := e.copyStatement(load, columns, files, s.null, credential)
		if err != nil {
			return err
		}
		if err := wh.ExecRepeatable(copying, statement); err != nil {
			return err
		}
	}
	loaded, err := countRows(ctx, wh, load)
	if err != nil {
		return err
	}
	if loaded != s.rows {
		return &jobs.Error{
			Code:    jobs.CodeFailed,
			Summary: fmt.Sprintf("%d profiles were written to staging and %d rows were loaded", s.rows, loaded),
			Detail:  fmt.Sprintf("%s was left as it was.", e.target()),
			Next:    "Run the job again; if it happens again, look at the run's COPY INTO in the warehouse's query history",
		}
	}
	e.Progress.Advance(loaded)
	return nil
}

// copyStatement loads files with the options under which Apache Spark 4.0 reads
// back every value exactly. Without lineSep, its reader takes the first line end
// of a file for the separator, also inside quotes: a CRLF in the first value
// would merge records without an error. Without force, a statement that the driver sends
// twice loads its files once.
func (e *Export) copyStatement(load string, columns []column, files []string, null string, credential staging.CopyCredential) (string, error) {
	selected := make([]string, len(columns))
	for i, c := range columns {
		selected[i] = fmt.Sprintf("_c%d::%s AS %s", i, c.sqlType, c.sql)
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = databricks.Literal(f)
	}
	with, err := credentialSQL(credential)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`COPY INTO %s FROM (SELECT %s FROM %s WITH (%s)) FILEFORMAT = CSV FILES = (%s)
FORMAT_OPTIONS ('multiLine' = 'true', 'lineSep' = '\n', 'quote' = '"', 'escape' = '"', 'nullValue' = %s, 'encoding' = 'UTF-8', 'mode' = 'FAILFAST', 'maxColumns' = '%d')
COPY_OPTIONS ('force' = 'false')`,
		load, strings.Join(selected, ", "), databricks.Literal(e.Staging.URL(e.prefix(e.RunID))), with,
		strings.Join(names, ", "), databricks.Literal(null), max(20480, len(columns)+1)), nil
}

// credentialSQL is a named credential, or keys.
func credentialSQL(c staging.CopyCredential) (string, error) {
	if c.Name != "" {
		name, err := databricks.Quote(c.Name)
		return "CREDENTIAL " + name, err
	}
	text := fmt.Sprintf("AWS_ACCESS_KEY = %s, AWS_SECRET_KEY = %s", databricks.Literal(c.AccessKeyID), databricks.Literal(c.SecretAccessKey.Reveal()))
	if !c.SessionToken.Empty() {
		text += ", AWS_SESSION_TOKEN = " + databricks.Literal(c.SessionToken.Reveal())
	}
	return "CREDENTIAL (" + text + ")", nil
}

func countRows(ctx context.Context, wh *databricks.Warehouse, table string) (n int64, err error) {
	rows, err := wh.Query(ctx, "SELECT count(*) FROM "+table)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			return 0, err
		}
	}
	return n, errors.Join(rows.Err(), rows.Close())
}

// properties of a table of ours.
func (e *Export) properties(mapped bool) string {
	p := "'" + ownerProperty + "' = " + databricks.Literal(e.JobID)
	if mapped {
		p += ", 'delta.columnMapping.mode' = 'name'"
	}
	return " TBLPROPERTIES (" + p + ")"
}
