package exporter

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// maxCopyFiles is the largest number of names in COPY INTO's FILES.
const maxCopyFiles = 1000

// loadFiles creates the load table, fills it with the staged files and counts its
// rows. It returns the table's columns.
func (e *Export) loadFiles(ctx context.Context, s *stagedFiles, before existingTable) ([]column, error) {
	e.Progress.Phase("loading with COPY INTO", s.rows)
	// Without rows no types can be inferred, so the declared types are used.
	inferred := s.layout.inferred && s.rows > 0
	create := e.createLoadTable(s.layout.columns, inferred, before)
	if err := e.execRepeatable(ctx, create); err != nil {
		return nil, err
	}
	slices.Sort(s.files)
	for files := range slices.Chunk(s.files, maxCopyFiles) {
		if err := e.copyInto(ctx, s.layout, files); err != nil {
			return nil, err
		}
	}
	loaded, err := e.countRows(ctx, e.loadSQL)
	if err != nil {
		return nil, err
	}
	if loaded != s.rows {
		return nil, &jobs.Error{
			Code:    jobs.CodeFailed,
			Summary: fmt.Sprintf("%d profiles were written to staging and %d rows were loaded", s.rows, loaded),
			Detail:  fmt.Sprintf("%s was not changed.", e.target()),
			Next:    "Run the job again; if it happens again, look at the run's COPY INTO in the warehouse's query history",
		}
	}
	e.Progress.Advance(loaded)
	if inferred {
		return e.inferredColumns(ctx)
	}
	return s.layout.columns, nil
}

// createLoadTable is the statement that creates the load table. No other table has this name,
// so IF NOT EXISTS finds a table only if the statement is executed twice. OR REPLACE would keep
// the table's record of loaded files, and does not accept a table without columns.
func (e *Export) createLoadTable(columns []column, inferred bool, before existingTable) string {
	definition := ""
	if !inferred {
		definitions := make([]string, len(columns))
		for i, c := range columns {
			definitions[i] = c.sql + " " + c.sqlType
		}
		definition = " (" + strings.Join(definitions, ", ") + ")"
	}
	return "CREATE TABLE IF NOT EXISTS " + e.loadSQL + definition + e.loadProperties(columns, before)
}

// copyInto loads some of the files. Each attempt gets a new credential, which expires
// after the statement's end.
func (e *Export) copyInto(ctx context.Context, l layout, files []string) error {
	return e.inSession(ctx, func(wh *databricks.Warehouse) error {
		timeout := cmp.Or(e.QueryTimeout, jobs.DefaultQueryTimeout)
		credential, err := e.Staging.CopyCredential(ctx, e.runPrefix(e.name), timeout)
		if err != nil {
			return err
		}
		limit, err := boundStatement(ctx, wh, credential.Expires, timeout)
		if err != nil {
			return err
		}
		statement, err := e.copyStatement(l, files, credential)
		if err != nil {
			return err
		}
		bounded := databricks.WithStatementTimeout(databricks.WithSecrets(ctx, credential.Secrets()...), limit)
		err = wh.ExecIdempotent(bounded, statement)
		if err == nil && limit < timeout {
			err = wh.SetStatementTimeout(ctx, timeout)
		}
		return nameMissingGrant(err, credential)
	})
}

// nameMissingGrant adds the missing GRANT on a storage credential or external location to
// the error of a forbidden COPY INTO.
func nameMissingGrant(err error, credential staging.CopyCredential) error {
	e, ok := errors.AsType[*jobs.Error](err)
	switch {
	case !ok || e.Code != jobs.CodeForbidden:
	case credential.Location != "":
		e.Attribute = "staging.s3.external_location"
		e.Next = "GRANT READ FILES ON EXTERNAL LOCATION `" + credential.Location + "` to the token's user or service principal"
	case credential.Name != "":
		e.Attribute = "staging.s3.credential"
		e.Next = "GRANT READ FILES ON STORAGE CREDENTIAL `" + credential.Name + "` to the token's user or service principal"
	}
	return err
}

// expiryMargin is the minimum time between the end of a statement and the expiry of its
// keys.
const expiryMargin = 5 * time.Minute

// boundStatement returns the timeout of a statement with the keys. It sets a shorter one in
// the session if they may expire before the query timeout. The warehouse then stops the
// statement before the keys expire.
func boundStatement(ctx context.Context, wh *databricks.Warehouse, expires time.Time, timeout time.Duration) (time.Duration, error) {
	left := time.Until(expires) - expiryMargin
	if expires.IsZero() || left >= timeout {
		return timeout, nil
	}
	left = max(left, time.Second)
	return left, wh.SetStatementTimeout(ctx, left)
}

