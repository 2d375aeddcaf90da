package front_test

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// fakeEngine executes a few statements:
//
//	RANGE count      rows of (id BIGINT, name STRING)
//	TYPES            one row of each type, one of NULLs
//	PARAMS           the bound parameters
//	SLEEP duration   waits, or until it is cancelled
//	INSERT count     returns count affected rows
//	BREAK count      fails after count rows
//	FAIL             fails: the table does not exist
//	PANIC            panics
//	SET ..., select  accepted: the driver pings with "select 1"
type fakeEngine struct {
	executed atomic.Int64
	// produced counts the rows read from the engine.
	produced atomic.Int64
	// open counts the results that are not closed.
	open atomic.Int64
	mu   sync.Mutex
	conf map[string]string
	// starting is how many calls of OpenSession still fail with ErrStarting.
	starting atomic.Int64
}

func (e *fakeEngine) OpenSession(_ context.Context, o warehouse.SessionOptions) (warehouse.Session, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.starting.Add(-1) >= 0 {
		return nil, warehouse.ErrStarting
	}
	e.conf = o.Conf
	return &fakeSession{e}, nil
}

func (e *fakeEngine) Close() error { return nil }

type fakeSession struct{ engine *fakeEngine }

func (s *fakeSession) Close() error { return nil }

func (s *fakeSession) Objects(context.Context) ([]warehouse.CatalogObject, error) {
	columns := []warehouse.ColumnObject{{Name: "id", Type: "BIGINT"}, {Name: "amount", Type: "DECIMAL(10,2)", Nullable: true, Comment: "in euro"}}
	return []warehouse.CatalogObject{
		{Name: "main", Schemas: []warehouse.SchemaObject{
			{Name: "default"},
			{Name: "sales", Tables: []warehouse.TableObject{
				{Name: "customers", Kind: "TABLE", Comment: "who buys", Columns: columns},
				{Name: "orders_x", Kind: "TABLE", Columns: columns},
				{Name: "recent", Kind: "VIEW", Columns: columns},
			}},
		}},
		{Name: "other", Schemas: []warehouse.SchemaObject{{Name: "sales"}}},
	}, nil
}

func (s *fakeSession) Execute(ctx context.Context, statement string, params []warehouse.Parameter) (warehouse.Result, error) {
	s.engine.executed.Add(1)
	word, rest, _ := strings.Cut(statement, " ")
	n, _ := strconv.ParseInt(strings.Fields(rest + " 0")[0], 10, 64)
	switch word {
	case "RANGE":
		return s.rows(n, -1), nil
	case "BREAK":
		return s.rows(1<<40, n), nil
	case "TYPES":
		return s.one(allTypes()), nil
	case "PARAMS":
		return s.one(parameterRows(params)), nil
	case "INSERT":
		return s.one(affected(n)), nil
	case "SET", "select":
		return s.one(affected(0)), nil
	case "PANIC":
		panic("the engine has a bug")
	case "SLEEP":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return nil, err
		}
		select {
		case <-time.After(d):
			return s.one(affected(0)), nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, &warehouse.Error{
		Class: "TABLE_OR_VIEW_NOT_FOUND", SQLState: "42P01",
		Message: "The table or view `main`.`sales`.`nothing` cannot be found.",
	}
}

type fakeResult struct {
	engine  *fakeEngine
	columns []warehouse.Column
	next    func(context.Context) (arrow.RecordBatch, error)
	once    sync.Once
}

func (r *fakeResult) Columns() []warehouse.Column { return r.columns }

func (r *fakeResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return r.next(ctx)
}

func (r *fakeResult) Close() error {
	r.once.Do(func() { r.engine.open.Add(-1) })
	return nil
}

func column(name, sqlType string, t arrow.DataType) warehouse.Column {
	return warehouse.Column{Name: name, Type: sqlType, Arrow: arrow.Field{Name: name, Type: t, Nullable: true}}
}

func schemaOf(columns []warehouse.Column) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.Arrow
	}
	return arrow.NewSchema(fields, nil)
}

func (s *fakeSession) one(columns []warehouse.Column, batch arrow.RecordBatch) warehouse.Result {
	s.engine.open.Add(1)
	return &fakeResult{engine: s.engine, columns: columns, next: func(context.Context) (arrow.RecordBatch, error) {
		if batch == nil {
			return nil, io.EOF
		}
		out := batch
		batch = nil
		return out, nil
	}}
}

// rows yields n rows in uneven batches, or fails at row breakAt.
func (s *fakeSession) rows(n, breakAt int64) warehouse.Result {
	s.engine.open.Add(1)
	columns := []warehouse.Column{column("id", "BIGINT", arrow.PrimitiveTypes.Int64), column("name", "STRING", arrow.BinaryTypes.String)}
	var at, size int64 = 0, 2048
	return &fakeResult{engine: s.engine, columns: columns, next: func(context.Context) (arrow.RecordBatch, error) {
		if at >= n {
			return nil, io.EOF
		}
		if breakAt >= 0 && at >= breakAt {
			return nil, &warehouse.Error{Class: "CAST_INVALID_INPUT", SQLState: "22018", Message: "The value 'x' cannot be cast."}
		}
		b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(columns))
		defer b.Release()
		ids, names := b.Field(0).(*array.Int64Builder), b.Field(1).(*array.StringBuilder)
		for end := min(at+size, n); at < end; at++ {
			ids.Append(at)
			names.Append(fmt.Sprintf("name %d äöü 🙂", at))
		}
		size = size%3000 + 1000
		s.engine.produced.Store(at)
		return b.NewRecordBatch(), nil
	}}
}

