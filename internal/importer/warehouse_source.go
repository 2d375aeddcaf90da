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

func (w *warehouse) latestVersion(ctx context.Context) (databricks.Commit, bool, error) {
	return w.wh.LatestVersion(ctx, w.name())
}

func (w *warehouse) commitsSince(ctx context.Context, version, latest int64) ([]databricks.Commit, error) {
	commits, err := w.wh.CommitsSince(ctx, w.name(), version, latest)
	if isRefused(w.classify(err)) {
		return nil, nil // the versions may be readable all the same
	}
	return commits, err
}

func (w *warehouse) layout(ctx context.Context) (layout, error) {
	d, err := w.wh.Detail(ctx, w.name())
	return layout{bytes: d.Bytes, files: d.Files, clustering: d.Clustering, partitions: d.Partitions}, err
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
		err = w.refusedVersion(err)
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
)

// classify adds errSnapshotGone to the errors of a version, or of files of it, that do not
// exist any more.
func (w *warehouse) classify(err error) error {
	e, ok := errors.AsType[*databricks.StatementError](err)
	if ok && (snapshotGoneClass.MatchString(e.Class) || snapshotGoneText.MatchString(e.Message)) {
		return errors.Join(err, errSnapshotGone)
	}
	return err
}

// refusedVersion adds errNoHistory to a statement's error at a version: whichever error it
// is, the source can still be copied, unless a permission or the source is missing, or time
// ran out.
func (w *warehouse) refusedVersion(err error) error {
	err = w.classify(err)
	if databricks.IsNotApplicable(err) && !errors.Is(err, errSnapshotGone) {
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
	var window int64
	c, err := w.queryCounts(ctx, countStatement(r, q), &window)
	c.window = window
	e, ok := errors.AsType[*databricks.StatementError](err)
	err = w.classify(err)
	if ok && r.where != "" && conditionClass.MatchString(e.Class) && !errors.Is(err, errSnapshotGone) {
		return c, &jobs.Error{Code: jobs.CodeInvalid, Attribute: "where",
			Summary: fmt.Sprintf("The warehouse refused the condition of the import of %s", s.table.name),
			Detail:  e.Message, Next: "Correct where: it is a condition of Databricks SQL over the table's columns", Err: err}
	}
	if s.version != nil {
		err = w.refusedVersion(err)
	}
	return c, err
}

func (w *warehouse) countChanges(ctx context.Context, s snapshot, q changeCountQuery) (changeCounts, error) {
	statement, err := countChangesStatement(s, q)
	if err != nil {
		return changeCounts{}, err
	}
	var c changeCounts
	c.counts, err = w.queryCounts(ctx, statement, &c.late, &c.nullsAdded, &c.removed, &c.removedAbove)
	return c, w.classify(err)
}

func (w *warehouse) checkFeed(ctx context.Context, s snapshot) error {
	query, _, err := s.changesQuery(changeRange{after: *s.version - 1}, func(relation) []string { return nil })
	if err != nil {
		return err
	}
	_, err = w.wh.QueryTexts(ctx, query+" LIMIT 0")
	return w.classify(err)
}

// queryCounts executes a query that counts rows in one row of an answer: the clock, the
// rows with the first and the last of their timestamps, those of the future with their
// last one, those without any, and what more is given.
func (w *warehouse) queryCounts(ctx context.Context, statement string, more ...*int64) (counts, error) {
	rows, err := w.wh.Query(ctx, statement)
	if err != nil {
		return counts{}, err
	}
	defer func() { _ = rows.Close() }()
	var c counts
	var clock, first, last, futureLast sql.NullInt64
	into := []any{&clock, &c.rows, &first, &last, &c.future, &futureLast, &c.nulls}
	for _, m := range more {
		into = append(into, m)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
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
		for b, err := range s.withDerivedColumns(w.wh.Batches(ctx, statement), q) {
			if err = w.classify(err); q.previous == nil {
				err = s.table.unwritable(err)
			}
			if !yield(b, err) {
				return
			}
		}
	}
}

// copy creates a table of what the queries read, and not of the source's columns:
// a view may have column names that no table can have, and each row is converted
// to JSON once.
func (w *warehouse) copy(ctx context.Context, of snapshot, name string, from int64) (snapshot, error) {
	s, statement, err := copyStatement(of, name, from)
	if err != nil {
		return snapshot{}, err
	}
	if err := w.wh.ExecIdempotent(ctx, statement); err != nil {
		return s, w.copyRefused(of.table, name, err)
	}
	return s, nil
}

// copyStatement is the statement that copies a snapshot, and the snapshot that the
// copy is.
func copyStatement(of snapshot, name string, from int64) (snapshot, string, error) {
	plain, err := of.relation()
	if err != nil {
		return snapshot{}, "", err
	}
	selected, _ := plain.withKeys(rowsQuery{}.selected(plain))
	var where []string
	if from != math.MinInt64 {
		where = []string{"(" + plain.ts + " IS NULL OR " + and(plain.within(from, math.MaxInt64)) + ")"}
	}
	query := "SELECT " + selected + " FROM " + plain.from + plain.filter(where...)
	s := snapshot{table: of.table, version: of.version, copied: name, copyDerivable: of.table.derivable()}
	s.label = labelOf(s)
	create, clustering := "CREATE OR REPLACE TABLE ", ""
	if of.version != nil {
		// CREATE TABLE AS SELECT clusters what it writes:
		// https://docs.databricks.com/delta/clustering.html.
		clustering = " CLUSTER BY (lytics_ts)"
	}
	if name == "" {
		s.copied, s.label = temporaryCopy, "temporary copy"
		create = "CREATE TEMPORARY TABLE "
	}
	return s, create + s.copied + clustering + " AS " + query, nil
}

// temporaryCopy is the name of the temporary copy in its session.
const temporaryCopy = "lytics_copy"

// copyRefused names the grant that is missing, or another way to copy.
func (w *warehouse) copyRefused(t *table, name string, err error) error {
	e, ok := errors.AsType[*databricks.StatementError](err)
	if !ok || jobs.IsCode(err, jobs.CodeTimeout) || jobs.IsCode(err, jobs.CodeCancelled) || databricks.IsServerFailure(err) {
		return err
	}
	if unwritable := t.unwritable(err); errors.Is(unwritable, errNoJSON) {
		return unwritable
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
