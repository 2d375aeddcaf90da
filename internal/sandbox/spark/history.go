package spark

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/deltalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rewrite"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/rows"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// detailTypes are the types of nested columns of DESCRIBE HISTORY and DESCRIBE
// DETAIL. The server declares them as STRING.
var detailTypes = func() map[string]*types.Type {
	out := map[string]*types.Type{"statistics": types.MapOf(types.StringType, types.BigIntType)}
	for _, c := range slices.Concat(metadata.DescribeHistory, metadata.DescribeDetail) {
		out[c.Name] = c.Type
	}
	return out
}()

// history executes DESCRIBE HISTORY and DESCRIBE DETAIL. The server prints their
// maps in a form that cannot be parsed, so the maps are read from the table's log.
func (s *session) history(ctx context.Context, st *rewrite.Statement, what string) (warehouse.Result, error) {
	op, err := s.hive.Execute(ctx, st.Text)
	if err != nil {
		return nil, s.databricksError(err, st)
	}
	defer s.closeOperation(op)
	columns, values, err := s.readAll(ctx, op)
	if err != nil {
		return nil, s.databricksError(err, st)
	}
	t := st.Tables[0]
	dir := s.engine.tableDir(t.Catalog, t.Schema, t.Name)
	for i, c := range columns {
		if kind := detailTypes[c.Name]; kind != nil {
			columns[i].Type = kind
		}
	}
	for _, row := range values {
		facts, err := logFactsOf(dir, what, columns, row)
		if err != nil {
			return nil, err
		}
		for i, c := range columns {
			if row[i], err = s.historyValue(c, row[i], facts); err != nil {
				return nil, fmt.Errorf("%s: column %s: %w", st.Text, c.Name, err)
			}
		}
	}
	return fixedresult.New(columns, values)
}

// logFacts maps columns to values from the table's log, which replace the server's.
type logFacts map[string]any

func logFactsOf(dir, what string, columns []fixedresult.Column, row []any) (logFacts, error) {
	if what == "DETAIL" {
		newest, _, err := deltalog.Newest(dir)
		if err != nil {
			return nil, err
		}
		return logFacts{"properties": newest.Properties}, nil
	}
	version, ok := row[0].(int64)
	if !ok || columns[0].Name != "version" {
		return nil, fmt.Errorf("DESCRIBE HISTORY has no version in its first column, but %v", row[0])
	}
	commit, err := deltalog.Read(dir, version)
	if err != nil {
		return nil, err
	}
	out := logFacts{"operationParameters": commit.Parameters, "operationMetrics": commit.Metrics}
	if strings.HasPrefix(commit.UserMetadata, copyCommitPrefix) {
		out["operation"], out["userMetadata"] = "COPY INTO", nil
	}
	return out, nil
}

func (s *session) historyValue(c fixedresult.Column, value any, known logFacts) (any, error) {
	if v, ok := known[c.Name]; ok {
		return v, nil
	}
	text, ok := value.(string)
	switch {
	case !ok:
		if n, ok := value.(int64); ok && c.Type.Kind == types.Int {
			return int32(n), nil
		}
		return value, nil
	case c.Type.Kind == types.Timestamp:
		at, err := rows.Timestamp(text, s.location)
		return time.UnixMicro(at).UTC(), err
	case c.Type.Atomic():
		return s.engine.names.UserText(text), nil
	}
	var list []string
	if c.Type.Kind == types.Array {
		return list, json.Unmarshal([]byte(text), &list)
	}
	return nil, nil //nolint:nilnil // job, notebook and statistics exist only in Databricks
}

// insert executes a statement that adds rows, and returns their number.
func (s *session) insert(ctx context.Context, st *rewrite.Statement) (warehouse.Result, error) {
	began := time.Now().Truncate(time.Millisecond) // the resolution of commit times
	if _, err := s.queryTexts(ctx, st.Text); err != nil {
		return nil, s.databricksError(err, st)
	}
	if len(st.Tables) == 0 {
		return fixedresult.Empty(), nil
	}
	t := st.Tables[0]
	commit, err := s.lastCommit(ctx, t, began)
	if err != nil {
		return nil, err
	}
	if commit == nil {
		return fixedresult.Empty(), nil
	}
	inserted, err := metric(commit, "numOutputRows")
	if err != nil {
		return nil, err
	}
	return fixedresult.Counts([]string{"num_affected_rows", "num_inserted_rows"}, inserted, inserted)
}

// lastCommit returns the commit to t by the session's last statement; nil if the
// statement committed nothing.
func (s *session) lastCommit(ctx context.Context, t rewrite.Table, since time.Time) (*deltalog.Commit, error) {
	const setting = "spark.databricks.delta.lastCommitVersionInSession"
	found, err := s.queryTexts(ctx, "SET "+setting)
	if err != nil {
		return nil, s.databricksError(err, nil)
	}
	var version int64
	if _, err := fmt.Sscan(found[0][1], &version); err != nil {
		return nil, nil //nolint:nilerr,nilnil // "<undefined>": the session has committed nothing
	}
	commit, err := deltalog.Read(s.engine.tableDir(t.Catalog, t.Schema, t.Name), version)
	if err != nil || commit.At.Before(since) {
		return nil, nil //nolint:nilerr,nilnil // the commit was to another table, or by an earlier statement
	}
	return commit, nil
}

func metric(c *deltalog.Commit, name string) (n int64, err error) {
	if text := c.Metrics[name]; text != "" {
		if _, err := fmt.Sscan(text, &n); err != nil {
			return 0, fmt.Errorf("the metric %s of version %d is %q: %w", name, c.Version, text, err)
		}
	}
	return n, nil
}
