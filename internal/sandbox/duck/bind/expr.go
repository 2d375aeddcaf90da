package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// expr binds an expression, and names it as Databricks names a column without an
// alias.
func (b *binder) expr(x syntax.Expr, sc *scope) *Expr {
	e := b.unnamedExpr(x, sc)
	switch x.(type) {
	case *syntax.Name, *syntax.Param, syntax.Str, syntax.Num, *syntax.Field, *syntax.Aliased:
	default:
		named := *e
		named.Name = generatedName(x)
		e = &named
	}
	return e
}

func (b *binder) unnamedExpr(x syntax.Expr, sc *scope) *Expr {
	switch x := x.(type) {
	case syntax.Null:
		return b.null()
	case syntax.Bool:
		return &Expr{SQL: strings.ToUpper(fmt.Sprint(x.Value)), Type: types.BooleanType, literal: true}
	case syntax.Str:
		return b.stringLiteral(x.Value)
	case syntax.Num:
		return b.number(x.Text)
	case syntax.Bytes:
		return &Expr{SQL: bytesSQL(x.Value), Type: types.BinaryType, literal: true}
	case syntax.Typed:
		return b.typed(x)
	case *syntax.Interval:
		return b.interval(x, sc)
	case *syntax.Param:
		return b.param(x)
	case *syntax.Name:
		return b.name(x.Parts, sc)
	case *syntax.Star:
		panic(sqlerror.New("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of '*' in expression."))
	case *syntax.Unary:
		return b.unary(x, sc)
	case *syntax.Binary:
		return b.binary(x, sc)
	case *syntax.Call:
		return b.call(x, sc)
	case *syntax.Cast:
		return b.castExpr(x, sc)
	case *syntax.Case:
		return b.caseExpr(x, sc)
	case *syntax.In:
		return b.in(x, sc)
	case *syntax.Between:
		low := &syntax.Binary{Op: ">=", L: x.X, R: x.Low}
		high := &syntax.Binary{Op: "<=", L: x.X, R: x.High}
		e := b.binary(&syntax.Binary{Op: "AND", L: low, R: high}, sc)
		if x.Not {
			e.SQL = "(NOT " + e.SQL + ")"
		}
		return e
	case *syntax.Like:
		return b.like(x, sc)
	case *syntax.Is:
		return b.is(x, sc)
	case *syntax.Exists:
		sql, _ := b.query(x.Query, sc)
		return &Expr{SQL: "EXISTS (" + sql + ")", Type: types.BooleanType}
	case *syntax.Subquery:
		return b.scalarSubquery(x, sc)
	case *syntax.Field:
		return b.field(b.expr(x.X, sc), x.Name)
	case *syntax.Index:
		return b.index(x, sc)
	case *syntax.Aliased:
		e := *b.expr(x.X, sc)
		e.Name = x.Name
		return &e
	case *syntax.Named:
		panic(sqlerror.NotOnDuckDB("a named argument here"))
	case *syntax.Lambda:
		panic(
			sqlerror.New(
				"INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION",
				"42K0D",
				"Invalid lambda function call. A lambda function should only be used in a higher order function.",
			),
		)
	}
	panic(sqlerror.NotOnDuckDB(fmt.Sprintf("the expression %T", x)))
}

func (b *binder) castExpr(x *syntax.Cast, sc *scope) *Expr {
	if x.Type.Kind == types.Interval {
		panic(sqlerror.NotOnDuckDB("a cast to INTERVAL"))
	}
	return b.explicitCast(b.expr(x.X, sc), x.Type, x.Try)
}

func (b *binder) unary(x *syntax.Unary, sc *scope) *Expr {
	e := b.expr(x.X, sc)
	if x.Op == "NOT" {
		e = b.implicitCast(e, types.BooleanType)
		return &Expr{SQL: "(NOT " + e.SQL + ")", Type: types.BooleanType, Nullable: e.Nullable, aggregate: e.aggregate}
	}
	if e.Type.Kind == types.String {
		e = b.implicitCast(e, types.DoubleType)
	}
	if e.Type.Kind == types.Void {
		e = b.implicitCast(e, types.IntType)
	}
	if !e.Type.Numeric() && e.Type.Kind != types.Interval {
		panic(
			sqlerror.TypeMismatch(
				"Cannot resolve \"(%s %s)\" due to data type mismatch: The parameter requires the \"NUMERIC\" type, however it has the type \"%s\".",
				x.Op,
				e.Name,
				e.Type,
			),
		)
	}
	sql := "(" + x.Op + e.SQL + ")"
	if x.Op == "+" {
		sql = e.SQL
	}
	return &Expr{SQL: sql, Type: e.Type, Nullable: e.Nullable, aggregate: e.aggregate}
}

func (b *binder) caseExpr(x *syntax.Case, sc *scope) *Expr {
	var conds, results []*Expr
	for _, w := range x.Whens {
		c := w.Cond
		if x.Operand != nil {
			c = &syntax.Binary{Op: "=", L: x.Operand, R: w.Cond}
		}
		conds = append(conds, b.implicitCast(b.expr(c, sc), types.BooleanType))
		results = append(results, b.expr(w.Then, sc))
	}
	nullable := x.Else == nil
	if x.Else != nil {
		results = append(results, b.expr(x.Else, sc))
	}
	t := b.castToCommonType(results)
	var s strings.Builder
	s.WriteString("CASE")
	aggregate := false
	for i, c := range conds {
		fmt.Fprintf(&s, " WHEN %s THEN %s", c.SQL, results[i].SQL)
		aggregate = aggregate || c.aggregate
	}
	if x.Else != nil {
		s.WriteString(" ELSE " + results[len(conds)].SQL)
	} else {
		s.WriteString(" ELSE " + cast("NULL", t))
	}
	for _, r := range results {
		nullable = nullable || r.Nullable
		aggregate = aggregate || r.aggregate
	}
	return &Expr{SQL: "(" + s.String() + " END)", Type: t, Nullable: nullable, aggregate: aggregate}
}

