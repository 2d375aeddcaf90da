package rowset

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// appendFunc appends the text of row i, which is not NULL.
type appendFunc func(dst []byte, i int) []byte

// textOf returns the function that formats the values of a column as Databricks
// sends them as text: numbers and times plainly, nested values as JSON.
func textOf(a arrow.Array, loc *time.Location) (appendFunc, error) {
	switch a := a.(type) {
	case *array.String:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.LargeString:
		return func(dst []byte, i int) []byte { return append(dst, a.Value(i)...) }, nil
	case *array.Date32:
		return func(dst []byte, i int) []byte { return appendDate(dst, a.Value(i)) }, nil
	case *array.Timestamp:
		t, ok := a.DataType().(*arrow.TimestampType)
		if !ok {
			break
		}
		if t.TimeZone == "" {
			loc = time.UTC
		}
		return func(dst []byte, i int) []byte {
			return a.Value(i).ToTime(t.Unit).In(loc).AppendFormat(dst, "2006-01-02 15:04:05.999999")
		}, nil
	}
	return jsonOf(a, loc)
}

// jsonOf returns the function that formats values nested in other values, as JSON.
func jsonOf(a arrow.Array, loc *time.Location) (appendFunc, error) {
	switch a := a.(type) {
	case *array.Null:
		return func(dst []byte, _ int) []byte { return append(dst, "null"...) }, nil
	case *array.Boolean:
		return func(dst []byte, i int) []byte { return strconv.AppendBool(dst, a.Value(i)) }, nil
	case *array.Int8:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Value(i)), 10) }, nil
	case *array.Int16:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Value(i)), 10) }, nil
	case *array.Int32:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, int64(a.Value(i)), 10) }, nil
	case *array.Int64:
		return func(dst []byte, i int) []byte { return strconv.AppendInt(dst, a.Value(i), 10) }, nil
	case *array.Float32:
		return func(dst []byte, i int) []byte { return appendFloat(dst, float64(a.Value(i)), 32) }, nil
	case *array.Float64:
		return func(dst []byte, i int) []byte { return appendFloat(dst, a.Value(i), 64) }, nil
	case *array.Decimal128:
		t, ok := a.DataType().(*arrow.Decimal128Type)
		if !ok {
			break
		}
		return func(dst []byte, i int) []byte { return appendDecimal(dst, a.Value(i).BigInt(), int(t.Scale)) }, nil
	case *array.Binary:
		return func(dst []byte, i int) []byte {
			dst = append(dst, '"')
			return append(base64.StdEncoding.AppendEncode(dst, a.Value(i)), '"')
		}, nil
	case *array.String, *array.LargeString:
		return quotedJSON(a, loc, true)
	case *array.Date32, *array.Timestamp:
		return quotedJSON(a, loc, false)
	case *array.Map:
		return jsonOfMap(a, loc)
	case *array.Struct:
		return jsonOfStruct(a, loc)
	case array.ListLike:
		return jsonOfList(a, loc)
	}
	return nil, fmt.Errorf("rowset: no text form for Arrow type %s", a.DataType())
}

func quotedJSON(a arrow.Array, loc *time.Location, escape bool) (appendFunc, error) {
	text, err := textOf(a, loc)
	if err != nil {
		return nil, err
	}
	var scratch []byte
	return func(dst []byte, i int) []byte {
		if escape {
			scratch = text(scratch[:0], i)
			return appendJSONString(dst, scratch)
		}
		return append(text(append(dst, '"'), i), '"')
	}, nil
}

func jsonOfList(a array.ListLike, loc *time.Location) (appendFunc, error) {
	values := a.ListValues()
	item, err := jsonOf(values, loc)
	if err != nil {
		return nil, err
	}
	return func(dst []byte, i int) []byte {
		start, end := a.ValueOffsets(i)
		dst = append(dst, '[')
		for j := int(start); j < int(end); j++ {
			if j > int(start) {
				dst = append(dst, ',')
			}
			dst = appendOrNull(dst, values, item, j)
		}
		return append(dst, ']')
	}, nil
}

func jsonOfMap(a *array.Map, loc *time.Location) (appendFunc, error) {
	keys, items := a.Keys(), a.Items()
	key, err := textOf(keys, loc)
	if err != nil {
		return nil, err
	}
	item, err := jsonOf(items, loc)
	if err != nil {
		return nil, err
	}
	var scratch []byte
	return func(dst []byte, i int) []byte {
		start, end := a.ValueOffsets(i)
		dst = append(dst, '{')
		for j := int(start); j < int(end); j++ {
			if j > int(start) {
				dst = append(dst, ',')
			}
			scratch = key(scratch[:0], j)
			dst = append(appendJSONString(dst, scratch), ':')
			dst = appendOrNull(dst, items, item, j)
		}
		return append(dst, '}')
	}, nil
}

func jsonOfStruct(a *array.Struct, loc *time.Location) (appendFunc, error) {
	t, ok := a.DataType().(*arrow.StructType)
	if !ok {
		return nil, fmt.Errorf("rowset: struct in an array of type %s", a.DataType())
	}
	names := make([][]byte, a.NumField())
	fields := make([]appendFunc, a.NumField())
	for f := range fields {
		var err error
		if fields[f], err = jsonOf(a.Field(f), loc); err != nil {
			return nil, err
		}
		names[f] = append(appendJSONString(nil, []byte(t.Field(f).Name)), ':')
	}
	return func(dst []byte, i int) []byte {
		dst = append(dst, '{')
		for f, field := range fields {
			if f > 0 {
				dst = append(dst, ',')
			}
			dst = appendOrNull(append(dst, names[f]...), a.Field(f), field, i)
		}
		return append(dst, '}')
	}, nil
}

// isNull handles arrays of the type VOID too, which have no bitmap.
func isNull(a arrow.Array, i int) bool {
	return a.DataType().ID() == arrow.NULL || a.IsNull(i)
}

func appendOrNull(dst []byte, a arrow.Array, value appendFunc, i int) []byte {
	if isNull(a, i) {
		return append(dst, "null"...)
	}
	return value(dst, i)
}

func appendDate(dst []byte, d arrow.Date32) []byte {
	return time.Unix(int64(d)*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
}

func appendDecimal(dst []byte, unscaled *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(unscaled).String()
	if unscaled.Sign() < 0 {
		dst = append(dst, '-')
	}
	if scale <= 0 {
		return append(dst, digits...)
	}
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	point := len(digits) - scale
	return append(append(append(dst, digits[:point]...), '.'), digits[point:]...)
}

// appendFloat writes a number as Spark does: 1.0, 1.0E10, and NaN and the
// infinities as quoted words.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	if abs := math.Abs(f); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'E', -1, bits), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		sign := ""
		if exponent[0] == '-' {
			sign = "-"
		}
		return append(dst, mantissa+"E"+sign+strings.TrimLeft(exponent[1:], "0")...)
	}
	text := strconv.FormatFloat(f, 'f', -1, bits)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return append(dst, text...)
}

const hexDigits = "0123456789abcdef"

func appendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}
