package databricks

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// IsNotApplicable reports that the warehouse refused a statement, and neither because a
// permission or the object is missing, nor because of a time-out or a cancellation. It
// answers so to DESCRIBE HISTORY of a view, of a foreign or shared table, and of a table
// with row filters or column masks. The error classes differ between the kinds and the
// releases, and some messages have none, so that no list of them is complete. A failure of
// the warehouse itself is no refusal.
func IsNotApplicable(err error) bool {
	return isStatementError(err) && jobs.IsCode(err, jobs.CodeFailed) && !IsServerFailure(err)
}

var (
	// failureState matches the SQLSTATE classes of failures of the server: of its connections
	// (08), resources (53) and operation (57), of the system (58), and internal ones (XX):
	// https://docs.databricks.com/error-messages/sqlstates.html
	failureState = regexp.MustCompile(`^(08|53|57|58|XX)`)
	// failureText matches messages without a class, of Spark tasks that failed and of the
	// Java virtual machine.
	failureText = regexp.MustCompile(`(?i)\bjob aborted\b|\bstage failure\b|OutOfMemoryError|StackOverflowError|\bTEMPORARILY_UNAVAILABLE\b`)
)

// IsServerFailure reports that the warehouse failed while it executed a statement, such as by
// an internal error or for lack of memory. The error tells nothing about the objects in the
// statement, which may succeed the next time.
func IsServerFailure(err error) bool {
	e, ok := errors.AsType[*StatementError](err)
	return ok && e.isServerFailure()
}

func (e *StatementError) isServerFailure() bool {
	return failureState.MatchString(e.SQLState) || strings.HasPrefix(e.Class, "INTERNAL_ERROR") ||
		e.Class == "" && failureText.MatchString(e.Message)
}

// TableKind is what information_schema says that a table is.
type TableKind struct {
	// Type is MANAGED, EXTERNAL, VIEW, MATERIALIZED_VIEW, STREAMING_TABLE, FOREIGN or a
	// shallow clone, and Format DELTA, ICEBERG, DELTASHARING, CSV or another one. Both are
	// in upper case, and empty if information_schema does not know the table.
	Type, Format string
}

// Kind returns what a table is.
func (w *Warehouse) Kind(ctx context.Context, table jobs.TableName) (TableKind, error) {
	catalog, err := Quote(table.Catalog)
	if err != nil {
		return TableKind{}, err
	}
	rows, err := w.informationSchema(ctx, table.Catalog, "SELECT table_type, data_source_format FROM "+catalog+
		".information_schema.tables WHERE table_schema = ? AND table_name = ?",
		strings.ToLower(table.Database), strings.ToLower(table.Table))
	if errors.Is(err, errNoInformation) || err == nil && len(rows) == 0 {
		return TableKind{}, nil
	}
	if err != nil {
		return TableKind{}, err
	}
	kind := TableKind{Type: strings.ToUpper(at(rows[0], 0)), Format: strings.ToUpper(at(rows[0], 1))}
	if kind.Format == "UNKNOWN_DATA_SOURCE_FORMAT" {
		kind.Format = ""
	}
	return kind, nil
}

// kindsWithoutVersions are the types of information_schema.tables whose rows no version can
// name: https://docs.databricks.com/sql/language-manual/information-schema/tables.html.
var kindsWithoutVersions = []string{"VIEW", "MATERIALIZED_VIEW", "METRIC_VIEW"}

// formatsWithVersions are the formats of information_schema.tables that may have versions.
// A table of another format, such as CSV, or of another database, has none.
var formatsWithVersions = []string{"DELTA", "ICEBERG", "DELTASHARING", ""}

// hasVersions reports whether a source of this kind may have versions. Of an unknown kind,
// the answer to DESCRIBE HISTORY decides.
func (k TableKind) hasVersions() bool {
	return !slices.Contains(kindsWithoutVersions, k.Type) && slices.Contains(formatsWithVersions, k.Format)
}

// LatestVersion returns the commit of a table's latest version. ok is false for a source without
// versions: one whose type or format has none, such as a view or a table of CSV files, and
// one whose history the warehouse refuses to read, such as a masked or a shared table.
func (w *Warehouse) LatestVersion(ctx context.Context, table jobs.TableName) (latest Commit, ok bool, err error) {
	if kind, err := w.Kind(ctx, table); err != nil || !kind.hasVersions() {
		return Commit{}, false, err
	}
	commits, err := w.LatestCommits(ctx, table, 1)
	switch {
	case err == nil && len(commits) > 0:
		return commits[0], true, nil
	case IsNotApplicable(err):
		return Commit{}, false, nil
	case isStatementError(err):
		return Commit{}, false, w.explain(ctx, err, table)
	}
	return Commit{}, false, err
}

// QueryColumns returns the columns of a query's result, without executing the query.
func (w *Warehouse) QueryColumns(ctx context.Context, query string) ([]jobs.ColumnInfo, error) {
	rows, err := w.QueryTexts(ctx, "DESCRIBE QUERY "+query)
	if err != nil {
		return nil, err
	}
	out := make([]jobs.ColumnInfo, len(rows))
	for i, row := range rows {
		out[i] = jobs.ColumnInfo{Name: row[0], Type: normalizeType(at(row, 1)), Nullable: true, Comment: at(row, 2), Position: i + 1}
	}
	return out, nil
}
