package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	d := types.DoubleType
	register("rand random", function{min: 0, max: 1, bind: func(*call) *Expr { return &Expr{SQL: "random()", Type: d} }})
	register("abs", function{min: 1, max: 1, bind: func(c *call) *Expr {
		a := c.numericArgument()
		return &Expr{SQL: cast("abs("+a.SQL+")", a.Type), Type: a.Type, Nullable: a.Nullable}
	}})
	register("round", function{min: 1, max: 2, bind: bindRound})
	register("ceil ceiling", function{min: 1, max: 1, bind: bindCeil("ceil")})
	register("floor", function{min: 1, max: 1, bind: bindCeil("floor")})
	register("pmod", function{min: 2, max: 2, bind: func(c *call) *Expr {
		m := c.b.arithmetic("%", c.args[0], c.args[1])
		n := c.b.losslessCast(c.args[1], m.Type)
		m.SQL = fmt.Sprintf("CASE WHEN %[1]s < 0 THEN (%[1]s + %[2]s) %% %[2]s ELSE %[1]s END", m.SQL, n.SQL)
		return m
	}})
	// The errors of a division by zero recommend it.
	register("try_divide", function{min: 2, max: 2, bind: func(c *call) *Expr {
		ansi := c.b.env.ANSI
		c.b.env.ANSI = false
		defer func() { c.b.env.ANSI = ansi }()
		return c.b.arithmetic("/", c.args[0], c.args[1])
	}})
	register("greatest", function{min: 2, max: -1, bind: bindGreatestLeast("greatest")})
	register("least", function{min: 2, max: -1, bind: bindGreatestLeast("least")})
	register("isnan", template(types.BooleanType, "coalesce(isnan($1), FALSE)", d))
	for _, t := range []*types.Type{
		types.TinyIntType, types.SmallIntType, types.IntType, types.BigIntType, types.FloatType, d, types.DecimalOf(10, 0),
		types.BooleanType, types.DateType, types.TimestampType, types.BinaryType, types.StringType,
	} {
		name, _, _ := strings.Cut(strings.ToLower(t.String()), "(")
		register(name, function{min: 1, max: 1, bind: func(c *call) *Expr { return c.b.explicitCast(c.args[0], t, false) }})
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

// bindRound binds round, which requires a constant scale.
func bindRound(c *call) *Expr {
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
	switch {
	case t.Kind == types.Decimal && scale < 0:
		panic(sqlerror.NotOnDuckDB("round of a DECIMAL with a negative scale"))
	case t.Kind == types.Decimal:
		s := min(scale, t.Scale)
		t = types.DecimalOf(max(t.Precision-t.Scale+s+1, 1), s)
		return &Expr{SQL: cast(a.SQL, t), Type: t, Nullable: a.Nullable}
	case t.Fractional():
		// Rounds the shortest decimal form, as BigDecimal does: 2.675 becomes 2.68.
		return &Expr{SQL: cast(fmt.Sprintf("dbx_round(CAST(%s AS DOUBLE), %d)", a.SQL, scale), t), Type: t, Nullable: a.Nullable}
	case scale >= 0:
		return a
	}
	return &Expr{SQL: cast(fmt.Sprintf("round(%s, %d)", a.SQL, scale), t), Type: t, Nullable: a.Nullable}
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
