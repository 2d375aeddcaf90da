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
		"year": "year(%s)", "month": "month(%s)", "day dayofmonth": "day(%s)", "quarter": "quarter(%s)",
		"hour": "hour(%s)", "minute": "minute(%s)", "second": "second(%s)",
		"dayofweek": "(dayofweek(%s) + 1)", "weekday": "(isodow(%s) - 1)", "dayofyear": "dayofyear(%s)", "weekofyear": "weekofyear(%s)",
	} {
		register(name, function{min: 1, max: 1, bind: func(c *call) *Expr { return c.timePart(c.args[0], sql) }})
	}
	register("extract date_part datepart", function{min: 2, max: 2, bind: bindExtract})
	register("current_timestamp now", function{bind: func(c *call) *Expr {
		return &Expr{SQL: timestampSQL(c.b.env.Now.UnixMicro()), Type: ts}
	}})
	register("localtimestamp", function{bind: func(c *call) *Expr {
		return &Expr{SQL: c.b.toLocalTime(timestampSQL(c.b.env.Now.UnixMicro()), ts), Type: types.TimestampNTZType}
	}})
	register("current_date curdate", function{bind: func(c *call) *Expr {
		return &Expr{SQL: "CAST(" + c.b.toLocalTime(timestampSQL(c.b.env.Now.UnixMicro()), ts) + " AS DATE)", Type: date}
	}})
	register("current_timezone", function{bind: func(c *call) *Expr {
		return c.b.stringLiteral(c.b.env.Zone)
	}})
	register("unix_micros", template(l, "epoch_us($1)", ts))
	register("unix_millis", template(l, "CAST(floor(epoch_us($1) / 1000) AS BIGINT)", ts))
	register("unix_seconds", template(l, "CAST(floor(epoch_us($1) / 1000000) AS BIGINT)", ts))
	register("timestamp_micros", template(ts, "make_timestamp($1)", l))
	register("timestamp_millis", template(ts, "make_timestamp($1 * 1000)", l))
	register("timestamp_seconds", function{min: 1, max: 1, bind: func(c *call) *Expr {
		return c.b.explicitCast(c.numericArgument(), ts, false)
	}})
	register("unix_date", template(i, "CAST(datediff('day', DATE '1970-01-01', $1) AS INTEGER)", date))
	register("date_from_unix_date", template(date, "(DATE '1970-01-01' + $1)", i))
	register("unix_timestamp to_unix_timestamp", function{min: 0, max: 2, bind: bindUnixTimestamp})
	register("from_unixtime", function{min: 1, max: 2, bind: func(c *call) *Expr {
		x := c.b.explicitCast(c.b.implicitCast(c.args[0], l), ts, false)
		return &Expr{SQL: c.b.formatTime(x.SQL, ts, c.constantArgument(1, "yyyy-MM-dd HH:mm:ss")), Type: s, Nullable: x.Nullable}
	}})
	register("to_date", function{min: 1, max: 2, bind: bindParse(date, false)})
	register("to_timestamp", function{min: 1, max: 2, bind: bindParse(ts, false)})
	register("to_timestamp_ntz", function{min: 1, max: 2, bind: bindParse(types.TimestampNTZType, false)})
	register("try_to_timestamp", function{min: 1, max: 2, bind: bindParse(ts, true)})
	register("try_to_date", function{min: 1, max: 2, bind: bindParse(date, true)})
	register("date_format", function{min: 2, max: 2, bind: func(c *call) *Expr {
		x := c.timeArgument(0)
		return &Expr{SQL: c.b.formatTime(x.SQL, x.Type, c.constantArgument(1, "")), Type: s, Nullable: x.Nullable}
	}})
	register(
		"date_add dateadd timestampadd",
		byArgumentCount(template(date, "($1 + $2)", date, i), function{min: 3, max: 3, bind: bindDateAdd}),
	)
	register("date_sub", template(date, "($1 - $2)", date, i))
	register(
		"datediff date_diff timestampdiff",
		byArgumentCount(template(i, "CAST(datediff('day', $2, $1) AS INTEGER)", date, date), function{min: 3, max: 3, bind: bindDateDiff}),
	)
	register("add_months", template(date, "CAST($1 + to_months($2) AS DATE)", date, i))
	register("next_day", function{min: 2, max: 2, bind: bindNextDay})
	register("last_day", template(date, "last_day($1)", date))
	register("make_date", template(date, "make_date(CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT))", i, i, i))
	register("make_timestamp", function{min: 6, max: 6, bind: func(c *call) *Expr {
		e := template(
			ts,
			"make_timestamp(CAST($1 AS BIGINT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), $6)",
			i,
			i,
			i,
			i,
			i,
			types.DoubleType,
		).bind(c)
		e.SQL = c.b.fromLocalTime(e.SQL)
		return e
	}})
	register("date_trunc", function{min: 2, max: 2, bind: func(c *call) *Expr { return bindTrunc(c, 0, 1, false) }})
	register("trunc", function{min: 2, max: 2, bind: func(c *call) *Expr { return bindTrunc(c, 1, 0, true) }})
	register("from_utc_timestamp", template(ts, "timezone($2, timezone('UTC', $1))", ts, s))
	register("to_utc_timestamp", template(ts, "timezone('UTC', timezone($2, $1))", ts, s))
	register("dayname", function{min: 1, max: 1, bind: func(c *call) *Expr {
		x := c.timeArgument(0)
		return &Expr{SQL: c.b.formatTime(x.SQL, x.Type, "EEE"), Type: s, Nullable: x.Nullable}
	}})
	register("typeof", function{min: 1, max: 1, bind: func(c *call) *Expr { return c.b.stringLiteral(c.args[0].Type.SimpleString()) }})
}

