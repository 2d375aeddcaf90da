package routines

import (
	"database/sql/driver"
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/sparkvalue"
)

var numbers = map[string]*routine{
	"dbx_double_text": {params(double), text, func(a []driver.Value) (any, error) { return sparkvalue.FormatFloat(a[0].(float64), 64), nil }},
	"dbx_float_text":  {params(single), text, func(a []driver.Value) (any, error) { return sparkvalue.FormatFloat(float64(a[0].(float32)), 32), nil }},
	"dbx_decimal_op":  {params(text, text, text, whole), text, decimalOp},
	"dbx_round":       {params(double, whole), double, round},
	"dbx_shift":       {params(text, long, long, whole), long, shift},
}

func decimalName(precision, scale int) string { return fmt.Sprintf("DECIMAL(%d,%d)", precision, scale) }

// decimalOp divides, takes remainders or multiplies beyond DuckDB's range.
func decimalOp(a []driver.Value) (any, error) {
	l, r, scale := a[1].(string), a[2].(string), int(a[3].(int32))
	var s string
	ok := true
	switch a[0].(string) {
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
func round(a []driver.Value) (any, error) {
	f, scale := a[0].(float64), int(a[1].(int32))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f, nil
	}
	return sparkvalue.RoundFloat(f, scale), nil
}

// shift shifts as Java does: the distance modulo the width.
func shift(a []driver.Value) (any, error) {
	v, n, bits := a[1].(int64), a[2].(int64), int64(a[3].(int32))
	n &= bits - 1
	if a[0].(string) == ">>" {
		return v >> n, nil
	}
	v <<= n
	if bits == 32 {
		v = int64(int32(v)) //nolint:gosec // wraps as Java does
	}
	return v, nil
}
