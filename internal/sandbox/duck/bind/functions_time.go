package bind

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func init() {
	s, i, l := types.StringType, types.IntType, types.BigIntType
	date, ts := types.DateType, types.TimestampType
	for name, sql := range map[string]string{
		"year": "year(%s)", "quarter": "quarter(%s)", "month": "month(%s)", "weekofyear": "weekofyear(%s)", "day": "day(%s)",
		"dayofweek": "(dayofweek(%s) + 1)", "hour": "hour(%s)", "minute": "minute(%s)", "second": "second(%s)",
	} {
		register(name, function{min: 1, max: 1, bind: func(c *call) *Expr {
			x := c.timeArgument(0)
			return &Expr{SQL: cast(fmt.Sprintf(sql, c.b.toLocalTime(x.SQL, x.Type)), i), Type: i, Nullable: x.Nullable}
		}})
	}
	register("current_timestamp now", function{bind: func(c *call) *Expr {
		return &Expr{SQL: timestampSQL(c.b.env.Now.UnixMicro()), Type: ts}
	}})
	register("current_date", function{bind: func(c *call) *Expr {
		return &Expr{SQL: cast(c.b.toLocalTime(timestampSQL(c.b.env.Now.UnixMicro()), ts), date), Type: date}
	}})
	register("current_timezone", function{bind: func(c *call) *Expr { return c.b.stringLiteral(c.b.env.Zone) }})
	register("unix_micros", template(l, "epoch_us($1)", ts))
	register("timestamp_micros", template(ts, "make_timestamp($1)", l))
	register("timestamp_millis", template(ts, "make_timestamp($1 * 1000)", l))
	register("timestamp_seconds", function{min: 1, max: 1, bind: func(c *call) *Expr {
		return c.b.explicitCast(c.numericArgument(), ts, false)
	}})
	register("to_date", function{min: 1, max: 2, bind: bindParse(date)})
	register("to_timestamp", function{min: 1, max: 2, bind: bindParse(ts)})
	register("date_format", function{min: 2, max: 2, bind: func(c *call) *Expr {
		x := c.timeArgument(0)
		return &Expr{SQL: c.b.formatTime(x.SQL, x.Type, c.constantArgument(1)), Type: s, Nullable: x.Nullable}
	}})
	register("date_add dateadd", byArgumentCount(template(date, "($1 + $2)", date, i), withUnit))
	register("date_sub", template(date, "($1 - $2)", date, i))
	register("datediff date_diff", byArgumentCount(template(i, "CAST(datediff('day', $2, $1) AS INTEGER)", date, date), withUnit))
	register("add_months", template(date, "CAST($1 + to_months($2) AS DATE)", date, i))
	register("last_day", template(date, "last_day($1)", date))
	register("date_trunc", function{min: 2, max: 2, bind: bindTrunc})
	register("typeof", function{min: 1, max: 1, bind: func(c *call) *Expr { return c.b.stringLiteral(c.args[0].Type.SimpleString()) }})
}

// withUnit is dateadd(unit, n, t) or datediff(unit, from, to).
var withUnit = function{min: 3, max: 3, bind: func(c *call) *Expr {
	panic(sqlerror.NotOnDuckDB(c.name + " with a unit"))
}}

// timeArgument returns a date or timestamp argument; text is cast to a timestamp.
func (c *call) timeArgument(i int) *Expr {
	x := c.args[i]
	if !x.Type.Temporal() {
		x = c.b.implicitCast(x, types.TimestampType)
	}
	return x
}

// constantArgument returns the value of an argument that must be a literal.
func (c *call) constantArgument(i int) string {
	if c.args[i].text == nil {
		panic(sqlerror.NotOnDuckDB(c.name + " with a pattern that is not a literal"))
	}
	return *c.args[i].text
}

// bindParse binds to_date and to_timestamp of text in the form of a cast.
func bindParse(t *types.Type) func(c *call) *Expr {
	return func(c *call) *Expr {
		if len(c.args) > 1 {
			panic(sqlerror.NotOnDuckDB(c.name + " with a pattern"))
		}
		return c.b.explicitCast(c.args[0], t, false)
	}
}

func bindTrunc(c *call) *Expr {
	unit := strings.ToLower(c.constantArgument(0))
	unit = map[string]string{"yyyy": "year", "yy": "year", "year": "year", "quarter": "quarter", "mon": "month", "month": "month", "mm": "month", "week": "week",
		"dd": "day", "day": "day", "hour": "hour", "minute": "minute", "second": "second", "millisecond": "millisecond", "microsecond": "microsecond"}[unit]
	x := c.args[1]
	if x.Type.Kind != types.TimestampNTZ {
		x = c.b.implicitCast(x, types.TimestampType)
	}
	if unit == "" {
		return &Expr{SQL: cast("NULL", x.Type), Type: x.Type, Nullable: true}
	}
	sql := fmt.Sprintf("date_trunc('%s', %s)", unit, c.b.toLocalTime(x.SQL, x.Type))
	if x.Type.Kind == types.Timestamp {
		sql = c.b.fromLocalTime(sql)
	}
	return &Expr{SQL: cast(sql, x.Type), Type: x.Type, Nullable: x.Nullable}
}