// timeArgument returns a date or timestamp argument; text is cast to a timestamp.
func (c *call) timeArgument(i int) *Expr {
	x := c.args[i]
	if !x.Type.Temporal() {
		x = c.b.implicitCast(x, types.TimestampType)
	}
	return x
}

// timePart extracts an integer part of a timestamp's local time.
func (c *call) timePart(a *Expr, sql string) *Expr {
	if !a.Type.Temporal() {
		a = c.b.implicitCast(a, types.TimestampType)
	}
	return &Expr{SQL: "CAST(" + fmt.Sprintf(sql, c.b.toLocalTime(a.SQL, a.Type)) + " AS INTEGER)", Type: types.IntType, Nullable: a.Nullable}
}

// constantArgument returns the value of an argument that must be a literal.
func (c *call) constantArgument(i int, otherwise string) string {
	if len(c.args) <= i {
		return otherwise
	}
	if c.args[i].text == nil {
		panic(sqlerror.Unsupported(c.name + " with a pattern that is not a literal"))
	}
	return *c.args[i].text
}

func bindExtract(c *call) *Expr {
	unit := strings.ToUpper(c.constantArgument(0, ""))
	if unit == "SECOND" || unit == "SECONDS" || unit == "S" {
		x := c.timeArgument(1)
		t := types.DecimalOf(8, 6)
		sql := fmt.Sprintf("CAST(((epoch_us(%s) %% 60000000 + 60000000) %% 60000000) / 1000000 AS DECIMAL(8,6))", x.SQL)
		return &Expr{SQL: sql, Type: t, Nullable: x.Nullable}
	}
	name := map[string]string{"YEAR": "year", "YEARS": "year", "QUARTER": "quarter", "MONTH": "month", "MONTHS": "month", "WEEK": "weekofyear", "WEEKS": "weekofyear",
		"DAY": "day", "DAYS": "day", "DAYOFWEEK": "dayofweek", "DOW": "dayofweek", "DOW_ISO": "weekday", "DOY": "dayofyear", "DAYOFYEAR": "dayofyear", "HOUR": "hour", "HOURS": "hour", "MINUTE": "minute", "MINUTES": "minute"}[unit]
	if name == "" || name == "weekday" {
		panic(sqlerror.New("INVALID_EXTRACT_FIELD", "42000", "Cannot extract `%s` from \"%s\".", unit, c.args[1].Name))
	}
	inner := &call{b: c.b, name: name, args: c.args[1:], ast: c.ast, sc: c.sc}
	return functions[name].bind(inner)
}

// bindParse binds to_date and to_timestamp, with or without a pattern.
func bindParse(t *types.Type, try bool) func(c *call) *Expr {
	return func(c *call) *Expr {
		if len(c.args) == 1 {
			return c.b.explicitCast(c.args[0], t, try)
		}
		m := c.b.sessionCastMode()
		if try {
			m = castTry
		}
		x := c.b.implicitCast(c.args[0], types.StringType)
		zone := c.b.zone()
		if t.Kind != types.Timestamp {
			zone = "UTC"
		}
		sql := fmt.Sprintf(
			"make_timestamp(dbx_parse_timestamp(%s, %s, %s, '%s'))",
			x.SQL,
			StringLiteral(c.constantArgument(1, "")),
			StringLiteral(zone),
			m,
		)
		if t.Kind == types.Date {
			sql = "CAST(" + sql + " AS DATE)"
		}
		return &Expr{SQL: sql, Type: t, Nullable: x.Nullable || m != castANSI}
	}
}

