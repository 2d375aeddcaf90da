package importer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"regexp"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// warehouse is the source at a Databricks SQL warehouse, in one session.
type warehouse struct {
	wh   *databricks.Warehouse
	spec jobs.TableImport
}

func (w *warehouse) name() jobs.TableName {
	return jobs.TableName{Catalog: w.spec.Catalog, Database: w.spec.Database, Table: w.spec.Table}
}

func (w *warehouse) latestVersion(ctx context.Context) (int64, bool, error) {
	return w.wh.LatestVersion(ctx, w.name())
}

func (w *warehouse) columns(ctx context.Context, version *int64) ([]SourceColumn, error) {
	var found []jobs.ColumnInfo
	var err error
	if version == nil {
		found, err = w.wh.TableColumns(ctx, w.name())
	} else {
		var from string
		if from, err = databricks.QuoteTable(w.name()); err != nil {
			return nil, err
		}
		found, err = w.wh.QueryColumns(ctx, fmt.Sprintf("SELECT * FROM %s VERSION AS OF %d", from, *version))
		err = w.classify(err)
	}
	out := make([]SourceColumn, len(found))
	for i, c := range found {
		out[i] = SourceColumn{Name: c.Name, Type: c.Type}
	}
	return out, err
}

var (
	// snapshotGoneClass matches the error classes of a version, or of files of it,
	// that VACUUM removed. snapshotGoneText matches the messages of releases whose
	// errors have no class.
	snapshotGoneClass = regexp.MustCompile(
		`^(DELTA_VERSION_NOT_FOUND\w*|VERSION_NOT_FOUND\w*|DELTA_UNSUPPORTED_TIME_TRAVEL_BEYOND\w*|DELTA_TIME_TRAVEL_BEYOND\w*|DELTA_FILE_NOT_FOUND\w*|DELTA_TRUNCATED_TRANSACTION_LOG|DELTA_LOG_FILE_NOT_FOUND\w*|DELTA_NO_COMMITS_FOUND|FAILED_READ_FILE|FILE_NOT_EXIST|CLOUD_FILE_SOURCE_FILE_NOT_FOUND)\b`,
	)
	snapshotGoneText = regexp.MustCompile(
		`(?i)cannot time travel delta table to version|no reproducible commits|FileNotFoundException|file .{0,300}does not exist|FILE_NOT_EXIST`,
	)
	// noTimeTravelClass matches the error classes of tables with row filters or
	// column masks, and of shares without history.
	noTimeTravelClass = regexp.MustCompile(`(?i)TIME_TRAVEL|ROW_COLUMN_SECURITY|ROW_FILTER|COLUMN_MASK|DELTA_SHARING`)
)

// classify adds errSnapshotGone or errNoHistory to the errors that mean it.
func (w *warehouse) classify(err error) error {
	e, ok := errors.AsType[*databricks.StatementError](err)
	switch {
	case !ok:
		return err
	case snapshotGoneClass.MatchString(e.Class), snapshotGoneText.MatchString(e.Message):
		return errors.Join(err, errSnapshotGone)
	case noTimeTravelClass.MatchString(e.Class):
		return errors.Join(err, errNoHistory)
	}
	return err
}

// conditionClass matches the error classes of an expression in a statement, such
// as the definition's where.
var conditionClass = regexp.MustCompile(
	`^(UNRESOLVED_|PARSE_|DATATYPE_MISMATCH|INVALID_|MISSING_|AMBIGUOUS_|CAST_|DIVIDE_|WRONG_NUM_ARGS|UNSUPPORTED_EXPR|FILTER_NOT_BOOLEAN)`,
)

func (w *warehouse) count(ctx context.Context, s snapshot, q countQuery) (counts, error) {
	r, err := s.relation()
	if err != nil {
		return counts{}, err
	}
	c, err := w.queryCounts(ctx, countStatement(r, q))
	err = w.classify(err)
	e, ok := errors.AsType[*databricks.StatementError](err)
	if ok && r.where != "" && conditionClass.MatchString(e.Class) && !errors.Is(err, errSnapshotGone) {
		return c, &jobs.Error{Code: jobs.CodeInvalid, Attribute: "where",
			Summary: fmt.Sprintf("The warehouse refused the condition of the import of %s", s.table.name),
			Detail:  e.Message, Next: "Correct where: it is a condition of Databricks SQL over the table's columns", Err: err}
	}
	return c, err
}

