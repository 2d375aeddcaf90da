package record

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Row formats a row of a batch as text. Equal rows have equal texts, whichever
// engine they come from; different rows have different texts.
func Row(batch arrow.RecordBatch, i int) (string, error) {
	cells, err := Cells(batch, i)
	return strings.Join(cells, " | "), err
}

// Cells formats each value of a row, as Row does.
func Cells(batch arrow.RecordBatch, i int) ([]string, error) {
	out := make([]string, batch.NumCols())
	for c := range out {
		var b strings.Builder
		if err := appendValue(&b, batch.Column(c), i); err != nil {
			return nil, fmt.Errorf("column %s: %w", batch.ColumnName(c), err)
		}
		out[c] = b.String()
	}
	return out, nil
}

func appendValue(b *strings.Builder, a arrow.Array, i int) error {
	if a.DataType().ID() == arrow.NULL || a.IsNull(i) {
		b.WriteString("NULL")
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		b.WriteString(strconv.FormatBool(a.Value(i)))
	case *array.Int8:
		fmt.Fprint(b, a.Value(i))
	case *array.Int16:
		fmt.Fprint(b, a.Value(i))
	case *array.Int32:
		fmt.Fprint(b, a.Value(i))
	case *array.Int64:
		fmt.Fprint(b, a.Value(i))
	case *array.Float32:
		appendFloat(b, float64(a.Value(i)), 32)
	case *array.Float64:
		appendFloat(b, a.Value(i), 64)
	case *array.Decimal128:
		t, ok := a.DataType().(*arrow.Decimal128Type)
		if !ok {
			return fmt.Errorf("record: decimal in an array of type %s", a.DataType())
		}
		fmt.Fprintf(b, "%de-%d", a.Value(i).BigInt(), t.Scale)
	case *array.String:
		b.WriteString(strconv.Quote(a.Value(i)))
	case *array.Binary:
		b.WriteString("X'" + hex.EncodeToString(a.Value(i)) + "'")
	case *array.Date32:
		fmt.Fprintf(b, "day %d", a.Value(i))
	case *array.Timestamp:
		fmt.Fprintf(b, "micro %d", a.Value(i))
	case *array.Map:
		return appendMap(b, a, i)
	case *array.Struct:
		return appendStruct(b, a, i)
	case array.ListLike:
		return appendList(b, a, i)
	default:
		return fmt.Errorf("record: no text form for a value of type %s", a.DataType())
	}
	return nil
}

func appendFloat(b *strings.Builder, f float64, bits int) {
	if f == 0 && math.Signbit(f) {
		b.WriteByte('-')
		f = 0
	}
	b.WriteString(strconv.FormatFloat(f, 'g', -1, bits))
}

func appendList(b *strings.Builder, a array.ListLike, i int) error {
	start, end := a.ValueOffsets(i)
	b.WriteByte('[')
	for j := int(start); j < int(end); j++ {
		if j > int(start) {
			b.WriteString(", ")
		}
		if err := appendValue(b, a.ListValues(), j); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	return nil
}

func appendMap(b *strings.Builder, a *array.Map, i int) error {
	start, end := a.ValueOffsets(i)
	b.WriteByte('{')
	for j := int(start); j < int(end); j++ {
		if j > int(start) {
			b.WriteString(", ")
		}
		if err := appendValue(b, a.Keys(), j); err != nil {
			return err
		}
		b.WriteString(": ")
		if err := appendValue(b, a.Items(), j); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

func appendStruct(b *strings.Builder, a *array.Struct, i int) error {
	t, ok := a.DataType().(*arrow.StructType)
	if !ok {
		return fmt.Errorf("record: struct in an array of type %s", a.DataType())
	}
	b.WriteByte('(')
	for f := range a.NumField() {
		if f > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(t.Field(f).Name) + ": ")
		if err := appendValue(b, a.Field(f), i); err != nil {
			return err
		}
	}
	b.WriteByte(')')
	return nil
}
