package duck

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/metadata"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// tableForHistory returns the table of a DESCRIBE HISTORY or DESCRIBE DETAIL, which do
// not take views.
func tableForHistory(env *bind.Env, parts []string, operation string) (*catalog.Table, error) {
	if len(parts) == 1 && env.TempViews[lower(parts[0])] != nil {
		return nil, sqlerror.New(
			"EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
			"42809",
			"'%s' expects a table but %s is a view.",
			operation,
			quoting.Name(parts...),
		)
	}
	tab, err := env.Table(parts)
	if err != nil {
		return nil, err
	}
	if tab.View != nil {
		return nil, notTableError(tab, operation)
	}
	return tab, nil
}

func (s *session) history(env *bind.Env, st *syntax.Describe) (warehouse.Result, error) {
	tab, err := tableForHistory(env, st.Name, "DESCRIBE HISTORY")
	if err != nil {
		return nil, err
	}
	if tab.Head().Governed() {
		return nil, sqlerror.PolicyNotSupported(tab.FullName(), "DESCRIBE_HISTORY",
			"Reading commit history is not supported for tables with row level security and column mask policies.")
	}
	limit := len(tab.Versions)
	if st.Limit != nil {
		n, err := strconv.Atoi(bind.Describe(st.Limit))
		if err != nil {
			return nil, sqlerror.New("PARSE_SYNTAX_ERROR", "42601", "Syntax error: LIMIT of DESCRIBE HISTORY must be a whole number.")
		}
		limit = min(limit, n)
	}
	var out [][]any
	for i := len(tab.Versions) - 1; i >= 0 && len(out) < limit; i-- {
		v := tab.Versions[i]
		var read any
		if v.N > 0 {
			read = v.N - 1
		}
		blind := v.Operation == "WRITE" && v.Parameters["mode"] == "Append" || v.Operation == "COPY INTO"
		out = append(
			out,
			[]any{
				v.N,
				v.At,
				"1000000000000001",
				v.User,
				v.Operation,
				v.Parameters,
				nil,
				nil,
				nil,
				read,
				"WriteSerializable",
				blind,
				v.Metrics,
				nil,
				"Databricks-Sandbox",
			},
		)
	}
	return fixedresult.New(metadata.DescribeHistory, out)
}

func (s *session) detail(ctx context.Context, env *bind.Env, st *syntax.Describe) (warehouse.Result, error) {
	tab, err := tableForHistory(env, st.Name, "DESCRIBE DETAIL")
	if err != nil {
		return nil, err
	}
	v := tab.Head()
	// DuckDB does not report a table's size in bytes, so this is the number of rows.
	size, err := s.engine.rowsOf(ctx, v)
	if err != nil {
		return nil, err
	}
	var comment any
	if v.Comment != "" {
		comment = v.Comment
	}
	properties := v.Properties
	if properties == nil {
		properties = map[string]string{}
	}
	return fixedresult.New(
		metadata.DescribeDetail,
		[][]any{
			{
				"delta",
				tab.UUID,
				tab.FullName(),
				comment,
				"",
				tab.Created,
				v.At,
				append([]string{}, v.Partition...),
				append([]string{}, v.Cluster...),
				int64(1),
				size,
				properties,
				1,
				2,
				[]string{"appendOnly", "invariants"},
			},
		},
	)
}

func (e *Engine) rowsOf(ctx context.Context, v *catalog.Version) (int64, error) {
	var n int64
	err := e.db.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s WHERE _from <= %d AND _to > %d", v.Phys, v.N, v.N)).Scan(&n)
	return n, err
}

// vacuum drops the versions that are older than the retention, except the newest.
func (s *session) vacuum(ctx context.Context, env *bind.Env, st *syntax.Vacuum) (warehouse.Result, error) {
	n, err := resolve(env, st.Table)
	if err != nil {
		return nil, err
	}
	hours := 168.0
	if st.Hours != nil {
		hours = *st.Hours
	}
	err = s.engine.write(ctx, []string{n.key()}, func(t *txn) error {
		tab, err := t.tableToChange(n)
		if err != nil || st.DryRun {
			return err
		}
		next := *tab
		for next.First < tab.Head().N {
			// The retention counts from when the next version replaced this one.
			if env.Now.Sub(tab.Versions[next.First+1].At).Hours() < hours {
				break
			}
			next.First++
		}
		kept := physicalNames(next.Versions[next.First:])
		for _, phys := range physicalNames(next.Versions[:next.First]) {
			if !slices.Contains(kept, phys) {
				t.garbage = append(t.garbage, phys)
			}
		}
		return t.putTable(&next, false)
	})
	if err != nil {
		return nil, err
	}
	s.engine.dropGarbage()
	return fixedresult.New(fixedresult.Strings("path"), [][]any{{strings.ToLower(n.key())}})
}

// optimize commits nothing, since DuckDB manages its own files.
func (s *session) optimize(_ context.Context, env *bind.Env, st *syntax.Optimize) (warehouse.Result, error) {
	if _, err := tableForHistory(env, st.Table, "OPTIMIZE"); err != nil {
		return nil, err
	}
	return fixedresult.New(fixedresult.Strings("path"), [][]any{{strings.Join(st.Table, ".")}})
}