func bindUnixTimestamp(c *call) *Expr {
	seconds := "CAST(floor(epoch_us(%s) / 1000000) AS BIGINT)"
	if len(c.args) == 0 {
		return &Expr{SQL: fmt.Sprintf(seconds, timestampSQL(c.b.env.Now.UnixMicro())), Type: types.BigIntType}
	}
	x := c.args[0]
	if x.Type.Kind == types.String {
		args := c.args
		if len(args) == 1 {
			args = append(args, c.b.stringLiteral("yyyy-MM-dd HH:mm:ss"))
		}
		x = bindParse(types.TimestampType, false)(&call{b: c.b, name: c.name, args: args, ast: c.ast, sc: c.sc})
	}
	x = c.b.implicitCast(x, types.TimestampType)
	return &Expr{SQL: fmt.Sprintf(seconds, x.SQL), Type: types.BigIntType, Nullable: x.Nullable}
}

// bindNextDay binds next_day(date, 'MON').
func bindNextDay(c *call) *Expr {
	days := map[string]int{"MO": 1, "TU": 2, "WE": 3, "TH": 4, "FR": 5, "SA": 6, "SU": 7}
	name := strings.ToUpper(c.constantArgument(1, ""))
	d := days[name[:min(2, len(name))]]
	if d == 0 {
		panic(sqlerror.New("ILLEGAL_DAY_OF_WEEK", "22009", "Illegal input for day of week: %s.", name))
	}
	x := c.b.implicitCast(c.args[0], types.DateType)
	return &Expr{
		SQL:      fmt.Sprintf("(%[1]s + CAST((%[2]d - isodow(%[1]s) + 6) %% 7 + 1 AS INTEGER))", x.SQL, d),
		Type:     types.DateType,
		Nullable: x.Nullable,
	}
}

var unitFunctions = map[string]string{
	"YEAR":        "to_years",
	"QUARTER":     "to_quarters",
	"MONTH":       "to_months",
	"WEEK":        "to_weeks",
	"DAY":         "to_days",
	"DAYOFYEAR":   "to_days",
	"HOUR":        "to_hours",
	"MINUTE":      "to_minutes",
	"SECOND":      "to_seconds",
	"MILLISECOND": "to_milliseconds",
	"MICROSECOND": "to_microseconds",
}

// bindDateAdd binds dateadd(unit, n, t).
func bindDateAdd(c *call) *Expr {
	unit := c.constantArgument(0, "")
	n, x := c.b.implicitCast(c.args[1], types.IntType), c.timeArgument(2)
	if x.Type.Kind == types.Date {
		x = c.b.implicitCast(x, types.TimestampType)
	}
	f := unitFunctions[unit]
	if f == "" {
		panic(
			sqlerror.New(
				"INVALID_PARAMETER_VALUE.DATETIME_UNIT",
				"22023",
				"The value of parameter(s) `unit` in `%s` is invalid: expects one of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but got the string literal '%s'.",
				c.name,
				unit,
			),
		)
	}
	sql := fmt.Sprintf("(%s + %s(%s))", c.b.toLocalTime(x.SQL, x.Type), f, n.SQL)
	if x.Type.Kind == types.Timestamp {
		sql = c.b.fromLocalTime(sql)
	}
	return &Expr{SQL: sql, Type: x.Type, Nullable: n.Nullable || x.Nullable}
}

// bindDateDiff binds datediff(unit, from, to): the number of whole units in between.
func bindDateDiff(c *call) *Expr {
	unit := c.constantArgument(0, "")
	from, to := c.b.implicitCast(c.timeArgument(1), types.TimestampType), c.b.implicitCast(c.timeArgument(2), types.TimestampType)
	if unitFunctions[unit] == "" {
		panic(
			sqlerror.New(
				"INVALID_PARAMETER_VALUE.DATETIME_UNIT",
				"22023",
				"The value of parameter(s) `unit` in `%s` is invalid: '%s'.",
				c.name,
				unit,
			),
		)
	}
	return &Expr{
		SQL: fmt.Sprintf(
			"datesub('%s', %s, %s)",
			strings.ToLower(strings.ReplaceAll(unit, "DAYOFYEAR", "DAY")),
			c.b.toLocalTime(from.SQL, from.Type),
			c.b.toLocalTime(to.SQL, to.Type),
		),
		Type:     types.BigIntType,
		Nullable: from.Nullable || to.Nullable,
	}
}

// bindTrunc binds trunc and date_trunc.
func bindTrunc(c *call, unitAt, valueAt int, day bool) *Expr {
	unit := strings.ToLower(c.constantArgument(unitAt, ""))
	unit = map[string]string{"yyyy": "year", "yy": "year", "year": "year", "quarter": "quarter", "mon": "month", "month": "month", "mm": "month", "week": "week",
		"dd": "day", "day": "day", "hour": "hour", "minute": "minute", "second": "second", "millisecond": "millisecond", "microsecond": "microsecond"}[unit]
	x := c.b.implicitCast(c.args[valueAt], map[bool]*types.Type{true: types.DateType, false: types.TimestampType}[day])
	if c.args[valueAt].Type.Kind == types.TimestampNTZ && !day {
		x = c.args[valueAt]
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
