package routines

import (
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
)

var numbers = map[string]*routine{
	"dbx_double_text": {params(double), text, func(a values) (any, error) { return sparkvalue.FormatFloat(a.double(0), 64), nil }},
	"dbx_float_text":  {params(single), text, func(a values) (any, error) { return sparkvalue.FormatFloat(float64(a.single(0)), 32), nil }},
	"dbx_decimal_op":  {params(text, text, text, whole), text, decimalOp},
	"dbx_round":       {params(double, whole), double, round},
	"dbx_shift":       {params(text, long, long, whole), long, shift},
}

func decimalName(precision, scale int) string { return fmt.Sprintf("DECIMAL(%d,%d)", precision, scale) }

// decimalOp divides, takes remainders or multiplies beyond DuckDB's range.
func decimalOp(a values) (any, error) {
	l, r, scale := a.text(1), a.text(2), int(a.whole(3))
	var s string
	ok := true
	switch a.text(0) {
	case "/":
		s, ok = sparkvalue.DivideDecimals(l, r, scale)
	case "%":
		s, ok = sparkvalue.ModDecimals(l, r, scale)
	default:
		s = sparkvalue.MultiplyDecimals(l, r, scale)
	}
	if !ok {
		return nil, nil
	}
	return s, nil
}

// round rounds the shortest decimal that stands for a double, half up.
func round(a values) (any, error) {
	f, scale := a.double(0), int(a.whole(1))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f, nil
	}
	return sparkvalue.RoundFloat(f, scale), nil
}

// shift shifts as Java does: the distance modulo the width.
func shift(a values) (any, error) {
	v, n, bits := a.long(1), a.long(2), int64(a.whole(3))
	n &= bits - 1
	if a.text(0) == ">>" {
		return v >> n, nil
	}
	v <<= n
	if bits == 32 {
		v = int64(int32(v)) // wraps as Java does
	}
	return v, nil
}
