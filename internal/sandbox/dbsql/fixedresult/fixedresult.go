// Package fixedresult provides results whose rows are in memory, for SHOW, DESCRIBE
// and the row counts of INSERT.
//
// It serves both engines.
package fixedresult

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Column is a column of a result.
type Column struct {
	Name    string
	Type    *types.Type
	Comment string
}

// Strings returns columns of type STRING.
func Strings(names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i] = Column{Name: n, Type: types.StringType}
	}
	return out
}

// Describe returns the columns for a warehouse.Result, and the Arrow schema of its
// batches.
func Describe(columns []Column) ([]warehouse.Column, *arrow.Schema) {
	out, fields := make([]warehouse.Column, len(columns)), make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true}
		out[i] = warehouse.Column{Name: c.Name, Type: c.Type.String(), Comment: c.Comment, Arrow: fields[i]}
	}
	return out, arrow.NewSchema(fields, nil)
}

type result struct {
	columns []warehouse.Column
	batch   arrow.RecordBatch
}

// New returns a result. A value is nil, string, bool, int, int32, int64, time.Time,
// []string or map[string]string.
func New(columns []Column, rows [][]any) (warehouse.Result, error) {
	described, schema := Describe(columns)
	r := &result{columns: described}
	if len(rows) == 0 {
		return r, nil
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range rows {
		for i, v := range row {
			if err := appendValue(b.Field(i), v); err != nil {
				return nil, fmt.Errorf("column %q: %w", columns[i].Name, err)
			}
		}
	}
	r.batch = b.NewRecordBatch()
	return r, nil
}

// Empty returns the result of a statement that returns no rows, such as CREATE TABLE.
func Empty() warehouse.Result { return &result{} }

// Counts returns one row of BIGINT columns, the result of INSERT, UPDATE, DELETE and
// MERGE.
func Counts(names []string, counts ...int64) (warehouse.Result, error) {
	columns, row := make([]Column, len(names)), make([]any, len(names))
	for i, n := range names {
		columns[i], row[i] = Column{Name: n, Type: types.BigIntType}, counts[i]
	}
	return New(columns, [][]any{row})
}

func appendValue(to array.Builder, value any) error {
	if value == nil {
		to.AppendNull()
		return nil
	}
	switch b := to.(type) {
	case *array.StringBuilder:
		if v, ok := value.(string); ok {
			b.Append(v)
			return nil
		}
	case *array.BooleanBuilder:
		if v, ok := value.(bool); ok {
			b.Append(v)
			return nil
		}
	case *array.Int32Builder:
		switch v := value.(type) {
		case int32:
			b.Append(v)
			return nil
		case int:
			b.Append(int32(v))
			return nil
		}
	case *array.Int64Builder:
		if v, ok := value.(int64); ok {
			b.Append(v)
			return nil
		}
	case *array.TimestampBuilder:
		if v, ok := value.(time.Time); ok {
			b.Append(arrow.Timestamp(v.UnixMicro()))
			return nil
		}
	case *array.ListBuilder:
		if v, ok := value.([]string); ok {
			b.Append(true)
			return appendAll(b.ValueBuilder(), v)
		}
	case *array.MapBuilder:
		if v, ok := value.(map[string]string); ok {
			b.Append(true)
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if err := appendAll(b.KeyBuilder(), []string{k}); err != nil {
					return err
				}
				if err := appendAll(b.ItemBuilder(), []string{v[k]}); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return fmt.Errorf("fixedresult: a %T cannot be appended to a %T", value, to)
}

func appendAll(to array.Builder, values []string) error {
	for _, v := range values {
		if err := appendValue(to, v); err != nil {
			return err
		}
	}
	return nil
}

func (r *result) Columns() []warehouse.Column { return r.columns }

// Next returns the only batch, then io.EOF.
func (r *result) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.batch == nil {
		return nil, io.EOF
	}
	out := r.batch
	r.batch = nil
	return out, nil
}

// Close releases the batch if it was not read.
func (r *result) Close() error {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
	return nil
}