// castToCommonType casts the expressions in xs to their common type, and returns it.
func (b *binder) castToCommonType(xs []*Expr) *types.Type {
	t := types.VoidType
	for _, x := range xs {
		u := types.Common(t, x.Type)
		if u == nil {
			panic(
				sqlerror.New(
					"DATATYPE_MISMATCH.DATA_DIFF_TYPES",
					"42K09",
					"Cannot resolve \"%s\" due to data type mismatch: Input should all be the same type, but it's (\"%s\" and \"%s\").",
					x.Name,
					t,
					x.Type,
				),
			)
		}
		t = u
	}
	for i, x := range xs {
		xs[i] = b.losslessCast(x, t)
	}
	return t
}

// losslessCast casts to a type that fits every value.
func (b *binder) losslessCast(x *Expr, t *types.Type) *Expr {
	if x.Type.Equal(t) {
		return x
	}
	out := *x
	out.SQL, out.Type, out.members = b.castSQL(x.SQL, x.Type, t, b.sessionCastMode()), t, nil
	return &out
}

func (b *binder) in(x *syntax.In, sc *scope) *Expr {
	not := ""
	if x.Not {
		not = "NOT "
	}
	l := b.expr(x.X, sc)
	if x.Query != nil {
		sql, cols := b.query(x.Query, sc)
		if len(cols) != 1 {
			panic(
				sqlerror.New(
					"DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
					"42K09",
					"The number of columns in the left hand side of an IN subquery does not match the number of columns in the output of subquery. Right: %d.",
					len(cols),
				),
			)
		}
		r := &Expr{SQL: "c0", Type: cols[0].Type, Name: cols[0].Name}
		pair := []*Expr{l, r}
		b.castToCommonType(pair)
		if !pair[1].Type.Equal(cols[0].Type) || pair[1].SQL != "c0" {
			sql = fmt.Sprintf("SELECT %s FROM (%s) AS %s", pair[1].SQL, sql, b.newAlias())
		}
		return &Expr{SQL: fmt.Sprintf("(%s %sIN (%s))", pair[0].SQL, not, sql), Type: types.BooleanType, Nullable: true, aggregate: l.aggregate}
	}
	all := []*Expr{l}
	for _, item := range x.List {
		all = append(all, b.expr(item, sc))
	}
	b.castToCommonType(all)
	parts := make([]string, len(all)-1)
	for i, e := range all[1:] {
		parts[i] = e.SQL
	}
	return &Expr{
		SQL:       fmt.Sprintf("(%s %sIN (%s))", all[0].SQL, not, strings.Join(parts, ", ")),
		Type:      types.BooleanType,
		Nullable:  true,
		aggregate: anyAggregate(all),
	}
}

func anyAggregate(xs []*Expr) bool {
	for _, x := range xs {
		if x.aggregate {
			return true
		}
	}
	return false
}

func anyNullable(xs []*Expr) bool {
	for _, x := range xs {
		if x.Nullable {
			return true
		}
	}
	return false
}

func (b *binder) like(x *syntax.Like, sc *scope) *Expr {
	l, r := b.implicitCast(b.expr(x.X, sc), types.StringType), b.implicitCast(b.expr(x.Pattern, sc), types.StringType)
	sql := fmt.Sprintf("regexp_matches(%s, %s)", l.SQL, r.SQL)
	if x.Op != "RLIKE" {
		if len([]rune(x.Escape)) != 1 {
			panic(sqlerror.New("INVALID_ESCAPE_CHAR", "42604", "`ESCAPE` should be a string literal of length one, but got '%s'.", x.Escape))
		}
		sql = fmt.Sprintf("(%s %s %s ESCAPE %s)", l.SQL, x.Op, r.SQL, StringLiteral(x.Escape))
	}
	if x.Not {
		sql = "(NOT " + sql + ")"
	}
	return &Expr{SQL: sql, Type: types.BooleanType, Nullable: l.Nullable, aggregate: l.aggregate || r.aggregate}
}

func (b *binder) is(x *syntax.Is, sc *scope) *Expr {
	e := b.expr(x.X, sc)
	not := ""
	if x.Not {
		not = "NOT "
	}
	what := x.Value
	if what != "NULL" {
		e = b.implicitCast(e, types.BooleanType)
	}
	if what == "UNKNOWN" {
		what = "NULL"
	}
	return &Expr{SQL: fmt.Sprintf("(%s IS %s%s)", e.SQL, not, what), Type: types.BooleanType, aggregate: e.aggregate}
}

func (b *binder) scalarSubquery(x *syntax.Subquery, sc *scope) *Expr {
	sql, cols := b.query(x.Query, sc)
	if len(cols) != 1 {
		panic(
			sqlerror.New(
				"INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
				"42823",
				"Scalar subquery must return only one column, but got %d.",
				len(cols),
			),
		)
	}
	return &Expr{SQL: "(" + sql + ")", Type: cols[0].Type, Name: cols[0].Name, Nullable: true}
}
