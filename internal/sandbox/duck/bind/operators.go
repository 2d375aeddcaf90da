package bind

import (
	"fmt"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

func (b *binder) binary(x *syntax.Binary, sc *scope) *Expr {
	b.depth++
	defer func() { b.depth-- }()
	l, r := b.expr(x.L, sc), b.expr(x.R, sc)
	out := b.operate(x.Op, l, r)
	out.aggregate = l.aggregate || r.aggregate
	return out
}

func (b *binder) operate(op string, l, r *Expr) *Expr {
	switch op {
	case "AND", "OR":
		l, r = b.implicitCast(l, types.BooleanType), b.implicitCast(r, types.BooleanType)
		return infix(op, l, r, types.BooleanType)
	case "=", "<>", "<", ">", "<=", ">=", "<=>":
		return b.compare(op, l, r)
	case "||":
		return b.concat([]*Expr{l, r})
	}
	if e := b.timeArithmetic(op, l, r); e != nil {
		return e
	}
	return b.arithmetic(op, l, r)
}

func infix(op string, l, r *Expr, t *types.Type) *Expr {
	return &Expr{SQL: fmt.Sprintf("(%s %s %s)", l.SQL, op, r.SQL), Type: t, Nullable: l.Nullable || r.Nullable}
}

func (b *binder) compare(op string, l, r *Expr) *Expr {
	pair := []*Expr{l, r}
	t := types.Common(l.Type, r.Type)
	if t == nil {
		panic(
			sqlerror.New(
				"DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES",
				"42K09",
				"Cannot resolve \"(%s %s %s)\" due to data type mismatch: the left and right operands of the binary operator have incompatible types (\"%s\" and \"%s\").",
				l.Name,
				op,
				r.Name,
				l.Type,
				r.Type,
			),
		)
	}
	if t.Contains(types.Map) {
		panic(
			sqlerror.New(
				"DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
				"42K09",
				"Cannot resolve \"(%s %s %s)\" due to data type mismatch: The `%s` does not support ordering on type \"%s\".",
				l.Name,
				op,
				r.Name,
				op,
				t,
			),
		)
	}
	b.castToCommonType(pair)
	if op == "<=>" {
		op = "IS NOT DISTINCT FROM"
	}
	e := infix(op, pair[0], pair[1], types.BooleanType)
	if op == "IS NOT DISTINCT FROM" {
		e.Nullable = false
	}
	return e
}

func (b *binder) panicBadOperands(op string, l, r *Expr, want string) {
	panic(
		sqlerror.New(
			"DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE",
			"42K09",
			"Cannot resolve \"(%s %s %s)\" due to data type mismatch: the binary operator requires the input type \"%s\", not \"%s\" and \"%s\".",
			l.Name,
			op,
			r.Name,
			want,
			l.Type,
			r.Type,
		),
	)
}

// arithmetic binds an arithmetic operator with Spark's result types and rules for
// overflow and division by zero.
func (b *binder) arithmetic(op string, l, r *Expr) *Expr {
	if l.Type.Kind == types.String && r.Type.Kind == types.String && b.env.ANSI {
		b.panicBadOperands(op, l, r, "NUMERIC")
	}
	l, r = b.numericOperand(l, r), b.numericOperand(r, l)
	if !l.Type.Numeric() || !r.Type.Numeric() {
		b.panicBadOperands(op, l, r, "NUMERIC")
	}
	nullable := l.Nullable || r.Nullable || !b.env.ANSI
	if op == "/" && l.Type.Kind != types.Decimal && r.Type.Kind != types.Decimal || op == "/" && (l.Type.Fractional() || r.Type.Fractional()) {
		l, r = b.losslessCast(l, types.DoubleType), b.losslessCast(r, types.DoubleType)
		return &Expr{SQL: fmt.Sprintf("(%s / %s)", l.SQL, b.divisor(r)), Type: types.DoubleType, Nullable: nullable}
	}
	if op == "DIV" {
		if l.Type.Integral() && r.Type.Integral() {
			l, r = b.losslessCast(l, types.BigIntType), b.losslessCast(r, types.BigIntType)
			return &Expr{SQL: fmt.Sprintf("(%s // %s)", l.SQL, b.divisor(r)), Type: types.BigIntType, Nullable: nullable}
		}
		l, r = b.explicitCast(l, types.DecimalOf(38, 18), false), b.explicitCast(r, types.DecimalOf(38, 18), false)
		return &Expr{
			SQL:      fmt.Sprintf("CAST(trunc(CAST(%s AS DECIMAL(38,6))) AS BIGINT)", decimalOpSQL(l.SQL, b.divisor(r), "/", 18)),
			Type:     types.BigIntType,
			Nullable: nullable,
		}
	}
	if (l.Type.Kind == types.Decimal || r.Type.Kind == types.Decimal) && !l.Type.Fractional() && !r.Type.Fractional() {
		return b.decimalArithmetic(op, l, r, nullable)
	}
	pair := []*Expr{l, r}
	t := b.castToCommonType(pair)
	if op == "%" {
		return &Expr{SQL: fmt.Sprintf("(%s %% %s)", pair[0].SQL, b.divisor(pair[1])), Type: t, Nullable: nullable}
	}
	out := infix(op, pair[0], pair[1], t)
	out.Nullable = nullable
	return out
}

// numericOperand casts a string or NULL to a number.
func (b *binder) numericOperand(e, other *Expr) *Expr {
	switch e.Type.Kind {
	case types.Void:
		if other.Type.Numeric() {
			return b.losslessCast(e, other.Type)
		}
		return b.losslessCast(e, types.IntType)
	case types.String:
		if other.Type.Integral() {
			return b.implicitCast(e, types.BigIntType)
		}
		return b.implicitCast(e, types.DoubleType)
	}
	return e
}

// divisor returns the divisor. Zero raises an error in ANSI mode, and becomes NULL
// otherwise.
func (b *binder) divisor(r *Expr) string {
	if !b.env.ANSI {
		return fmt.Sprintf("nullif(%s, 0)", r.SQL)
	}
	message := "'Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead. If necessary set \"ansi_mode\" to \"false\" to bypass this error.'"
	return fmt.Sprintf("CASE WHEN %s = 0 THEN %s ELSE %s END", r.SQL, raiseSQL("DIVIDE_BY_ZERO", "22012", message), r.SQL)
}

// decimalOpSQL computes exactly on decimals, with a routine in Go.
func decimalOpSQL(l, r, op string, scale int) string {
	return fmt.Sprintf("dbx_decimal_op('%s', CAST(%s AS VARCHAR), CAST(%s AS VARCHAR), %d)", op, l, r, scale)
}

func (b *binder) decimalArithmetic(op string, l, r *Expr, nullable bool) *Expr {
	lt, rt := decimalOperand(l), decimalOperand(r)
	l, r = b.losslessCast(l, lt), b.losslessCast(r, rt)
	p1, s1, p2, s2 := lt.Precision, lt.Scale, rt.Precision, rt.Scale
	scale := max(s1, s2)
	out := &Expr{Nullable: nullable}
	switch op {
	case "+", "-":
		out.Type = types.DecimalOf(max(p1-s1, p2-s2)+scale+1, scale)
		out.SQL = cast(fmt.Sprintf("(%s %s %s)", cast(l.SQL, out.Type), op, cast(r.SQL, out.Type)), out.Type)
	case "*":
		out.Type = types.DecimalOf(p1+p2+1, s1+s2)
		out.SQL = cast(fmt.Sprintf("(%s * %s)", l.SQL, r.SQL), out.Type)
		if p1+p2 > 38 {
			out.SQL = cast(fmt.Sprintf("dbx_decimal_op('*', CAST(%s AS VARCHAR), CAST(%s AS VARCHAR), %d)", l.SQL, r.SQL, out.Type.Scale), out.Type)
		}
	case "/":
		s := max(6, s1+p2+1)
		out.Type = types.DecimalOf(p1-s1+s2+s, s)
		out.SQL = cast(decimalOpSQL(l.SQL, b.divisor(r), op, out.Type.Scale), out.Type)
	default:
		out.Type = types.DecimalOf(min(p1-s1, p2-s2)+scale, scale)
		out.SQL = cast(decimalOpSQL(l.SQL, b.divisor(r), op, out.Type.Scale), out.Type)
	}
	return out
}

// decimalOperand returns the decimal type of an operand. A literal takes only the
// digits with which it is written.
func decimalOperand(e *Expr) *types.Type {
	if e.Type.Integral() && e.literal && e.text != nil {
		n := len(*e.text)
		if n > 0 && (*e.text)[0] == '-' {
			n--
		}
		return types.DecimalOf(max(n, 1), 0)
	}
	return e.Type.AsDecimal()
}

// timeArithmetic binds arithmetic on dates, timestamps and intervals; nil for other
// operands.
func (b *binder) timeArithmetic(op string, l, r *Expr) *Expr {
	lt, rt := l.Type, r.Type
	nullable := l.Nullable || r.Nullable
	switch {
	case lt.Kind == types.Interval && rt.Kind == types.Interval && (op == "+" || op == "-"):
		return infix(op, l, r, types.IntervalType)
	case lt.Kind == types.Interval && rt.Numeric() && op == "*" || rt.Kind == types.Interval && lt.Numeric() && op == "*":
		return infix(op, l, r, types.IntervalType)
	case lt.Kind == types.Interval && op == "+" && rt.Temporal():
		return b.timeArithmetic(op, r, l)
	case rt.Kind == types.Interval && (op == "+" || op == "-"):
		if lt.Kind == types.String {
			l = b.implicitCast(l, types.TimestampType)
		}
		if !l.Type.Temporal() {
			b.panicBadOperands(op, l, r, "DATE or TIMESTAMP")
		}
		sql := fmt.Sprintf("(%s %s %s)", b.toLocalTime(l.SQL, l.Type), op, r.SQL)
		if l.Type.Kind == types.Date {
			t := types.DateType
			if !isDayInterval(r) {
				return &Expr{SQL: b.fromLocalTime(sql), Type: types.TimestampType, Nullable: nullable}
			}
			return &Expr{SQL: cast(sql, t), Type: t, Nullable: nullable}
		}
		if l.Type.Kind == types.Timestamp {
			sql = b.fromLocalTime(sql)
		}
		return &Expr{SQL: sql, Type: l.Type, Nullable: nullable}
	case lt.Kind == types.Date && (op == "+" || op == "-") && rt.Integral():
		if rt.Kind == types.BigInt {
			b.panicBadOperands(op, l, r, "INT")
		}
		return &Expr{SQL: fmt.Sprintf("(%s %s %s)", l.SQL, op, cast(r.SQL, types.IntType)), Type: types.DateType, Nullable: nullable}
	case rt.Kind == types.Date && op == "+" && lt.Integral():
		return b.timeArithmetic(op, r, l)
	case op == "-" && (lt.Temporal() && (rt.Temporal() || rt.Kind == types.String) || rt.Temporal() && lt.Kind == types.String):
		pair := []*Expr{l, r}
		b.castToCommonType(pair)
		return &Expr{
			SQL:      fmt.Sprintf("(CAST(%s AS TIMESTAMP) - CAST(%s AS TIMESTAMP))", pair[0].SQL, pair[1].SQL),
			Type:     types.IntervalType,
			Nullable: nullable,
		}
	}
	return nil
}

// isDayInterval reports whether an interval consists of days or longer units, so that
// adding it to a date yields a date.
func isDayInterval(e *Expr) bool { return e.text != nil && *e.text == "days" }

func (b *binder) interval(x *syntax.Interval, sc *scope) *Expr {
	sql, kind := "", "days"
	for i, v := range x.Values {
		e := b.expr(v, sc)
		switch x.Units[i] {
		case "YEAR", "QUARTER", "MONTH", "WEEK", "DAY":
		case "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND":
			kind = "time"
		default:
			panic(sqlerror.New("INVALID_INTERVAL_FORMAT.INVALID_UNIT", "22006", "Error parsing '%s' to interval. Invalid unit.", x.Units[i]))
		}
		function := "to_" + map[string]string{"YEAR": "years", "QUARTER": "quarters", "MONTH": "months", "WEEK": "weeks", "DAY": "days", "HOUR": "hours", "MINUTE": "minutes", "SECOND": "seconds", "MILLISECOND": "milliseconds", "MICROSECOND": "microseconds"}[x.Units[i]]
		if x.Units[i] == "SECOND" {
			e = b.explicitCast(e, types.DoubleType, false)
		} else {
			e = b.explicitCast(e, types.BigIntType, false)
			if kind == "days" {
				e.SQL = cast(e.SQL, types.IntType)
			}
		}
		if i > 0 {
			sql += " + "
		}
		sql += function + "(" + e.SQL + ")"
	}
	return &Expr{SQL: "(" + sql + ")", Type: types.IntervalType, text: &kind}
}

// concat concatenates strings, binaries or arrays.
func (b *binder) concat(args []*Expr) *Expr {
	nullable := anyNullable(args)
	if len(args) == 0 {
		return &Expr{SQL: "''", Type: types.StringType}
	}
	arrays, binaries := true, true
	for _, a := range args {
		arrays = arrays && (a.Type.Kind == types.Array || a.Type.Kind == types.Void)
		binaries = binaries && a.Type.Kind == types.Binary
	}
	t := types.StringType
	if arrays && args[0].Type.Kind == types.Array {
		t = b.castToCommonType(args)
	} else if binaries {
		t = types.BinaryType
	}
	sql := ""
	for i, a := range args {
		if t == types.StringType {
			if !a.Type.Atomic() {
				panic(
					sqlerror.New(
						"DATATYPE_MISMATCH.DATA_DIFF_TYPES",
						"42K09",
						"Cannot resolve \"concat(%s)\" due to data type mismatch: Input to `concat` should all be the same type, but it's \"%s\".",
						a.Name,
						a.Type,
					),
				)
			}
			a = b.implicitCast(a, t)
		}
		if i > 0 {
			sql += " || "
		}
		sql += a.SQL
	}
	return &Expr{SQL: "(" + sql + ")", Type: t, Nullable: nullable, aggregate: anyAggregate(args)}
}
