package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

// The actions of MERGE on a row.
const (
	MergeUpdate = "U"
	MergeDelete = "D"
	MergeInsert = "I"
)

// MergeQuery returns a query of the rows that a MERGE changes: their new values x0,
// x1, ..., the row id _rid of the target row, and the action.
func MergeQuery(env *Env, t *catalog.Table, st *syntax.Merge) (sql string, err error) {
	defer recoverError(&err)
	b := newBinder(env)
	target, name := b.updateTarget(t, st.Alias)
	source := b.table(st.Source, &scope{}, nil)
	both := joinScopes(target.scope, source.scope)
	on := b.condition(st.On, both)
	var parts []string
	add := func(when, from string, sc *scope) {
		if q := b.mergePart(st, t, when, from, name, target.scope, source.scope, sc); q != "" {
			parts = append(parts, q)
		}
	}
	add("MATCHED", fmt.Sprintf("%s JOIN %s ON %s", target.sql, source.sql, on), both)
	add("NOT MATCHED", fmt.Sprintf("%s WHERE NOT EXISTS (SELECT 1 FROM %s WHERE %s)", source.sql, target.sql, on), source.scope)
	add("NOT MATCHED BY SOURCE", fmt.Sprintf("%s WHERE NOT EXISTS (SELECT 1 FROM %s WHERE %s)", target.sql, source.sql, on), target.scope)
	return strings.Join(parts, " UNION ALL "), nil
}

func (b *binder) condition(x syntax.Expr, sc *scope) string {
	return b.implicitCast(b.expr(x, sc), types.BooleanType).SQL
}

// mergePart binds the WHEN clauses of one kind. The first clause whose condition holds
// applies.
func (b *binder) mergePart(st *syntax.Merge, t *catalog.Table, when, from, name string, target, source, sc *scope) string {
	cols := t.Head().Columns
	action := "CASE"
	values := make([]string, len(cols))
	for i := range values {
		values[i] = "CASE"
	}
	some := false
	for _, c := range st.Clauses {
		if c.When != when {
			continue
		}
		some = true
		cond := "TRUE"
		if c.Cond != nil {
			cond = b.condition(c.Cond, sc)
		}
		var row []string
		switch c.Do {
		case "DELETE":
			action += fmt.Sprintf(" WHEN %s THEN '%s'", cond, MergeDelete)
		case "UPDATE":
			action += fmt.Sprintf(" WHEN %s THEN '%s'", cond, MergeUpdate)
			row = b.assignments(b.expandStar(c, cols, source), t, target, sc)
		default:
			action += fmt.Sprintf(" WHEN %s THEN '%s'", cond, MergeInsert)
			row = b.mergeInsert(c, cols, source)
		}
		for i := range values {
			value := "NULL"
			if row != nil {
				value = row[i]
			}
			values[i] += fmt.Sprintf(" WHEN %s THEN %s", cond, value)
		}
	}
	if !some {
		return ""
	}
	selected := make([]string, len(cols))
	for i, c := range cols {
		selected[i] = fmt.Sprintf("CAST(%s END AS %s) AS x%d", values[i], ducktype.Of(c.Type), i)
	}
	rid := name + "._rid"
	if when == "NOT MATCHED" {
		rid = "CAST(NULL AS BIGINT)"
	}
	return fmt.Sprintf(
		"SELECT * FROM (SELECT %s, %s AS _rid, %s END AS action FROM %s) WHERE action IS NOT NULL",
		strings.Join(selected, ", "),
		rid,
		action,
		from,
	)
}

// expandStar replaces UPDATE SET * by an assignment for each column.
func (b *binder) expandStar(c syntax.MergeClause, cols []catalog.Column, source *scope) []syntax.Assignment {
	if !c.All {
		return c.Set
	}
	var out []syntax.Assignment
	for _, col := range cols {
		out = append(out, syntax.Assignment{Column: []string{col.Name}, Value: b.sourceColumn(col, source)})
	}
	return out
}

func (b *binder) sourceColumn(col catalog.Column, source *scope) syntax.Expr {
	if len(source.find(nil, col.Name)) != 1 {
		panic(sqlerror.New("DELTA_MERGE_UNRESOLVED_EXPRESSION", "42601", "Cannot resolve %s in the source of MERGE.", quoting.Name(col.Name)))
	}
	parts := []string{col.Name}
	if r := source.relations[0]; len(source.relations) == 1 && len(r.qualifier) > 0 {
		parts = []string{r.qualifier[len(r.qualifier)-1], col.Name}
	}
	return &syntax.Name{Parts: parts}
}

func (b *binder) mergeInsert(c syntax.MergeClause, cols []catalog.Column, source *scope) []string {
	out := make([]string, len(cols))
	if c.All {
		for i, col := range cols {
			out[i] = b.storedValue(b.expr(b.sourceColumn(col, source), source), col)
		}
		return out
	}
	if len(c.Columns) != len(c.Values) {
		panic(
			sqlerror.New(
				"INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
				"21S01",
				"MERGE names %d columns but has %d values.",
				len(c.Columns),
				len(c.Values),
			),
		)
	}
	at, err := MatchColumns(c.Columns, cols, "the target of MERGE")
	panicOnError(err)
	for i, col := range cols {
		if at[i] < 0 {
			out[i] = b.defaultValue(col)
			continue
		}
		out[i] = b.storedValue(b.expr(c.Values[at[i]], source), col)
	}
	return out
}
