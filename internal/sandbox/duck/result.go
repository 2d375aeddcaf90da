package duck

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strconv"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/fixedresult"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/bind"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck/native"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// resultColumns returns the columns for a warehouse.Result, and the Arrow schema and the
// types of its batches.
func resultColumns(cols []bind.Column) ([]warehouse.Column, *arrow.Schema, []*types.Type) {
	columns, ts := make([]fixedresult.Column, len(cols)), make([]*types.Type, len(cols))
	for i, c := range cols {
		columns[i], ts[i] = fixedresult.Column{Name: c.Name, Type: c.Type, Comment: c.Comment}, c.Type
	}
	described, schema := fixedresult.Describe(columns)
	return described, schema, ts
}

// streamedResult is the result of a running query.
type streamedResult struct {
	columns []warehouse.Column
	stream  *native.Stream
	conn    *sql.Conn
	release func()
	profile bool
	mu      sync.Mutex
	closed  bool
	scanned int64
}

func (r *streamedResult) Columns() []warehouse.Column { return r.columns }

// Next returns the next batch, or io.EOF.
func (r *streamedResult) Next(ctx context.Context) (arrow.RecordBatch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, io.EOF
	}
	b, err := r.stream.Next(ctx)
	if err == nil {
		return b, nil
	}
	_ = r.close()      // the query's error is more specific
	if err == io.EOF { //nolint:errorlint // Next does not wrap it
		return nil, err
	}
	return nil, databricksError(ctx, err)
}

func (r *streamedResult) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.close()
}

// close frees the connection as soon as all rows have been read.
func (r *streamedResult) close() error {
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

// RowsScanned returns the number of rows that the query read from tables, once the result
// is closed.
func (r *streamedResult) RowsScanned() (int64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.scanned, r.profile && r.closed
}

// rowsScanned adds up the output of all table scans in DuckDB's profile of the
// connection's last query. Rows that a scan skips by a condition do not count.
// (DuckDB's CUMULATIVE_ROWS_SCANNED is the size of the tables, including skipped rows.)
func rowsScanned(conn *sql.Conn) (int64, error) {
	info, err := duckdb.GetProfilingInfo(conn)
	if err != nil {
		return 0, fmt.Errorf("read DuckDB's profile: %w", err)
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

// query executes a bound query and streams its rows.
func (e *Engine) query(ctx context.Context, q *bind.Query, release func()) (warehouse.Result, error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		release()
		return nil, fmt.Errorf("connect to DuckDB: %w", err)
	}
	if e.opts.Profile {
		if _, err := conn.ExecContext(ctx, "PRAGMA enable_profiling='no_output'"); err != nil {
			_ = conn.Close()
			release()
			return nil, fmt.Errorf("turn on DuckDB's profile: %w", err)
		}
	}
	cols, schema, ts := resultColumns(q.Columns)
	stream, err := native.Query(ctx, conn, q.SQL, schema, ts)
	if err != nil {
		_ = conn.Close()
		release()
		return nil, databricksError(ctx, err)
	}
	return &streamedResult{columns: cols, stream: stream, conn: conn, release: release, profile: e.opts.Profile}, nil
}
