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

// generator is a bound function that returns rows, such as explode.
type generator struct {
	sql   string
	cols  []Column
	outer bool
}

var generators = map[string]bool{
	"explode":          true,
	"explode_outer":    true,
	"posexplode":       true,
	"posexplode_outer": true,
	"inline":           true,
	"inline_outer":     true,
}

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
		panic(sqlerror.Unsupported("a generator over an aggregate"))
	}
	kind, outer := strings.CutSuffix(name, "_outer")
	g := &generator{outer: outer}
	var sources []string
	if kind == "posexplode" {
		g.cols = append(g.cols, Column{Name: "pos", Type: types.IntType, Nullable: outer})
		sources = append(sources, "CAST(u.p AS INTEGER)")
	}
	list := a.SQL
	switch {
	case kind == "inline" && a.Type.Kind == types.Array && a.Type.Elem.Kind == types.Struct:
		for _, f := range a.Type.Elem.Fields {
			g.cols = append(g.cols, Column{Name: f.Name, Type: f.Type, Nullable: true})
			sources = append(sources, fmt.Sprintf("struct_extract(u.x, %s)", StringLiteral(f.Name)))
		}
	case kind != "inline" && a.Type.Kind == types.Array:
		g.cols = append(g.cols, Column{Name: "col", Type: a.Type.Elem, Nullable: true})
		sources = append(sources, "u.x")
	case kind != "inline" && a.Type.Kind == types.Map:
		list = "map_entries(" + list + ")"
		g.cols = append(g.cols, Column{Name: "key", Type: a.Type.Key, Nullable: outer}, Column{Name: "value", Type: a.Type.Elem, Nullable: true})
		sources = append(sources, "u.x.key", "u.x.value")
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
	for i, s := range sources {
		sources[i] = fmt.Sprintf("%s AS c%d", s, i)
	}
	g.sql = fmt.Sprintf("(SELECT %s FROM (SELECT unnest(%[2]s) AS x, unnest(range(len(%[2]s))) AS p) AS u)", strings.Join(sources, ", "), list)
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

// tableFunction binds range(...), table_changes(...) and generators in FROM.
func (b *binder) tableFunction(t *syntax.TableFunction, left, outer *scope) *fromItem {
	name := strings.ToLower(t.Call.Name[len(t.Call.Name)-1])
	if generators[name] {
		around := outer
		if t.Lateral {
			around = left
		}
		g := b.bindGenerator(t.Call, &scope{parent: around})
		lateral := ""
		if t.Lateral {
			lateral = "LATERAL "
		}
		return b.subquery(lateral+g.sql, g.cols, t.Alias, []string{name}, outer)
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
