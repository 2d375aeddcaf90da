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

// selectBlock binds a SELECT, and the ORDER BY of its query, which can refer both to
// the result's columns and to those of FROM.
func (b *binder) selectBlock(s *syntax.Select, q *syntax.Query, outer *scope) (string, []Column) {
	from := b.from(s.From, outer)
	sc := from.scope
	sc.aliases = map[string]*Expr{}
	where := ""
	if s.Where != nil {
		b.noAggregates = "WHERE"
		where = " WHERE " + b.implicitCast(
			b.expr(s.Where, &scope{parent: sc.parent, relations: sc.relations, merged: sc.merged, star: sc.star, lambda: sc.lambda}),
			types.BooleanType,
		).SQL
		b.noAggregates = ""
	}
	items := b.selectItems(s.Items, sc, from)
	group := b.groupBy(s, sc, items)
	sql := "SELECT "
	if s.Distinct {
		sql += "DISTINCT "
	}
	parts := make([]string, len(items))
	cols := make([]Column, len(items))
	for i, e := range items {
		if s.Distinct && e.Type.Contains(types.Map) {
			panic(
				sqlerror.New(
					"UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
					"0A000",
					"The feature is not supported: Cannot have MAP type columns in DataFrame which calls set operations (INTERSECT, EXCEPT, etc.), but the type of column %s is \"%s\".",
					quoting.Name(e.Name),
					e.Type,
				),
			)
		}
		parts[i] = fmt.Sprintf("%s AS c%d", b.outputSQL(e), i)
		cols[i] = Column{Name: e.Name, Type: e.Type, Nullable: e.Nullable, Comment: e.comment}
	}
	sql += strings.Join(parts, ", ") + from.clause() + where + group
	if s.Having != nil {
		sql += " HAVING " + b.implicitCast(b.expr(s.Having, sc), types.BooleanType).SQL
	}
	if s.Qualify != nil {
		sql += " QUALIFY " + b.implicitCast(b.expr(s.Qualify, sc), types.BooleanType).SQL
	}
	return sql + b.order(q, s, items, sc), cols
}

// outputSQL gives a NULL literal a type, since DuckDB cannot return VOID.
func (b *binder) outputSQL(e *Expr) string {
	if e.Type.Kind == types.Void {
		return cast("NULL", types.IntType)
	}
	return e.SQL
}

// selectItems binds the select list, and expands stars and generators.
func (b *binder) selectItems(items []syntax.SelectItem, sc *scope, from *fromItem) []*Expr {
	var out []*Expr
	for _, item := range items {
		if star, ok := item.X.(*syntax.Star); ok {
			out = append(out, b.star(star, sc)...)
			continue
		}
		if g := b.generatorItem(item, sc, from); g != nil {
			out = append(out, g...)
			continue
		}
		if len(item.Aliases) > 0 {
			panic(sqlerror.New("NUM_TABLE_VALUE_ALIASES_MISMATCH", "42826", "Number of given aliases does not match number of output columns."))
		}
		e := *b.expr(item.X, sc)
		if item.Alias != "" {
			e.Name = item.Alias
			if _, taken := sc.aliases[strings.ToLower(item.Alias)]; !taken {
				alias := e
				sc.aliases[strings.ToLower(item.Alias)] = &alias
			}
		}
		out = append(out, &e)
	}
	if len(out) == 0 {
		panic(sqlerror.New("DELTA_READ_TABLE_WITHOUT_COLUMNS", "428GU", "You are trying to read a Delta table that does not have any columns."))
	}
	return out
}

// star expands *, t.* and, for a struct, s.*.
func (b *binder) star(star *syntax.Star, sc *scope) []*Expr {
	var fields []field
	if star.Qualifier == nil {
		if len(sc.relations) == 0 {
			panic(sqlerror.New("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of '*' in Project."))
		}
		fields = sc.starFields()
	} else {
		for _, r := range sc.relations {
			if r.matches(star.Qualifier) {
				fields = append(fields, r.fields...)
			}
		}
		if fields == nil {
			return b.structStar(star, sc)
		}
	}
	var out []*Expr
	for _, f := range fields {
		if !isExcepted(star, f.Name) {
			out = append(out, &Expr{SQL: f.sql, Type: f.Type, Name: f.Name, Nullable: f.Nullable, comment: f.Comment})
		}
	}
	for _, x := range star.Except {
		if !slices.ContainsFunc(fields, func(f field) bool { return strings.EqualFold(f.Name, x[len(x)-1]) }) {
			panic(sqlerror.UnresolvedColumn(suggestColumns(sc, x[len(x)-1]), x...))
		}
	}
	return out
}

