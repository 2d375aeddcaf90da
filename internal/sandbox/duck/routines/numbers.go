package routines

import (
	"fmt"
	"math"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sparkvalue"
)

var numbers = map[string]*routine{
	"dbx_double_text": {params(double), text, func(a arguments) (any, error) { return sparkvalue.FormatFloat(a.float64At(0), 64), nil }},
	"dbx_float_text": {
		params(single),
		text,
		func(a arguments) (any, error) { return sparkvalue.FormatFloat(float64(a.float32At(0)), 32), nil },
	},
	"dbx_decimal_op": {params(text, text, text, whole), text, decimalOp},
	"dbx_round":      {params(double, whole), double, round},
}

func decimalName(precision, scale int) string { return fmt.Sprintf("DECIMAL(%d,%d)", precision, scale) }

// decimalOp divides, computes remainders and multiplies beyond DuckDB's precision.
func decimalOp(a arguments) (any, error) {
	l, r, scale := a.stringAt(1), a.stringAt(2), int(a.int32At(3))
	var s string
	ok := true
	switch a.stringAt(0) {
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

// round rounds the shortest decimal form of a double, half up.
func round(a arguments) (any, error) {
	f, scale := a.float64At(0), int(a.int32At(1))
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f, nil
	}
	return sparkvalue.RoundFloat(f, scale), nil
}
