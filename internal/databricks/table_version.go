package databricks

import (
	"context"
	"fmt"
	"regexp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

var (
	// withoutHistory are the error classes of views, foreign tables and other
	// sources that keep no versions.
	withoutHistory = regexp.MustCompile(
		`^(EXPECT_TABLE_NOT_VIEW|EXPECT_PERMANENT_\w+|UNSUPPORTED_\w+|NOT_SUPPORTED\w*|DELTA_\w*ONLY_OPERATION|DELTA_NOT_A_DELTA_TABLE|DELTA_MISSING_DELTA_TABLE|DELTA_SHARING\w*|\w*MATERIALIZED_VIEW\w*|\w*STREAMING_TABLE\w*|FOREIGN_\w+|OPERATION_NOT_SUPPORTED\w*)\b`,
	)
	// Messages of older releases have no class.
	withoutHistoryText = regexp.MustCompile(
		`(?i)only supported for delta tables|is not a delta table|not supported (on|for) (views?|foreign|temporary)`,
	)
)

// LatestVersion returns the latest version of a Delta table. ok is false for a source
// without versions, such as a view or a foreign table.
func (w *Warehouse) LatestVersion(ctx context.Context, table jobs.TableName) (version int64, ok bool, err error) {
	quoted, err := QuoteTable(table)
	if err != nil {
		return 0, false, err
	}
	rows, err := w.queryTexts(ctx, "DESCRIBE HISTORY "+quoted+" LIMIT 1")
	switch class := Class(err); {
	case err == nil:
	case class == "" && isStatementError(err) && withoutHistoryText.MatchString(err.Error()), withoutHistory.MatchString(class):
		return 0, false, nil
	case isStatementError(err):
		return 0, false, w.explain(ctx, err, table)
	default:
		return 0, false, err
	}
	if len(rows) == 0 {
		return 0, false, nil
	}
	if _, err := fmt.Sscan(rows[0][0], &version); err != nil {
		return 0, false, fmt.Errorf("reading the version %q of %s: %w", rows[0][0], quoted, err)
	}
	return version, true, nil
}

// QueryColumns returns the columns of a query's result, without executing the query.
func (w *Warehouse) QueryColumns(ctx context.Context, query string) ([]jobs.ColumnInfo, error) {
	rows, err := w.queryTexts(ctx, "DESCRIBE QUERY "+query)
	if err != nil {
		return nil, err
	}
	out := make([]jobs.ColumnInfo, len(rows))
	for i, row := range rows {
		out[i] = jobs.ColumnInfo{Name: row[0], Type: normalizeType(at(row, 1)), Nullable: true, Comment: at(row, 2), Position: i + 1}
	}
	return out, nil
}
