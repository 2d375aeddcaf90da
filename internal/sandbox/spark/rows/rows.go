// Package rows converts the row sets of a Spark Thrift Server to Arrow batches with
// Databricks' types.
package rows

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/tcli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Form is the form in which Spark sends the values of a column.
type Form uint8

// The forms.
const (
	// Plain is the server's native form.
	Plain Form = iota
	// JSON is the output of to_json.
	JSON
	// Micros is microseconds since 1970.
	Micros
)

// Column is a column of the result.
type Column struct {
	Name string
	Type *types.Type
	// Text is the full type, if Type does not express it.
	Text    string
	Form    Form
	Comment string
}

// Describe returns the columns for the front, and their Arrow schema.
func Describe(columns []Column) ([]warehouse.Column, *arrow.Schema) {
	out, fields := make([]warehouse.Column, len(columns)), make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true}
		text := c.Text
		if text == "" {
			text = c.Type.String()
		}
		out[i] = warehouse.Column{Name: c.Name, Type: text, Comment: c.Comment, Arrow: fields[i]}
	}
	return out, arrow.NewSchema(fields, nil)
}

// Decoder converts row sets to batches.
type Decoder struct {
	columns []Column
	schema  *arrow.Schema
	// location is the time zone in which Spark prints timestamps.
	location *time.Location
}

// NewDecoder returns a decoder of results with these columns.
func NewDecoder(columns []Column, location *time.Location) *Decoder {
	_, schema := Describe(columns)
	return &Decoder{columns: columns, schema: schema, location: location}
}

// RowCount returns the number of rows in a set.
func RowCount(set *tcli.TRowSet) int {
	if set == nil || len(set.Columns) == 0 {
		return 0
	}
	c := set.Columns[0]
	switch {
	case c.BoolVal != nil:
		return len(c.BoolVal.Values)
	case c.ByteVal != nil:
		return len(c.ByteVal.Values)
	case c.I16Val != nil:
		return len(c.I16Val.Values)
	case c.I32Val != nil:
		return len(c.I32Val.Values)
	case c.I64Val != nil:
		return len(c.I64Val.Values)
	case c.DoubleVal != nil:
		return len(c.DoubleVal.Values)
	case c.StringVal != nil:
		return len(c.StringVal.Values)
	case c.BinaryVal != nil:
		return len(c.BinaryVal.Values)
	}
	return 0
}

// Batch converts a row set to a batch.
func (d *Decoder) Batch(set *tcli.TRowSet) (arrow.RecordBatch, error) {
	if len(set.Columns) != len(d.columns) {
		return nil, fmt.Errorf("Spark sent %d columns, want %d", len(set.Columns), len(d.columns))
	}
	rows := RowCount(set)
	b := array.NewRecordBuilder(memory.DefaultAllocator, d.schema)
	defer b.Release()
	b.Reserve(rows)
	for i, c := range d.columns {
		if err := d.column(b.Field(i), c, set.Columns[i], rows); err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	return b.NewRecordBatch(), nil
}

// isNull reads the bitmap of NULLs. It may be too short; missing bits are not NULL.
func isNull(nulls []byte, i int) bool {
	return i/8 < len(nulls) && nulls[i/8]&(1<<(i%8)) != 0
}

func appendAll[T any](values []T, nulls []byte, rows int, null func(), add func(T) error) error {
	if len(values) != rows {
		return fmt.Errorf("got %d values, want %d", len(values), rows)
	}
	for i, v := range values {
		if isNull(nulls, i) {
			null()
			continue
		}
		if err := add(v); err != nil {
			return fmt.Errorf("row %d: %w", i, err)
		}
	}
	return nil
}

func (d *Decoder) column(to array.Builder, c Column, from *tcli.TColumn, rows int) error {
	switch {
	case c.Type.Kind == types.Void:
		for range rows {
			to.AppendNull()
		}
		return nil
	case from.BoolVal != nil:
		return appendValues(to, from.BoolVal.Values, from.BoolVal.Nulls, rows, (*array.BooleanBuilder).Append)
	case from.ByteVal != nil:
		return appendValues(to, from.ByteVal.Values, from.ByteVal.Nulls, rows, (*array.Int8Builder).Append)
	case from.I16Val != nil:
		return appendValues(to, from.I16Val.Values, from.I16Val.Nulls, rows, (*array.Int16Builder).Append)
	case from.I32Val != nil:
		return appendValues(to, from.I32Val.Values, from.I32Val.Nulls, rows, (*array.Int32Builder).Append)
	case from.I64Val != nil && c.Form == Micros:
		return appendValues(
			to,
			from.I64Val.Values,
			from.I64Val.Nulls,
			rows,
			func(b *array.TimestampBuilder, v int64) { b.Append(arrow.Timestamp(v)) },
		)
	case from.I64Val != nil:
		return appendValues(to, from.I64Val.Values, from.I64Val.Nulls, rows, (*array.Int64Builder).Append)
	case from.DoubleVal != nil && c.Type.Kind == types.Float:
		// The server sends the double with the same decimal digits as the float.
		return appendValues(
			to,
			from.DoubleVal.Values,
			from.DoubleVal.Nulls,
			rows,
			func(b *array.Float32Builder, v float64) { b.Append(float32(v)) },
		)
	case from.DoubleVal != nil:
		return appendValues(to, from.DoubleVal.Values, from.DoubleVal.Nulls, rows, (*array.Float64Builder).Append)
	case from.BinaryVal != nil:
		return appendValues(to, from.BinaryVal.Values, from.BinaryVal.Nulls, rows, (*array.BinaryBuilder).Append)
	case from.StringVal != nil:
		parse := appendText
		if c.Form == JSON {
			parse = appendJSON
		}
		return appendAll(from.StringVal.Values, from.StringVal.Nulls, rows, to.AppendNull, func(v string) error {
			return parse(to, c.Type, v, d.location)
		})
	}
	return fmt.Errorf("Spark sent no values")
}

func appendValues[B array.Builder, T any](to array.Builder, from []T, nulls []byte, rows int, add func(B, T)) error {
	b, ok := to.(B)
	if !ok {
		return fmt.Errorf("Spark sent %T, which does not fit the builder %T", from, to)
	}
	return appendAll(from, nulls, rows, to.AppendNull, func(v T) error {
		add(b, v)
		return nil
	})
}
