package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/catalog"
)

// StoreExprs returns the expressions that convert a query's columns c0, c1, ... to a
// table's columns. source holds, for each of the table's columns, the index of the
// query's column, or -1 for the default.
func StoreExprs(env *Env, q *Query, to []catalog.Column, source []int) (values []string, err error) {
	defer recoverError(&err)
	b := newBinder(env)
	for i, c := range to {
		if source[i] < 0 {
			values = append(values, b.defaultValue(c))
			continue
		}
		from := q.Columns[source[i]]
		e := &Expr{SQL: fmt.Sprintf("c%d", source[i]), Type: from.Type, Name: from.Name, Nullable: from.Nullable}
		values = append(values, b.storedValue(e, c))
	}
	return values, nil
}

// storedValue casts a value to a column's type, and checks NOT NULL.
func (b *binder) storedValue(e *Expr, c catalog.Column) string {
	sql := b.storeCast(e, c.Type)
	if c.NotNull {
		message := StringLiteral("NOT NULL constraint violated for column: " + c.Name + ".")
		sql = fmt.Sprintf(
			"CASE WHEN (%[1]s) IS NULL THEN %[2]s ELSE %[1]s END",
			sql,
			raiseSQL("DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "23502", message),
		)
	}
	return sql
}

func (b *binder) defaultValue(c catalog.Column) string {
	e := b.null()
	if c.Default != "" {
		x, err := syntax.ParseExpr(c.Default)
		panicOnError(err)
		e = b.expr(x, &scope{})
	}
	return b.storedValue(e, c)
}

// MatchByName matches a query's columns to a table's by name, as INSERT BY NAME does.
// A missing column takes its default; an additional one is an error.
func MatchByName(q *Query, to []catalog.Column, table string) ([]int, error) {
	names := make([]string, len(q.Columns))
	for i, c := range q.Columns {
		names[i] = c.Name
	}
	return MatchColumns(names, to, table)
}

// MatchColumns returns, for each of a table's columns, its index in names, or -1.
func MatchColumns(names []string, to []catalog.Column, table string) ([]int, error) {
	out := make([]int, len(to))
	for i := range out {
		out[i] = -1
	}
	for i, n := range names {
		at := catalog.FindColumn(to, n)
		if at < 0 {
			known := make([]string, len(to))
			for i, c := range to {
				known[i] = quoting.Name(c.Name)
			}
			return nil, sqlerror.New(
				"INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
				"KD000",
				"Cannot write incompatible data for the table %s: Cannot write extra columns %s.",
				table,
				quoting.Name(n),
			)
		}
		if out[at] >= 0 {
			return nil, sqlerror.New("INSERT_COLUMN_ARITY_MISMATCH.DUPLICATE", "42711", "The column %s is named twice.", quoting.Name(n))
		}
		out[at] = i
	}
	return out, nil
}

// updateTarget returns the scope of a table that is changed, and its alias.
func (b *binder) updateTarget(t *catalog.Table, alias string) (*fromItem, string) {
	item := b.scan(t, t.Head(), syntax.Alias{Name: alias}, nil)
	name := item.sql[strings.LastIndex(item.sql, " ")+1:]
	return item, name
}

// MatchingRowsQuery returns a query of the ids of the rows that fulfil a condition.
func MatchingRowsQuery(env *Env, t *catalog.Table, alias string, where syntax.Expr) (sql string, err error) {
	defer recoverError(&err)
	b := newBinder(env)
	item, name := b.updateTarget(t, alias)
	return fmt.Sprintf("SELECT %s._rid AS _rid FROM %s%s", name, item.sql, b.where(where, item.scope)), nil
}

func (b *binder) where(x syntax.Expr, sc *scope) string {
	if x == nil {
		return ""
	}
	b.noAggregates = "WHERE"
	defer func() { b.noAggregates = "" }()
	return " WHERE " + b.condition(x, sc)
}

// UpdateQuery returns a query of the rows that an UPDATE changes: their new values x0,
// x1, ... and their row ids.
func UpdateQuery(env *Env, t *catalog.Table, st *syntax.Update) (sql string, err error) {
	defer recoverError(&err)
	b := newBinder(env)
	item, name := b.updateTarget(t, st.Alias)
	values := b.assignments(st.Set, t, item.scope, item.scope)
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprintf("%s AS x%d", v, i)
	}
	return fmt.Sprintf("SELECT %s, %s._rid AS _rid FROM %s%s", strings.Join(parts, ", "), name, item.sql, b.where(st.Where, item.scope)), nil
}

// assignments returns the values of all columns of a row after SET.
func (b *binder) assignments(set []syntax.Assignment, t *catalog.Table, target, sc *scope) []string {
	cols := t.Head().Columns
	out := make([]string, len(cols))
	for _, a := range set {
		column := a.Column
		if len(column) > 1 && target.relations[0].matches(column[:len(column)-1]) {
			column = column[len(column)-1:]
		}
		i := catalog.FindColumn(cols, column[0])
		if i < 0 {
			panic(sqlerror.UnresolvedColumn(suggestColumns(target, column[0]), a.Column...))
		}
		if len(column) > 1 {
			panic(sqlerror.NotOnDuckDB("UPDATE of a field inside a struct"))
		}
		if out[i] != "" {
			panic(sqlerror.New("DELTA_CONFLICT_SET_COLUMN", "42701", "There is a conflict from these SET columns: %s.", quoting.Name(column...)))
		}
		if n, ok := a.Value.(*syntax.Name); ok && len(n.Parts) == 1 && strings.EqualFold(n.Parts[0], "DEFAULT") {
			out[i] = b.defaultValue(cols[i])
			continue
		}
		out[i] = b.storedValue(b.expr(a.Value, sc), cols[i])
	}
	for i, v := range out {
		if v == "" {
			out[i] = target.relations[0].fields[i].sql
		}
	}
	return out
}

// SelectItems binds the select list of COPY INTO on a query.
func SelectItems(env *Env, items []syntax.SelectItem, from *Query, alias string) (q *Query, err error) {
	defer recoverError(&err)
	b := newBinder(env)
	item := b.subquery("("+from.SQL+")", from.Columns, syntax.Alias{Name: alias}, nil, nil)
	sc := item.scope
	sc.aliases = map[string]*Expr{}
	b.noAggregates = "COPY INTO"
	out := &Query{}
	var parts []string
	for i, e := range b.selectItems(items, sc, item) {
		parts = append(parts, fmt.Sprintf("%s AS c%d", b.outputSQL(e), i))
		out.Columns = append(out.Columns, Column{Name: e.Name, Type: e.Type, Nullable: e.Nullable})
	}
	out.SQL = "SELECT " + strings.Join(parts, ", ") + item.clause()
	return out, nil
}

// CastParsedText casts text to the type that was inferred from it.
func CastParsedText(sql string, t *types.Type) (out string, err error) {
	defer recoverError(&err)
	b := newBinder(&Env{ANSI: true})
	return b.castSQL(sql, types.StringType, t, castTry), nil
}
