package rowset

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
)

// Columns encodes records column by column, for clients without Arrow: numbers
// and booleans as such, everything else as text.
func (e *Encoder) Columns(records []arrow.RecordBatch) ([]*tcli.TColumn, error) {
	out := make([]*tcli.TColumn, len(e.columns))
	for c := range e.columns {
		chunks := make([]arrow.Array, len(records))
		for r, record := range records {
			if int(record.NumCols()) != len(e.columns) {
				return nil, fmt.Errorf("rowset: the engine sent %d columns for %d declared ones", record.NumCols(), len(e.columns))
			}
			chunks[r] = record.Column(c)
		}
		column, err := e.column(e.thrift.Columns[c].TypeDesc.Types[0].PrimitiveEntry.Type, chunks)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", e.columns[c].Name, err)
		}
		out[c] = column
	}
	return out, nil
}

func (e *Encoder) column(id tcli.TTypeId, chunks []arrow.Array) (*tcli.TColumn, error) {
	switch id {
	case tcli.TTypeId_BOOLEAN_TYPE:
		values, nulls, err := gather[bool, *array.Boolean](chunks)
		return &tcli.TColumn{BoolVal: &tcli.TBoolColumn{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_TINYINT_TYPE:
		values, nulls, err := gather[int8, *array.Int8](chunks)
		return &tcli.TColumn{ByteVal: &tcli.TByteColumn{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_SMALLINT_TYPE:
		values, nulls, err := gather[int16, *array.Int16](chunks)
		return &tcli.TColumn{I16Val: &tcli.TI16Column{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_INT_TYPE:
		values, nulls, err := gather[int32, *array.Int32](chunks)
		return &tcli.TColumn{I32Val: &tcli.TI32Column{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_BIGINT_TYPE:
		values, nulls, err := gather[int64, *array.Int64](chunks)
		return &tcli.TColumn{I64Val: &tcli.TI64Column{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_FLOAT_TYPE:
		narrow, nulls, err := gather[float32, *array.Float32](chunks)
		values := make([]float64, len(narrow))
		for i, v := range narrow {
			values[i] = float64(v)
		}
		return &tcli.TColumn{DoubleVal: &tcli.TDoubleColumn{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_DOUBLE_TYPE:
		values, nulls, err := gather[float64, *array.Float64](chunks)
		return &tcli.TColumn{DoubleVal: &tcli.TDoubleColumn{Values: values, Nulls: nulls}}, err
	case tcli.TTypeId_BINARY_TYPE:
		values, nulls, err := gather[[]byte, *array.Binary](chunks)
		return &tcli.TColumn{BinaryVal: &tcli.TBinaryColumn{Values: values, Nulls: nulls}}, err
	default:
		values, nulls, err := e.texts(chunks)
		return &tcli.TColumn{StringVal: &tcli.TStringColumn{Values: values, Nulls: nulls}}, err
	}
}

// gather returns the values of chunks, with the zero value for NULL, and a bitmap
// in which a set bit marks a NULL, lowest bit first.
func gather[T any, A interface {
	arrow.Array
	Value(int) T
}](chunks []arrow.Array) ([]T, []byte, error) {
	n := rows(chunks)
	values, nulls := make([]T, n), make([]byte, (n+7)/8)
	at := 0
	for _, chunk := range chunks {
		typed, ok := chunk.(A)
		if !ok {
			return nil, nil, fmt.Errorf("rowset: the engine sent Arrow type %s", chunk.DataType())
		}
		for i := range typed.Len() {
			if isNull(typed, i) {
				nulls[at/8] |= 1 << (at % 8)
			} else {
				values[at] = typed.Value(i)
			}
			at++
		}
	}
	return values, nulls, nil
}

func (e *Encoder) texts(chunks []arrow.Array) ([]string, []byte, error) {
	n := rows(chunks)
	values, nulls := make([]string, n), make([]byte, (n+7)/8)
	at := 0
	var scratch []byte
	for _, chunk := range chunks {
		text, err := textOf(chunk, e.options.Location)
		if err != nil {
			return nil, nil, err
		}
		for i := range chunk.Len() {
			if isNull(chunk, i) {
				nulls[at/8] |= 1 << (at % 8)
			} else {
				scratch = text(scratch[:0], i)
				values[at] = string(scratch)
			}
			at++
		}
	}
	return values, nulls, nil
}

func rows(chunks []arrow.Array) int {
	n := 0
	for _, c := range chunks {
		n += c.Len()
	}
	return n
}
