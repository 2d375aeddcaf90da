package bind

import (
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/ducktype"
)

func init() {
	d, l := types.DoubleType, types.BigIntType
	for name, sql := range map[string]string{
		"sqrt": "CASE WHEN $1 < 0 THEN 'NaN'::DOUBLE ELSE sqrt($1) END", "cbrt": "cbrt($1)", "exp": "exp($1)",
		"sin": "sin($1)", "cos": "cos($1)", "tan": "tan($1)", "asin": "asin($1)", "acos": "acos($1)", "atan": "atan($1)",
		"degrees": "degrees($1)", "radians": "radians($1)",
		"ln":    "CASE WHEN $1 <= 0 THEN NULL ELSE ln($1) END",
		"log10": "CASE WHEN $1 <= 0 THEN NULL ELSE log10($1) END",
		"log2":  "CASE WHEN $1 <= 0 THEN NULL ELSE log2($1) END",
	} {
		register(name, template(d, sql, d))
	}
	register("log", byArgumentCount(template(d, "CASE WHEN $1 <= 0 THEN NULL ELSE ln($1) END", d),
		template(d, "CASE WHEN $1 <= 0 OR $2 <= 0 THEN NULL ELSE ln($2) / ln($1) END", d, d)))
	register("pow power", template(d, "pow($1, $2)", d, d))
	register("atan2", template(d, "atan2($1, $2)", d, d))
	register("pi", template(d, "pi()"))
	register("e", template(d, "exp(1.0::DOUBLE)"))
	register("rand random", function{min: 0, max: 1, bind: func(*call) *Expr { return &Expr{SQL: "random()", Type: d} }})
	register("abs", function{min: 1, max: 1, bind: bindSameType("abs(%s)")})
	register("negative", function{min: 1, max: 1, bind: bindSameType("(-%s)")})
	register("positive", function{min: 1, max: 1, bind: bindSameType("%s")})
	register("sign signum", template(d, "CAST(sign($1) AS DOUBLE)", d))
	register("round", function{min: 1, max: 2, bind: bindRound("round")})
	register("bround", function{min: 1, max: 2, bind: bindRound("round_even")})
	register("ceil ceiling", function{min: 1, max: 1, bind: bindCeil("ceil")})
	register("floor", function{min: 1, max: 1, bind: bindCeil("floor")})
	register("mod", function{min: 2, max: 2, bind: bindOperator("%")})
	register("pmod", function{min: 2, max: 2, bind: func(c *call) *Expr {
		m := c.b.arithmetic("%", c.args[0], c.args[1])
		n := c.b.losslessCast(c.args[1], m.Type)
		m.SQL = fmt.Sprintf("CASE WHEN %[1]s < 0 THEN (%[1]s + %[2]s) %% %[2]s ELSE %[1]s END", m.SQL, n.SQL)
		return m
	}})
	register("div", function{min: 2, max: 2, bind: bindOperator("DIV")})
	register("try_divide", function{min: 2, max: 2, bind: func(c *call) *Expr {
		ansi := c.b.env.ANSI
		c.b.env.ANSI = false
		defer func() { c.b.env.ANSI = ansi }()
		return c.b.arithmetic("/", c.args[0], c.args[1])
	}})
	register("greatest", function{min: 2, max: -1, bind: bindGreatestLeast("greatest")})
	register("least", function{min: 2, max: -1, bind: bindGreatestLeast("least")})
	register("nanvl", template(d, "CASE WHEN isnan($1) THEN $2 ELSE $1 END", d, d))
	register("try_add", function{min: 2, max: 2, bind: bindTry("+")})
	register("try_subtract", function{min: 2, max: 2, bind: bindTry("-")})
	register("try_multiply", function{min: 2, max: 2, bind: bindTry("*")})
	register("isnan", template(types.BooleanType, "coalesce(isnan($1), FALSE)", d))
	register("factorial", template(l, "CASE WHEN $1 < 0 OR $1 > 20 THEN NULL ELSE CAST(factorial($1) AS BIGINT) END", types.IntType))
	register("shiftleft", function{min: 2, max: 2, bind: bindShift("<<")})
	register("shiftright", function{min: 2, max: 2, bind: bindShift(">>")})
	register("bin", template(types.StringType, "bin($1)", l))
	register("bigint", function{min: 1, max: 1, bind: bindCastTo(types.BigIntType)})
	register("int", function{min: 1, max: 1, bind: bindCastTo(types.IntType)})
	register("smallint", function{min: 1, max: 1, bind: bindCastTo(types.SmallIntType)})
	register("tinyint", function{min: 1, max: 1, bind: bindCastTo(types.TinyIntType)})
	register("double", function{min: 1, max: 1, bind: bindCastTo(types.DoubleType)})
	register("float", function{min: 1, max: 1, bind: bindCastTo(types.FloatType)})
	register("boolean", function{min: 1, max: 1, bind: bindCastTo(types.BooleanType)})
	register("date", function{min: 1, max: 1, bind: bindCastTo(types.DateType)})
	register("timestamp", function{min: 1, max: 1, bind: bindCastTo(types.TimestampType)})
	register("binary", function{min: 1, max: 1, bind: bindCastTo(types.BinaryType)})
	register("decimal", function{min: 1, max: 1, bind: bindCastTo(types.DecimalOf(10, 0))})
}

