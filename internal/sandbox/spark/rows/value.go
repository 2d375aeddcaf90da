package rows

import (
	"strconv"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// Value returns one value of a column: nil, bool, int64, or text for other types.
func Value(c *tcli.TColumn, i int) any {
	switch {
	case c.BoolVal != nil:
		return at(c.BoolVal.Values, c.BoolVal.Nulls, i, func(v bool) any { return v })
	case c.ByteVal != nil:
		return at(c.ByteVal.Values, c.ByteVal.Nulls, i, func(v int8) any { return int64(v) })
	case c.I16Val != nil:
		return at(c.I16Val.Values, c.I16Val.Nulls, i, func(v int16) any { return int64(v) })
	case c.I32Val != nil:
		return at(c.I32Val.Values, c.I32Val.Nulls, i, func(v int32) any { return int64(v) })
	case c.I64Val != nil:
		return at(c.I64Val.Values, c.I64Val.Nulls, i, func(v int64) any { return v })
	case c.DoubleVal != nil:
		return at(c.DoubleVal.Values, c.DoubleVal.Nulls, i, func(v float64) any { return strconv.FormatFloat(v, 'g', -1, 64) })
	case c.StringVal != nil:
		return at(c.StringVal.Values, c.StringVal.Nulls, i, func(v string) any { return v })
	case c.BinaryVal != nil:
		return at(c.BinaryVal.Values, c.BinaryVal.Nulls, i, func(v []byte) any { return string(v) })
	}
	return nil
}

func at[T any](values []T, nulls []byte, i int, show func(T) any) any {
	if i >= len(values) || isNull(nulls, i) {
		return nil
	}
	return show(values[i])
}