// inferredColumns returns the columns that COPY INTO inferred from the files.
func (e *Export) inferredColumns(ctx context.Context) (columns []column, err error) {
	scratch, err := e.scratch()
	if err != nil {
		return nil, err
	}
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		found, err := wh.TableColumns(ctx, scratch.name(e.name))
		if err != nil {
			return err
		}
		columns = columns[:0]
		for _, c := range found {
			quoted, err := databricks.Quote(c.Name)
			if err != nil {
				return err
			}
			columns = append(columns, column{c.Name, quoted, c.Type})
		}
		return nil
	})
	return columns, err
}

// copyStatement loads files with the options under which Apache Spark 4.0 reads
// back every value exactly. Without lineSep, its reader takes the first line end
// of a file for the separator, also inside quotes: a CRLF in the first value
// would merge records without an error. Without charToEscapeQuoteEscaping, it
// takes NUL for that character and drops it from values with quotes. Without
// force, a statement that is sent twice loads its files once.
func (e *Export) copyStatement(l layout, files []string, credential staging.CopyCredential) (string, error) {
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = databricks.Literal(f)
	}
	source := databricks.Literal(e.Staging.URL(e.runPrefix(e.name)))
	with, err := credentialSQL(credential)
	if err != nil {
		return "", err
	}
	if with != "" {
		source += " WITH (" + with + ")"
	}
	if !l.inferred {
		source = "(SELECT " + selectByPosition(l) + " FROM " + source + ")"
	}
	format, options, copying := "CSV", "", "'force' = 'false'"
	switch {
	case l.format == jobs.FormatParquet:
		format = "PARQUET"
	case l.inferred:
		options = csvOptions(l) + ", 'header' = 'true', 'inferSchema' = 'true', 'mergeSchema' = 'true'"
		copying += ", 'mergeSchema' = 'true'"
	default:
		options = csvOptions(l)
	}
	if options != "" {
		options = "\nFORMAT_OPTIONS (" + options + ")"
	}
	return fmt.Sprintf("COPY INTO %s FROM %s FILEFORMAT = %s FILES = (%s)%s\nCOPY_OPTIONS (%s)",
		e.loadSQL, source, format, strings.Join(names, ", "), options, copying), nil
}

// selectByPosition selects a file's columns by their position, and converts them to the
// columns of the table.
func selectByPosition(l layout) string {
	selected := make([]string, len(l.columns))
	for i, c := range l.columns {
		name := fmt.Sprintf("_c%d", i)
		if l.format == jobs.FormatParquet {
			name = parquetName(i)
		}
		selected[i] = fmt.Sprintf("%s::%s AS %s", name, c.sqlType, c.sql)
	}
	return strings.Join(selected, ", ")
}

// csvOptions are the format options of CSV files; see copyStatement.
func csvOptions(l layout) string {
	return fmt.Sprintf(`'multiLine' = 'true', 'lineSep' = '\n', 'quote' = '"', 'escape' = '"', 'charToEscapeQuoteEscaping' = '"', `+
		`'nullValue' = %s, 'encoding' = 'UTF-8', 'mode' = 'FAILFAST', 'maxColumns' = '%d'`,
		databricks.Literal(l.null), max(20480, len(l.columns)+1))
}

// credentialSQL is the credential clause of COPY INTO: a named credential, keys, or
// nothing.
func credentialSQL(c staging.CopyCredential) (string, error) {
	switch {
	case c.Name != "":
		name, err := databricks.Quote(c.Name)
		return "CREDENTIAL " + name, err
	case c.AccessKeyID == "":
		return "", nil
	}
	return fmt.Sprintf("CREDENTIAL (AWS_ACCESS_KEY = %s, AWS_SECRET_KEY = %s, AWS_SESSION_TOKEN = %s)",
		databricks.Literal(c.AccessKeyID), databricks.Literal(c.SecretAccessKey.Reveal()), databricks.Literal(c.SessionToken.Reveal())), nil
}

// countRows counts the rows of a table, whose name is quoted.
func (e *Export) countRows(ctx context.Context, table string) (n int64, err error) {
	err = e.inSession(ctx, func(wh *databricks.Warehouse) error {
		rows, err := wh.Query(ctx, "SELECT count(*) FROM "+table)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			if err := rows.Scan(&n); err != nil {
				return err
			}
		}
		return errors.Join(rows.Err(), rows.Close())
	})
	return n, err
}

// loadProperties is the load table's TBLPROPERTIES clause.
func (e *Export) loadProperties(columns []column, before existingTable) string {
	all := map[string]string{ownerProperty: e.JobID}
	if needsColumnMapping(columns) || before.hasColumnMapping() {
		all[mappingProperty] = "name"
	}
	return tableProperties(all)
}