func (b *binder) structStar(star *syntax.Star, sc *scope) []*Expr {
	defer func() {
		if recover() != nil {
			panic(
				sqlerror.New(
					"CANNOT_RESOLVE_STAR_EXPAND",
					"42704",
					"Cannot resolve %s.* given input columns. Please check that the specified table or struct exists and is accessible in the input columns.",
					quoting.Name(star.Qualifier...),
				),
			)
		}
	}()
	x := b.name(star.Qualifier, sc)
	if x.Type.Kind != types.Struct {
		panic("not a struct")
	}
	var out []*Expr
	for _, f := range x.Type.Fields {
		if !isExcepted(star, f.Name) {
			out = append(out, b.field(x, f.Name))
		}
	}
	return out
}

func isExcepted(star *syntax.Star, name string) bool {
	return slices.ContainsFunc(star.Except, func(x []string) bool { return strings.EqualFold(x[len(x)-1], name) })
}

func (s *scope) starFields() []field {
	if s.star != nil {
		return s.star
	}
	var out []field
	for _, r := range s.relations {
		out = append(out, r.fields...)
	}
	return out
}

// groupBy binds GROUP BY. A key may be a position or an alias.
func (b *binder) groupBy(s *syntax.Select, sc *scope, items []*Expr) string {
	g := s.Group
	if g == nil {
		return ""
	}
	if g.All {
		return " GROUP BY ALL"
	}
	key := func(x syntax.Expr) string {
		if n, ok := ordinalOf(x); ok {
			var i int
			if _, err := fmt.Sscan(n, &i); err != nil || i < 1 || i > len(items) {
				panic(
					sqlerror.New(
						"GROUP_BY_POS_OUT_OF_RANGE",
						"42805",
						"GROUP BY position %s is not in select list (valid range is [1, %d]).",
						n,
						len(items),
					),
				)
			}
			if items[i-1].aggregate {
				panic(
					sqlerror.New(
						"GROUP_BY_POS_AGGREGATE",
						"42903",
						"GROUP BY %s refers to an expression that contains an aggregate function. Aggregate functions are not allowed in GROUP BY.",
						n,
					),
				)
			}
			return items[i-1].SQL
		}
		b.noAggregates = "GROUP BY"
		defer func() { b.noAggregates = "" }()
		e := b.expr(x, sc)
		if e.Type.Contains(types.Map) {
			panic(
				sqlerror.New(
					"GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE",
					"42822",
					"The expression \"%s\" cannot be used as a grouping expression because its data type \"%s\" is not an orderable data type.",
					e.Name,
					e.Type,
				),
			)
		}
		return e.SQL
	}
	keys := make([]string, len(g.Keys))
	for i, x := range g.Keys {
		keys[i] = key(x)
	}
	return " GROUP BY " + strings.Join(keys, ", ")
}

// order binds ORDER BY of a SELECT. A key that is a column of the result is referred to
// by position, so that it is computed only once.
func (b *binder) order(q *syntax.Query, s *syntax.Select, items []*Expr, sc *scope) string {
	if len(q.Order) == 0 {
		return ""
	}
	keys := make([]string, len(q.Order))
	for i, o := range q.Order {
		keys[i] = b.orderKey(o, s, items, sc) + orderDirection(o)
	}
	return " ORDER BY " + strings.Join(keys, ", ")
}

func (b *binder) orderKey(o syntax.OrderItem, s *syntax.Select, items []*Expr, sc *scope) string {
	if n, ok := ordinalOf(o.X); ok {
		b.ordinalKey(n, len(items))
		return n
	}
	if name, ok := o.X.(*syntax.Name); ok && len(name.Parts) == 1 {
		for i, e := range items {
			if strings.EqualFold(e.Name, name.Parts[0]) {
				checkOrderable(e)
				return fmt.Sprint(i + 1)
			}
		}
	}
	e := b.expr(o.X, sc)
	checkOrderable(e)
	for i, item := range items {
		if item.SQL == e.SQL {
			return fmt.Sprint(i + 1)
		}
	}
	if s.Distinct {
		panic(sqlerror.UnresolvedColumn(nil, generatedName(o.X)))
	}
	return e.SQL
}
