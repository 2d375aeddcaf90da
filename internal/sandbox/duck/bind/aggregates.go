package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func aggregate(high int, bind func(c *call) *Expr) function {
	return function{min: 1, max: high, aggregate: true, bind: bind}
}

func window(low, high int, bind func(c *call) *Expr) function {
	return function{min: low, max: high, window: true, bind: bind}
}

// aggregateSQL returns name(arguments) with DISTINCT, FILTER and OVER.
func (c *call) aggregateSQL(name string, args ...*Expr) string {
	parts := make([]string, len(args))
	for i, a := range args {
		parts[i] = a.SQL
	}
	return name + "(" + c.distinct + strings.Join(parts, ", ") + ")" + c.suffix
}

func init() {
	register("count", aggregate(-1, bindCount))
	register("count_if", aggregate(1, func(c *call) *Expr {
		a := c.b.implicitCast(c.args[0], types.BooleanType)
		return &Expr{SQL: "count(CASE WHEN " + a.SQL + " THEN 1 END)" + c.suffix, Type: types.BigIntType}
	}))
	register("sum", aggregate(1, bindSum))
	register("avg", aggregate(1, bindAvg))
	for _, name := range []string{"min", "max", "any_value"} {
		register(name, aggregate(1, func(c *call) *Expr {
			checkOrderable(c.args[0])
			return &Expr{SQL: c.aggregateSQL(name, c.args[0]), Type: c.args[0].Type, Nullable: true}
		}))
	}
	for name, t := range map[string]*types.Type{"bool_and": types.BooleanType, "bool_or": types.BooleanType, "stddev": types.DoubleType} {
		register(name, aggregate(1, func(c *call) *Expr {
			return &Expr{SQL: c.aggregateSQL(name, c.b.implicitCast(c.args[0], t)), Type: t, Nullable: true}
		}))
	}
	register("approx_count_distinct", aggregate(2, func(c *call) *Expr {
		// The exact count is within every permitted error.
		return &Expr{SQL: "count(DISTINCT " + c.args[0].SQL + ")" + c.suffix, Type: types.BigIntType}
	}))
	register("collect_list array_agg", aggregate(1, bindCollect("")))
	register("collect_set", aggregate(1, bindCollect("DISTINCT ")))
	register("string_agg listagg", aggregate(2, bindListagg))
	for _, name := range []string{"row_number", "rank", "dense_rank"} {
		register(name, window(0, 0, func(c *call) *Expr {
			return &Expr{SQL: cast(c.aggregateSQL(name), types.IntType), Type: types.IntType}
		}))
	}
	register("lag", window(1, 3, bindLag))
	register("lead", window(1, 3, bindLag))
}

func bindCount(c *call) *Expr {
	e := &Expr{Type: types.BigIntType}
	switch {
	case len(c.args) == 1:
		e.SQL = c.aggregateSQL("count", c.args[0])
	default:
		// count(a, b) counts the rows in which no argument is NULL.
		nulls := make([]string, len(c.args))
		values := make([]string, len(c.args))
		for i, a := range c.args {
			nulls[i], values[i] = a.SQL+" IS NULL", a.SQL
		}
		e.SQL = fmt.Sprintf(
			"count(%sCASE WHEN %s THEN NULL ELSE row(%s) END)%s",
			c.distinct,
			strings.Join(nulls, " OR "),
			strings.Join(values, ", "),
			c.suffix,
		)
	}
	return e
}

func bindSum(c *call) *Expr {
	a := c.b.numericOperand(c.args[0], &Expr{Type: types.DoubleType})
	switch {
	case a.Type.Integral():
		return &Expr{SQL: cast(c.aggregateSQL("sum", a), types.BigIntType), Type: types.BigIntType, Nullable: true}
	case a.Type.Kind == types.Decimal:
		t := types.DecimalOf(min(38, a.Type.Precision+10), a.Type.Scale)
		return &Expr{SQL: cast(c.aggregateSQL("sum", a), t), Type: t, Nullable: true}
	case a.Type.Fractional():
		return &Expr{SQL: c.aggregateSQL("sum", c.b.losslessCast(a, types.DoubleType)), Type: types.DoubleType, Nullable: true}
	}
	panic(
		sqlerror.TypeMismatch(
			"Cannot resolve \"sum(%s)\" due to data type mismatch: The first parameter requires the \"NUMERIC\" type, however it has the type \"%s\".",
			a.Name,
			a.Type,
		),
	)
}

func bindAvg(c *call) *Expr {
	a := c.b.numericOperand(c.args[0], &Expr{Type: types.DoubleType})
	if a.Type.Kind == types.Decimal {
		t := types.DecimalOf(a.Type.Precision+4, a.Type.Scale+4)
		sum, count := c.aggregateSQL("sum", a), c.aggregateSQL("count", a)
		return &Expr{SQL: cast(decimalOpSQL(sum, "nullif("+count+", 0)", "/", t.Scale), t), Type: t, Nullable: true}
	}
	if !a.Type.Numeric() {
		panic(
			sqlerror.TypeMismatch(
				"Cannot resolve \"avg(%s)\" due to data type mismatch: The first parameter requires the \"NUMERIC\" type, however it has the type \"%s\".",
				a.Name,
				a.Type,
			),
		)
	}
	return &Expr{SQL: c.aggregateSQL("avg", c.b.losslessCast(a, types.DoubleType)), Type: types.DoubleType, Nullable: true}
}

func bindCollect(distinct string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.args[0]
		if distinct == "" {
			distinct = c.distinct
		}
		sql := fmt.Sprintf("coalesce(list(%s%s) FILTER (WHERE %s IS NOT NULL)", distinct, a.SQL, a.SQL)
		if c.ast.Filter != nil {
			panic(sqlerror.NotOnDuckDB("FILTER with " + c.name))
		}
		return &Expr{SQL: sql + c.suffix + ", [])", Type: types.ArrayOf(a.Type)}
	}
}

func bindListagg(c *call) *Expr {
	delimiter := "''"
	if len(c.args) == 2 {
		delimiter = c.b.implicitCast(c.args[1], types.StringType).SQL
	}
	order := ""
	if len(c.ast.WithinGroup) > 0 {
		keys := make([]string, len(c.ast.WithinGroup))
		for i, o := range c.ast.WithinGroup {
			keys[i] = c.b.expr(o.X, c.sc).SQL + orderDirection(o)
		}
		order = " ORDER BY " + strings.Join(keys, ", ")
	}
	sql := fmt.Sprintf("string_agg(%s%s, %s%s)%s", c.distinct, c.b.implicitCast(c.args[0], types.StringType).SQL, delimiter, order, c.suffix)
	return &Expr{SQL: sql, Type: types.StringType, Nullable: true}
}

func bindLag(c *call) *Expr {
	args := []*Expr{c.args[0]}
	t := c.args[0].Type
	if len(c.args) > 1 {
		args = append(args, c.b.implicitCast(c.args[1], types.IntType))
	}
	if len(c.args) > 2 {
		pair := []*Expr{c.args[0], c.args[2]}
		t = c.b.castToCommonType(pair)
		args[0] = pair[0]
		args = append(args, pair[1])
	}
	return &Expr{SQL: c.aggregateSQL(c.name, args...), Type: t, Nullable: true}
}