func (w *warehouse) queryCounts(ctx context.Context, statement string) (counts, error) {
	rows, err := w.wh.Query(ctx, statement)
	if err != nil {
		return counts{}, err
	}
	defer func() { _ = rows.Close() }()
	var c counts
	var clock, first, last, futureLast sql.NullInt64
	for rows.Next() {
		if err := rows.Scan(&clock, &c.rows, &first, &last, &c.future, &futureLast, &c.nulls, &c.window); err != nil {
			return counts{}, err
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return counts{}, err
	}
	if !clock.Valid {
		return counts{}, &jobs.Error{Code: jobs.CodeFailed, Summary: fmt.Sprintf("The warehouse returned no counts for %s", w.name()),
			Detail: "The query that counts the rows to import returned no row.", Next: "Run the job again"}
	}
	c.upper, c.first, c.last, c.futureLast = clock.Int64, first.Int64, last.Int64, futureLast.Int64
	return c, nil
}

func (w *warehouse) histogram(ctx context.Context, s snapshot, from, width, to int64) ([]slice, error) {
	r, err := s.relation()
	if err != nil {
		return nil, err
	}
	var out []slice
	for batch, err := range w.wh.Batches(ctx, histogramStatement(r, from, width, to)) {
		if err != nil {
			return nil, w.classify(err)
		}
		var columns [3][]int64
		for i := range columns {
			if columns[i], err = batch.Int64s(i); err != nil {
				return nil, err
			}
		}
		for i := range columns[0] {
			out = append(out, slice{columns[0][i], columns[1][i], columns[2][i]})
		}
	}
	return out, nil
}

func (w *warehouse) rows(ctx context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		statement, err := rowsStatement(s, q)
		if err != nil {
			yield(nil, err)
			return
		}
		for b, err := range w.wh.Batches(ctx, statement) {
			if !yield(b, w.classify(err)) {
				return
			}
		}
	}
}

// copy creates a table of what the queries read, and not of the source's columns:
// a view may have column names that no table can have, and each row is converted
// to JSON once.
func (w *warehouse) copy(ctx context.Context, t *table, name string, from int64) (snapshot, error) {
	s, statement, err := copyStatement(t, name, from)
	if err != nil {
		return snapshot{}, err
	}
	if err := w.wh.ExecIdempotent(ctx, statement); err != nil {
		return s, w.copyRefused(t, name, err)
	}
	return s, nil
}

// copyStatement is the statement that copies a table, and the snapshot that the
// copy is.
func copyStatement(t *table, name string, from int64) (snapshot, string, error) {
	plain, err := snapshot{table: t}.relation()
	if err != nil {
		return snapshot{}, "", err
	}
	selected := rowsQuery{}.selected(plain)
	for i, k := range plain.keys {
		selected += ", " + k + " AS " + copiedKey(i)
	}
	var where []string
	if from != math.MinInt64 {
		where = []string{"(" + plain.ts + " IS NULL OR " + and(plain.within(from, math.MaxInt64)) + ")"}
	}
	query := "SELECT " + selected + " FROM " + plain.from + plain.filter(where...)
	s := snapshot{table: t, copied: name, label: "copy " + strings.ReplaceAll(name, "`", "")}
	create := "CREATE OR REPLACE TABLE "
	if name == "" {
		s.copied, s.label = temporaryCopy, "temporary copy"
		create = "CREATE TEMPORARY TABLE "
	}
	return s, create + s.copied + " AS " + query, nil
}

// temporaryCopy is the name of the temporary copy in its session.
const temporaryCopy = "lytics_copy"

// copyRefused names the grant that is missing, or another way to copy.
func (w *warehouse) copyRefused(t *table, name string, err error) error {
	e, ok := errors.AsType[*databricks.StatementError](err)
	if !ok || jobs.IsCode(err, jobs.CodeTimeout) || jobs.IsCode(err, jobs.CodeCancelled) {
		return err
	}
	out := &jobs.Error{Code: jobs.CodeInvalid, Attribute: "scratch_schema", Detail: e.Message, Err: err,
		Summary: fmt.Sprintf("%s has no versions to read, and cannot be copied", t.name)}
	if name == "" {
		out.Detail += ". This warehouse creates no temporary tables, or not for this user"
		out.Next = "Set scratch_schema to a schema for copies, and grant on it: " +
			"GRANT USE SCHEMA, CREATE TABLE ON SCHEMA <catalog>.<schema> TO `<user or service principal>`"
		return out
	}
	schema := name[:strings.LastIndex(name, ".`")]
	if jobs.IsCode(err, jobs.CodeForbidden) {
		out.Code = jobs.CodeForbidden
	}
	out.Next = fmt.Sprintf("Grant the rights to create the copy: GRANT USE SCHEMA, CREATE TABLE ON SCHEMA %s "+
		"TO `<user or service principal>`; GRANT USE CATALOG on its catalog", schema)
	return out
}

func (w *warehouse) drop(ctx context.Context, name string) error {
	return w.wh.ExecIdempotent(ctx, "DROP TABLE IF EXISTS "+name)
}
