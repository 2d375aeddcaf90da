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

// fromItem is a bound FROM clause, or an item of it.
type fromItem struct {
	sql   string
	scope *scope
}

func (f *fromItem) clause() string {
	if f.sql == "" {
		return ""
	}
	return " FROM " + f.sql
}

func (b *binder) from(tables []syntax.TableExpr, outer *scope) *fromItem {
	out := &fromItem{scope: &scope{parent: outer}}
	for i, t := range tables {
		item := b.table(t, out.scope, outer)
		if i == 0 {
			out.sql = item.sql
			out.scope = item.scope
			continue
		}
		out.sql += " CROSS JOIN " + item.sql
		out.scope = joinScopes(out.scope, item.scope)
	}
	return out
}

// joinScopes returns the scope of two joined tables.
func joinScopes(l, r *scope) *scope {
	s := &scope{parent: l.parent, relations: append(slices.Clone(l.relations), r.relations...)}
	if l.merged != nil || r.merged != nil {
		s.merged = map[string]field{}
		for _, m := range []map[string]field{l.merged, r.merged} {
			for k, f := range m {
				s.merged[k] = f
			}
		}
	}
	s.star = append(slices.Clone(l.starFields()), r.starFields()...)
	return s
}

// table binds an item of FROM. A lateral item can refer to the scope left.
func (b *binder) table(t syntax.TableExpr, left, outer *scope) *fromItem {
	switch t := t.(type) {
	case *syntax.TableName:
		return b.tableName(t, outer)
	case *syntax.TableQuery:
		sql, cols := b.query(t.Query, outer)
		return b.subquery("("+sql+")", cols, t.Alias, nil, outer)
	case *syntax.TableFunction:
		return b.tableFunction(t, outer)
	case *syntax.Join:
		return b.join(t, left, outer)
	case *syntax.LateralView:
		return b.lateralView(t, left, outer)
	}
	panic(sqlerror.NotOnDuckDB(fmt.Sprintf("%T in FROM", t)))
}

// subquery returns the relation of SQL whose columns are c0, c1, ...
func (b *binder) subquery(sql string, cols []Column, alias syntax.Alias, qualifier []string, outer *scope) *fromItem {
	name := b.newAlias()
	rel := &relation{qualifier: qualifier}
	if alias.Name != "" {
		rel.qualifier = []string{alias.Name}
	}
	for i, c := range renameColumns(cols, alias.Columns) {
		rel.fields = append(rel.fields, field{Column: c, sql: fmt.Sprintf("%s.c%d", name, i)})
	}
	return &fromItem{sql: sql + " AS " + name, scope: &scope{parent: outer, relations: []*relation{rel}}}
}

func (b *binder) join(j *syntax.Join, left, outer *scope) *fromItem {
	l := b.table(j.L, left, outer)
	r := b.table(j.R, joinScopes(left, l.scope), outer)
	both := joinScopes(l.scope, r.scope)
	out := &fromItem{scope: both}
	on := "TRUE"
	switch {
	case j.On != nil:
		b.noAggregates = "JOIN"
		on = b.implicitCast(b.expr(j.On, both), types.BooleanType).SQL
		b.noAggregates = ""
	case j.Using != nil:
		on = b.using(j, j.Using, l.scope, r.scope, both)
	}
	kind := j.Kind
	switch kind {
	case "LEFT SEMI", "LEFT ANTI":
		out.scope = l.scope
		kind = strings.TrimPrefix(kind, "LEFT ")
	case "CROSS":
		kind = "INNER"
	}
	if kind == "LEFT" || kind == "FULL" {
		markNullable(r.scope, both)
	}
	if kind == "RIGHT" || kind == "FULL" {
		markNullable(l.scope, both)
	}
	out.sql = fmt.Sprintf("(%s %s JOIN %s ON %s)", l.sql, kind, r.sql, on)
	return out
}

// markNullable marks the columns of the optional side of an outer join as nullable.
func markNullable(side, both *scope) {
	for _, r := range side.relations {
		for i := range r.fields {
			r.fields[i].Nullable = true
		}
	}
	for i, f := range both.star {
		for _, r := range side.relations {
			for _, g := range r.fields {
				if g.sql == f.sql {
					both.star[i].Nullable = true
				}
			}
		}
	}
}

// using binds USING (a, b): an equality, and one merged column, for each name.
func (b *binder) using(j *syntax.Join, names []string, l, r, both *scope) string {
	if both.merged == nil {
		both.merged = map[string]field{}
	}
	var conds []string
	var merged, rest []field
	for _, n := range names {
		lf, rf := l.find(nil, n), r.find(nil, n)
		for side, found := range map[string][]field{"left": lf, "right": rf} {
			if len(found) != 1 {
				panic(
					sqlerror.New(
						"UNRESOLVED_USING_COLUMN_FOR_JOIN",
						"42703",
						"USING column %s cannot be resolved on the %s side of the join.",
						quoting.Name(n),
						side,
					),
				)
			}
		}
		le := &Expr{SQL: lf[0].sql, Type: lf[0].Type, Name: n}
		re := &Expr{SQL: rf[0].sql, Type: rf[0].Type, Name: n}
		conds = append(conds, b.compare("=", le, re).SQL)
		f := lf[0]
		switch j.Kind {
		case "RIGHT":
			f = rf[0]
		case "FULL":
			pair := []*Expr{le, re}
			t := b.castToCommonType(pair)
			f = field{Column: Column{Name: f.Name, Type: t, Nullable: true}, sql: fmt.Sprintf("coalesce(%s, %s)", pair[0].SQL, pair[1].SQL)}
		}
		both.merged[strings.ToLower(n)] = f
		merged = append(merged, f)
	}
	for _, f := range append(slices.Clone(l.starFields()), r.starFields()...) {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) }) {
			rest = append(rest, f)
		}
	}
	both.star = slices.Concat(merged, rest)
	return strings.Join(conds, " AND ")
}
