package duck

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/native"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// columns describes a result, with the Arrow schema that carries it.
func columns(cols []bind.Column) ([]warehouse.Column, *arrow.Schema, []*types.Type) {
	out := make([]warehouse.Column, len(cols))
	fields := make([]arrow.Field, len(cols))
	ts := make([]*types.Type, len(cols))
	for i, c := range cols {
		fields[i] = arrow.Field{Name: c.Name, Type: c.Type.Arrow(), Nullable: true}
		out[i] = warehouse.Column{Name: c.Name, Type: c.Type.String(), Comment: c.Comment, Arrow: fields[i]}
		ts[i] = c.Type
	}
	return out, arrow.NewSchema(fields, nil), ts
}

// streamed is the result of a running query.
type streamed struct {
	columns []warehouse.Column
	stream  *native.Stream
	conn    *sql.Conn
	release func()
	profile bool
	mu      sync.Mutex
	closed  bool
	scanned int64
}

func (r *streamed) Columns() []warehouse.Column { return r.columns }

// Next returns the next batch, or io.EOF.
func (r *streamed) Next(ctx context.Context) (arrow.RecordBatch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, io.EOF
	}
	b, err := r.stream.Next(ctx)
	if err == nil {
		return b, nil
	}
	_ = r.close()      // the error of the query says more
	if err == io.EOF { //nolint:errorlint // Next returns it bare
		return nil, err
	}
	return nil, translate(ctx, err)
}

func (r *streamed) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.close()
}

// close frees the connection as soon as the rows are read.
func (r *streamed) close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.stream.Close()
	if r.profile {
		var e error
		if r.scanned, e = rowsScanned(r.conn); err == nil {
			err = e
		}
	}
	if e := r.conn.Close(); err == nil {
		err = e
	}
	r.release()
	return err
}

// RowsScanned tells how many rows of tables the query read, once it is closed.
func (r *streamed) RowsScanned() (int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scanned, r.profile && r.closed
}

// rowsScanned adds up what came out of the scans of tables in DuckDB's profile
// of the connection's last query: the rows that passed the conditions which a
// scan skips by. (DuckDB's own CUMULATIVE_ROWS_SCANNED is the size of the tables,
// whatever was skipped.)
func rowsScanned(conn *sql.Conn) (int64, error) {
	info, err := duckdb.GetProfilingInfo(conn)
	if err != nil {
		return 0, fmt.Errorf("reading DuckDB's profile: %w", err)
	}
	return scannedBelow(info)
}

func scannedBelow(info duckdb.ProfilingInfo) (rows int64, err error) {
	if info.Metrics["OPERATOR_TYPE"] == "TABLE_SCAN" {
		rows, err = strconv.ParseInt(info.Metrics["OPERATOR_CARDINALITY"], 10, 64)
	}
	for _, child := range info.Children {
		n, childErr := scannedBelow(child)
		if rows += n; err == nil {
			err = childErr
		}
	}
	return rows, err
}

// query runs a bound query and streams its rows.
func (e *Engine) query(ctx context.Context, q *bind.Query, release func()) (warehouse.Result, error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		release()
		return nil, fmt.Errorf("connecting to DuckDB: %w", err)
	}
	if e.opts.Profile {
		if _, err := conn.ExecContext(ctx, "PRAGMA enable_profiling='no_output'"); err != nil {
			_ = conn.Close()
			release()
			return nil, fmt.Errorf("switching DuckDB's profile on: %w", err)
		}
	}
	cols, schema, ts := columns(q.Columns)
	stream, err := native.Query(ctx, conn, q.SQL, schema, ts)
	if err != nil {
		_ = conn.Close()
		release()
		return nil, translate(ctx, err)
	}
	return &streamed{columns: cols, stream: stream, conn: conn, release: release, profile: e.opts.Profile}, nil
}

// fixed is a result whose rows are at hand.
type fixed struct {
	columns []warehouse.Column
	batch   arrow.RecordBatch
}

func (r *fixed) Columns() []warehouse.Column { return r.columns }

// Next returns the one batch, then io.EOF.
func (r *fixed) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.batch == nil {
		return nil, io.EOF
	}
	b := r.batch
	r.batch = nil
	return b, nil
}

func (r *fixed) Close() error {
	if r.batch != nil {
		r.batch.Release()
		r.batch = nil
	}
	return nil
}

func column(name string, t *types.Type) bind.Column { return bind.Column{Name: name, Type: t} }

func stringColumns(names ...string) []bind.Column {
	out := make([]bind.Column, len(names))
	for i, n := range names {
		out[i] = column(n, types.StringType)
	}
	return out
}

// rows makes a result of Go values: nil, string, bool, int, int64, time.Time,
// []string and map[string]string.
func rows(cols []bind.Column, values [][]any) warehouse.Result {
	out, schema, _ := columns(cols)
	r := &fixed{columns: out}
	if len(values) == 0 {
		return r
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for _, row := range values {
		for i, v := range row {
			put(b.Field(i), v)
		}
	}
	r.batch = b.NewRecordBatch()
	return r
}

func put(b array.Builder, v any) {
	switch b := b.(type) {
	case *array.StringBuilder:
		if v, ok := v.(string); ok {
			b.Append(v)
			return
		}
	case *array.BooleanBuilder:
		if v, ok := v.(bool); ok {
			b.Append(v)
			return
		}
	case *array.Int32Builder:
		if v, ok := v.(int); ok {
			b.Append(int32(v))
			return
		}
	case *array.Int64Builder:
		if v, ok := v.(int64); ok {
			b.Append(v)
			return
		}
	case *array.TimestampBuilder:
		if v, ok := v.(time.Time); ok {
			b.Append(arrow.Timestamp(v.UnixMicro()))
			return
		}
	case *array.ListBuilder:
		if v, ok := v.([]string); ok {
			b.Append(true)
			for _, s := range v {
				put(b.ValueBuilder(), s)
			}
			return
		}
	case *array.MapBuilder:
		if v, ok := v.(map[string]string); ok {
			b.Append(true)
			for _, k := range sortedKeys(v) {
				put(b.KeyBuilder(), k)
				put(b.ItemBuilder(), v[k])
			}
			return
		}
	}
	b.AppendNull()
}

// affected is what statements that change rows return.
func affected(names []string, counts ...int64) warehouse.Result {
	cols := make([]bind.Column, len(names))
	row := make([]any, len(names))
	for i, n := range names {
		cols[i], row[i] = column(n, types.BigIntType), counts[i]
	}
	return rows(cols, [][]any{row})
}

// nothing is the result of statements without rows.
func nothing() warehouse.Result { return &fixed{} }
