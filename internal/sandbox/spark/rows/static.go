package rows

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// Strings are columns of type STRING.
func Strings(names ...string) []Column {
	out := make([]Column, len(names))
	for i, n := range names {
		out[i] = Column{Name: n, Type: types.StringType}
	}
	return out
}

// Static is a result that is there as a whole.
type Static struct {
	columns []warehouse.Column
	batch   arrow.RecordBatch
}

// NewStatic makes a result from values: nil, string, bool, int32, int64,
// arrow.Timestamp, []string and map[string]string.
func NewStatic(columns []Column, values [][]any) (*Static, error) {
	described, schema := Describe(columns)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range values {
		for i, v := range row {
			if err := appendValue(b.Field(i), v); err != nil {
				return nil, fmt.Errorf("column %q: %w", columns[i].Name, err)
			}
		}
	}
	return &Static{columns: described, batch: b.NewRecordBatch()}, nil
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
	case *array.Int64Builder:
		if v, ok := value.(int64); ok {
			b.Append(v)
			return nil
		}
	case *array.Int32Builder:
		if v, ok := value.(int32); ok {
			b.Append(v)
			return nil
		}
	case *array.ListBuilder:
		if v, ok := value.([]string); ok {
			b.Append(true)
			for _, one := range v {
				if err := appendValue(b.ValueBuilder(), one); err != nil {
					return err
				}
			}
			return nil
		}
	case *array.TimestampBuilder:
		if v, ok := value.(arrow.Timestamp); ok {
			b.Append(v)
			return nil
		}
	case *array.MapBuilder:
		if v, ok := value.(map[string]string); ok {
			b.Append(true)
			for _, k := range slices.Sorted(maps.Keys(v)) {
				if err := appendValue(b.KeyBuilder(), k); err != nil {
					return err
				}
				if err := appendValue(b.ItemBuilder(), v[k]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return fmt.Errorf("%T is not a value for %T", value, to)
}

// Columns describes the result.
func (s *Static) Columns() []warehouse.Column { return s.columns }

// Next returns the one batch, then io.EOF.
func (s *Static) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.batch == nil {
		return nil, io.EOF
	}
	out := s.batch
	s.batch = nil
	return out, nil
}

// Close releases what was not read.
func (s *Static) Close() error {
	if s.batch != nil {
		s.batch.Release()
		s.batch = nil
	}
	return nil
}
