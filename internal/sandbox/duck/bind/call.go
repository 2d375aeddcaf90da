package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// call is a function call that is being bound.
type call struct {
	b    *binder
	name string
	args []*Expr
	ast  *syntax.Call
	sc   *scope
	// suffix is the FILTER and OVER clauses that follow the call.
	suffix string
	// distinct is "DISTINCT " or empty.
	distinct string
}

// function describes a function.
type function struct {
	min, max int // number of arguments; max < 0 means any number
	bind     func(c *call) *Expr
	// aggregate marks aggregate functions; window marks functions that require OVER.
	aggregate, window bool
	// lambda marks functions that bind their arguments themselves.
	lambda bool
}

// functions holds all functions by lower-case name. The init functions of this
// package register them.
var functions = map[string]function{}

func register(names string, f function) {
	for n := range strings.FieldsSeq(names) {
		functions[n] = f
	}
}

func (b *binder) call(x *syntax.Call, sc *scope) *Expr {
	parts := x.Name
	if len(parts) == 3 && strings.EqualFold(parts[0], "system") && strings.EqualFold(parts[1], "builtin") {
		parts = parts[2:]
	}
	name := strings.ToLower(parts[len(parts)-1])
	f, ok := functions[name]
	if !ok || len(parts) > 1 {
		if generators[name] && len(parts) == 1 {
			panic(
				sqlerror.New(
					"UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
					"42K0E",
					"The generator is not supported: nested in expressions \"%s\".",
					generatedName(x),
				),
			)
		}
		panic(sqlerror.UnresolvedRoutine(x.Name...))
	}
	c := &call{b: b, name: name, ast: x, sc: sc}
	if !f.lambda {
		c.args = b.arguments(name, x, sc)
	}
	over := x.Over != nil
	b.checkCall(c, f, over)
	if x.Distinct {
		c.distinct = "DISTINCT "
	}
	if x.Filter != nil {
		c.suffix = " FILTER (WHERE " + b.implicitCast(b.expr(x.Filter, sc), types.BooleanType).SQL + ")"
	}
	if over {
		c.suffix += " OVER " + b.over(x.Over, sc)
	}
	e := f.bind(c)
	e.aggregate = f.aggregate && !over || anyAggregate(c.args)
	return e
}

func (b *binder) checkCall(c *call, f function, over bool) {
	n := len(c.args)
	if f.lambda {
		n = len(c.ast.Args)
	}
	if n < f.min || f.max >= 0 && n > f.max {
		want := fmt.Sprint(f.min)
		if f.max != f.min {
			want = fmt.Sprintf("[%d, %d]", f.min, f.max)
			if f.max < 0 {
				want = fmt.Sprintf("> %d", f.min-1)
			}
		}
		panic(
			sqlerror.New(
				"WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
				"42605",
				"The `%s` requires %s parameters but the actual number is %d.",
				c.name,
				want,
				n,
			),
		)
	}
	switch {
	case over && !f.aggregate && !f.window:
		panic(
			sqlerror.New("UNSUPPORTED_EXPR_FOR_WINDOW", "42P20", "Expression \"%s\" not supported within a window function.", generatedName(c.ast)),
		)
	case !over && f.window:
		panic(
			sqlerror.New(
				"WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
				"42601",
				"Window function \"%s\" does not have an OVER clause.",
				generatedName(c.ast),
			),
		)
	case c.ast.Filter != nil && !f.aggregate, c.ast.Distinct && !f.aggregate:
		panic(
			sqlerror.New(
				"INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
				"42000",
				"Invalid SQL syntax: The function `%s` does not support DISTINCT or FILTER.",
				c.name,
			),
		)
	case f.aggregate && !over && b.noAggregates == "WHERE":
		panic(
			sqlerror.New(
				"INVALID_WHERE_CONDITION",
				"42903",
				"The WHERE condition \"%s\" contains invalid expressions: %s. Rewrite the query to avoid window functions, aggregate functions, and generator functions in the WHERE clause.",
				generatedName(c.ast),
				generatedName(c.ast),
			),
		)
	case f.aggregate && !over && b.noAggregates != "":
		panic(
			sqlerror.New(
				"GROUP_BY_AGGREGATE",
				"42903",
				"Aggregate functions are not allowed in %s, but found %s.",
				b.noAggregates,
				generatedName(c.ast),
			),
		)
	case f.aggregate && !over && anyAggregate(c.args):
		panic(
			sqlerror.New(
				"NESTED_AGGREGATE_FUNCTION",
				"42607",
				"It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query.",
			),
		)
	}
}

// arguments binds a call's arguments. A star is replaced by the visible columns,
// except in count(*).
func (b *binder) arguments(name string, x *syntax.Call, sc *scope) []*Expr {
	var out []*Expr
	for _, a := range x.Args {
		star, ok := a.(*syntax.Star)
		switch {
		case ok && name == "count" && star.Qualifier == nil:
			out = append(out, &Expr{SQL: "*", Type: types.BigIntType})
		case ok:
			out = append(out, b.star(star, sc)...)
		default:
			out = append(out, b.expr(a, sc))
		}
	}
	return out
}

// over returns the SQL of a window.
func (b *binder) over(w *syntax.Window, sc *scope) string {
	var parts []string
	if len(w.Partition) > 0 {
		keys := make([]string, len(w.Partition))
		for i, p := range w.Partition {
			keys[i] = b.expr(p, sc).SQL
		}
		parts = append(parts, "PARTITION BY "+strings.Join(keys, ", "))
	}
	if len(w.Order) > 0 {
		keys := make([]string, len(w.Order))
		for i, o := range w.Order {
			e := b.expr(o.X, sc)
			checkOrderable(e)
			keys[i] = e.SQL + orderDirection(o)
		}
		parts = append(parts, "ORDER BY "+strings.Join(keys, ", "))
	}
	return "(" + strings.Join(parts, " ") + ")"
}

// template returns a function with fixed types. $1, $2, ... in sql stand for the
// arguments, cast to the types in params; nil accepts any type.
func template(ret *types.Type, sql string, params ...*types.Type) function {
	return function{min: len(params), max: len(params), bind: func(c *call) *Expr {
		var pairs []string
		for i, p := range params {
			if p != nil {
				c.args[i] = c.b.implicitCast(c.args[i], p)
			}
			pairs = append(pairs, fmt.Sprintf("$%d", i+1), c.args[i].SQL)
		}
		// One pass, since the SQL of an argument may contain $1.
		out := strings.NewReplacer(pairs...).Replace(sql)
		t := ret
		if t == nil {
			t = c.args[0].Type
		}
		return &Expr{SQL: out, Type: t, Nullable: anyNullable(c.args)}
	}}
}

// byArgumentCount returns the function that calls the one of fs whose number of
// arguments fits.
func byArgumentCount(fs ...function) function {
	out := function{min: fs[0].min, max: fs[0].max}
	for _, f := range fs {
		out.min, out.max = min(out.min, f.min), max(out.max, f.max)
	}
	out.bind = func(c *call) *Expr {
		for _, f := range fs {
			if n := len(c.args); n >= f.min && (f.max < 0 || n <= f.max) {
				return f.bind(c)
			}
		}
		panic(sqlerror.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `%s` does not take %d parameters.", c.name, len(c.args)))
	}
	return out
}