func bindCastTo(t *types.Type) func(c *call) *Expr {
	return func(c *call) *Expr { return c.b.explicitCast(c.args[0], t, false) }
}

func bindOperator(op string) func(c *call) *Expr {
	return func(c *call) *Expr { return c.b.arithmetic(op, c.args[0], c.args[1]) }
}

// bindTry binds try_add and similar functions: an overflow yields NULL.
func bindTry(op string) func(c *call) *Expr {
	return func(c *call) *Expr {
		e := c.b.arithmetic(op, c.args[0], c.args[1])
		if e.Type.Kind != types.Double && e.Type.Kind != types.Float {
			// DuckDB's TRY replaces any error by NULL.
			e.SQL = "TRY(" + e.SQL + ")"
		}
		e.Nullable = true
		return e
	}
}

func (c *call) numericArgument() *Expr {
	a := c.b.numericOperand(c.args[0], &Expr{Type: types.DoubleType})
	if !a.Type.Numeric() {
		panic(
			sqlerror.TypeMismatch(
				"Cannot resolve \"%s(%s)\" due to data type mismatch: The parameter requires the \"NUMERIC\" type, however it has the type \"%s\".",
				c.name,
				a.Name,
				a.Type,
			),
		)
	}
	return a
}

func bindSameType(sql string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.numericArgument()
		return &Expr{SQL: cast(fmt.Sprintf(sql, a.SQL), a.Type), Type: a.Type, Nullable: a.Nullable}
	}
}

// bindRound binds round and bround, which require a constant scale.
func bindRound(name string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a, scale := c.numericArgument(), 0
		if len(c.args) == 2 {
			if c.args[1].text == nil {
				panic(
					sqlerror.New(
						"DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
						"42K09",
						"Cannot resolve \"%s\" due to data type mismatch: the input `scale` should be a foldable \"INT\" expression.",
						generatedName(c.ast),
					),
				)
			}
			_, _ = fmt.Sscan(*c.args[1].text, &scale) // if it is not a number, the cast below reports the error
			c.args[1] = c.b.implicitCast(c.args[1], types.IntType)
		}
		t := a.Type
		if t.Kind == types.Decimal {
			if scale < 0 {
				panic(sqlerror.Unsupported(c.name + " of a DECIMAL with a negative scale"))
			}
			s := min(scale, t.Scale)
			t = types.DecimalOf(max(t.Precision-t.Scale+s+1, 1), s)
			if name == "round_even" {
				panic(sqlerror.Unsupported("bround of a DECIMAL"))
			}
			return &Expr{SQL: cast(a.SQL, t), Type: t, Nullable: a.Nullable}
		}
		if t.Integral() && scale >= 0 {
			return a
		}
		if t.Fractional() && name == "round" {
			// Rounds the shortest decimal form, as BigDecimal does: 2.675 becomes 2.68.
			return &Expr{
				SQL:      fmt.Sprintf("CAST(dbx_round(CAST(%s AS DOUBLE), %d) AS %s)", a.SQL, scale, ducktype.Of(t)),
				Type:     t,
				Nullable: a.Nullable,
			}
		}
		return &Expr{SQL: cast(fmt.Sprintf("%s(%s, %d)", name, a.SQL, scale), t), Type: t, Nullable: a.Nullable}
	}
}

func bindCeil(name string) func(c *call) *Expr {
	return func(c *call) *Expr {
		a := c.numericArgument()
		t := types.BigIntType
		if a.Type.Kind == types.Decimal {
			t = types.DecimalOf(a.Type.Precision-a.Type.Scale+1, 0)
		}
		return &Expr{SQL: cast(name+"("+a.SQL+")", t), Type: t, Nullable: a.Nullable}
	}
}

// bindGreatestLeast binds greatest and least, which ignore NULL.
func bindGreatestLeast(name string) func(c *call) *Expr {
	return func(c *call) *Expr {
		t := c.b.castToCommonType(c.args)
		sql := name + "("
		for i, a := range c.args {
			checkOrderable(a)
			if i > 0 {
				sql += ", "
			}
			sql += a.SQL
		}
		nullable := true
		for _, a := range c.args {
			nullable = nullable && a.Nullable
		}
		return &Expr{SQL: sql + ")", Type: t, Nullable: nullable}
	}
}

func bindShift(op string) func(c *call) *Expr {
	return func(c *call) *Expr {
		t := types.IntType
		if c.args[0].Type.Kind == types.BigInt {
			t = types.BigIntType
		}
		a, n := c.b.implicitCast(c.args[0], t), c.b.implicitCast(c.args[1], types.IntType)
		sql := fmt.Sprintf(
			"dbx_shift('%s', CAST(%s AS BIGINT), CAST(%s AS BIGINT), %d)",
			op,
			a.SQL,
			n.SQL,
			map[bool]int{true: 64, false: 32}[t == types.BigIntType],
		)
		return &Expr{SQL: cast(sql, t), Type: t, Nullable: a.Nullable || n.Nullable}
	}
}
