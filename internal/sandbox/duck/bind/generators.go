package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/quoting"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// generator is a bound explode, which returns rows.
type generator struct {
	sql   string
	cols  []Column
	outer bool
}

// generators are explode and explode_outer, in a select list and in LATERAL VIEW.
var generators = map[string]bool{"explode": true, "explode_outer": true}

// bindGenerator binds a generator.
func (b *binder) bindGenerator(x *syntax.Call, sc *scope) *generator {
	name := strings.ToLower(x.Name[len(x.Name)-1])
	if len(x.Args) != 1 {
		panic(
			sqlerror.New(
				"WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
				"42605",
				"The `%s` requires 1 parameters but the actual number is %d.",
				name,
				len(x.Args),
			),
		)
	}
	a := b.expr(x.Args[0], sc)
	if a.aggregate {
		panic(sqlerror.NotOnDuckDB("a generator over an aggregate"))
	}
	g := &generator{outer: name == "explode_outer"}
	switch a.Type.Kind {
	case types.Array:
		g.cols = []Column{{Name: "col", Type: a.Type.Elem, Nullable: true}}
		g.sql = fmt.Sprintf("(SELECT unnest(%s) AS c0)", a.SQL)
	case types.Map:
		g.cols = []Column{{Name: "key", Type: a.Type.Key, Nullable: g.outer}, {Name: "value", Type: a.Type.Elem, Nullable: true}}
		g.sql = fmt.Sprintf("(SELECT u.x.key AS c0, u.x.value AS c1 FROM (SELECT unnest(map_entries(%s)) AS x) AS u)", a.SQL)
	default:
		panic(
			sqlerror.TypeMismatch(
				"Cannot resolve \"%s(%s)\" due to data type mismatch: The first parameter requires the (\"ARRAY\" or \"MAP\") type, however it has the type \"%s\".",
				name,
				a.Name,
				a.Type,
			),
		)
	}
	return g
}

// joinGenerator joins a generator's rows to the relation left.
func (b *binder) joinGenerator(g *generator, left string) (sql, name string) {
	name = b.newAlias()
	switch {
	case left == "" && !g.outer:
		return g.sql + " AS " + name, name
	case left == "":
		left = "(SELECT 1) AS " + b.newAlias()
	}
	if g.outer {
		return fmt.Sprintf("%s LEFT JOIN LATERAL %s AS %s ON TRUE", left, g.sql, name), name
	}
	return fmt.Sprintf("%s CROSS JOIN LATERAL %s AS %s", left, g.sql, name), name
}

// generatorItem binds a generator in a select list; nil for other items.
func (b *binder) generatorItem(item syntax.SelectItem, sc *scope, from *fromItem) []*Expr {
	x, ok := item.X.(*syntax.Call)
	if !ok || len(x.Name) != 1 || !generators[strings.ToLower(x.Name[0])] {
		return nil
	}
	g := b.bindGenerator(x, sc)
	cols := slices.Clone(g.cols)
	names := item.Aliases
	if item.Alias != "" {
		names = []string{item.Alias}
	}
	if names != nil && len(names) != len(cols) {
		panic(
			sqlerror.New(
				"UDTF_ALIAS_NUMBER_MISMATCH",
				"42802",
				"The number of aliases supplied in the AS clause does not match the number of columns output by the UDTF. Expected %d aliases, but got %s.",
				len(cols),
				strings.Join(names, ","),
			),
		)
	}
	sql, name := b.joinGenerator(g, from.sql)
	from.sql = sql
	out := make([]*Expr, len(cols))
	for i, c := range cols {
		if names != nil {
			c.Name = names[i]
		}
		out[i] = &Expr{SQL: fmt.Sprintf("%s.c%d", name, i), Type: c.Type, Name: c.Name, Nullable: c.Nullable}
		sc.aliases[strings.ToLower(c.Name)] = out[i]
	}
	return out
}

func (b *binder) lateralView(t *syntax.LateralView, left, outer *scope) *fromItem {
	l := b.table(t.X, left, outer)
	if !generators[strings.ToLower(t.Call.Name[len(t.Call.Name)-1])] {
		panic(sqlerror.UnresolvedRoutine(t.Call.Name...))
	}
	g := b.bindGenerator(t.Call, joinScopes(left, l.scope))
	g.outer = g.outer || t.Outer
	sql, name := b.joinGenerator(g, l.sql)
	rel := &relation{}
	if t.Name != "" {
		rel.qualifier = []string{t.Name}
	}
	for i, c := range renameColumns(g.cols, t.Columns) {
		rel.fields = append(rel.fields, field{Column: c, sql: fmt.Sprintf("%s.c%d", name, i)})
	}
	return &fromItem{sql: "(" + sql + ")", scope: joinScopes(l.scope, &scope{parent: outer, relations: []*relation{rel}})}
}

// tableFunction binds range(...) and table_changes(...) in FROM.
func (b *binder) tableFunction(t *syntax.TableFunction, outer *scope) *fromItem {
	name := strings.ToLower(t.Call.Name[len(t.Call.Name)-1])
	if generators[name] {
		panic(sqlerror.NotOnDuckDB(name + " in FROM"))
	}
	if name == "table_changes" && len(t.Call.Name) == 1 {
		return b.tableChanges(t, outer)
	}
	if name != "range" || len(t.Call.Name) > 1 {
		panic(
			sqlerror.New(
				"UNRESOLVABLE_TABLE_VALUED_FUNCTION",
				"42883",
				"Could not resolve %s to a table-valued function. Please make sure that %s is defined as a table-valued function and that all required parameters are provided correctly.",
				quoting.Name(t.Call.Name...),
				quoting.Name(t.Call.Name...),
			),
		)
	}
	args := make([]string, len(t.Call.Args))
	for i, x := range t.Call.Args {
		args[i] = b.implicitCast(b.expr(x, &scope{}), types.BigIntType).SQL
	}
	if len(args) == 0 || len(args) > 4 {
		panic(
			sqlerror.New(
				"WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
				"42605",
				"The `range` requires [1, 4] parameters but the actual number is %d.",
				len(args),
			),
		)
	}
	args = args[:min(len(args), 3)]
	sql := fmt.Sprintf("(SELECT range AS c0 FROM range(%s))", strings.Join(args, ", "))
	return b.subquery(sql, []Column{{Name: "id", Type: types.BigIntType}}, t.Alias, []string{"range"}, outer)
}