func affected(n int64) ([]warehouse.Column, arrow.RecordBatch) {
	columns := []warehouse.Column{column("num_affected_rows", "BIGINT", arrow.PrimitiveTypes.Int64)}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(columns))
	defer b.Release()
	b.Field(0).(*array.Int64Builder).Append(n)
	return columns, b.NewRecordBatch()
}

func parameterRows(params []warehouse.Parameter) ([]warehouse.Column, arrow.RecordBatch) {
	columns := []warehouse.Column{
		column("name", "STRING", arrow.BinaryTypes.String), column("type", "STRING", arrow.BinaryTypes.String),
		column("value", "STRING", arrow.BinaryTypes.String),
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(columns))
	defer b.Release()
	for _, p := range params {
		b.Field(0).(*array.StringBuilder).Append(p.Name)
		b.Field(1).(*array.StringBuilder).Append(p.Type)
		if p.Value == nil {
			b.Field(2).AppendNull()
		} else {
			b.Field(2).(*array.StringBuilder).Append(*p.Value)
		}
	}
	return columns, b.NewRecordBatch()
}

func allTypes() ([]warehouse.Column, arrow.RecordBatch) {
	at := arrow.Timestamp(time.Date(2024, 2, 29, 23, 59, 59, 123456000, time.UTC).UnixMicro())
	decimal := &arrow.Decimal128Type{Precision: 20, Scale: 3}
	fields := []arrow.Field{{Name: "a \"b\"", Type: decimal, Nullable: true}, {Name: "at", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}}
	ntz := &arrow.TimestampType{Unit: arrow.Microsecond}
	columns := []warehouse.Column{
		column("t_boolean", "BOOLEAN", arrow.FixedWidthTypes.Boolean),
		column("t_tinyint", "TINYINT", arrow.PrimitiveTypes.Int8),
		column("t_smallint", "SMALLINT", arrow.PrimitiveTypes.Int16),
		column("t_int", "INT", arrow.PrimitiveTypes.Int32),
		column("t_bigint", "BIGINT", arrow.PrimitiveTypes.Int64),
		column("t_float", "FLOAT", arrow.PrimitiveTypes.Float32),
		column("t_double", "DOUBLE", arrow.PrimitiveTypes.Float64),
		column("t_decimal", "DECIMAL(20,3)", decimal),
		column("t_string", "STRING", arrow.BinaryTypes.String),
		column("t_binary", "BINARY", arrow.BinaryTypes.Binary),
		column("t_date", "DATE", arrow.FixedWidthTypes.Date32),
		column("t_timestamp", "TIMESTAMP", arrow.FixedWidthTypes.Timestamp_us),
		column("t_ntz", "TIMESTAMP_NTZ", ntz),
		column("t_array", "ARRAY<INT>", arrow.ListOf(arrow.PrimitiveTypes.Int32)),
		column("t_map", "MAP<STRING,DOUBLE>", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Float64)),
		column("t_struct", "STRUCT<`a \"b\"`:DECIMAL(20,3),at:TIMESTAMP>", arrow.StructOf(fields...)),
		column("t_interval", "INTERVAL DAY TO SECOND", arrow.BinaryTypes.String),
		column("t_void", "VOID", arrow.Null),
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schemaOf(columns))
	defer b.Release()
	b.Field(0).(*array.BooleanBuilder).Append(true)
	b.Field(1).(*array.Int8Builder).Append(-128)
	b.Field(2).(*array.Int16Builder).Append(-32768)
	b.Field(3).(*array.Int32Builder).Append(-2147483648)
	b.Field(4).(*array.Int64Builder).Append(-9223372036854775808)
	b.Field(5).(*array.Float32Builder).Append(1.1)
	b.Field(6).(*array.Float64Builder).Append(1e300)
	b.Field(7).(*array.Decimal128Builder).Append(decimal128.FromI64(-12345678901234567))
	b.Field(8).(*array.StringBuilder).Append("a\"b\n\x00ü🙂")
	b.Field(9).(*array.BinaryBuilder).Append([]byte{0, 255, 1})
	b.Field(10).(*array.Date32Builder).Append(arrow.Date32FromTime(time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)))
	b.Field(11).(*array.TimestampBuilder).Append(at)
	b.Field(12).(*array.TimestampBuilder).Append(at)
	list := b.Field(13).(*array.ListBuilder)
	list.Append(true)
	list.ValueBuilder().(*array.Int32Builder).AppendValues([]int32{1, 0, 3}, []bool{true, false, true})
	m := b.Field(14).(*array.MapBuilder)
	m.Append(true)
	m.KeyBuilder().(*array.StringBuilder).Append("k\"1")
	m.ItemBuilder().(*array.Float64Builder).Append(2.5)
	st := b.Field(15).(*array.StructBuilder)
	st.Append(true)
	st.FieldBuilder(0).(*array.Decimal128Builder).Append(decimal128.FromI64(3300))
	st.FieldBuilder(1).(*array.TimestampBuilder).Append(at)
	b.Field(16).(*array.StringBuilder).Append("1 02:03:04.000000000")
	b.Field(17).AppendNull()
	for i := range columns {
		b.Field(i).AppendNull()
	}
	return columns, b.NewRecordBatch()
}
