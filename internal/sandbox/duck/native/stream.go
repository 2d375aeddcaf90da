// Package native reads DuckDB results chunk by chunk, without materializing them, and
// converts the chunks to Arrow batches.
//
// It serves the imports and every client that fetches large results, and COPY INTO.
package native

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	bindings "github.com/duckdb/duckdb-go-bindings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// Stream is a running query. Its connection can execute nothing else until Close.
type Stream struct {
	conn   bindings.Connection
	result bindings.Result
	schema *arrow.Schema
	types  []*types.Type
	done   bool
	closed bool
}

// maxBatchRows and maxBatchBytes bound a batch.
const (
	maxBatchRows  = 32 << 10
	maxBatchBytes = 8 << 20
)

// rawConnection returns the DuckDB connection of a *sql.Conn. The driver materializes
// every result in memory, and only DuckDB's own API can stream. The pinned version of
// the driver keeps the connection in a field of this name.
func rawConnection(c *sql.Conn) (bindings.Connection, error) {
	var h bindings.Connection
	err := c.Raw(func(driverConn any) error {
		v := reflect.ValueOf(driverConn)
		if v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Struct {
			if f := v.Elem().FieldByName("conn"); f.IsValid() && f.Kind() == reflect.Struct {
				if p := f.FieldByName("Ptr"); p.IsValid() && p.Kind() == reflect.UnsafePointer {
					h.Ptr = p.UnsafePointer()
					return nil
				}
			}
		}
		return fmt.Errorf("read the connection of %T: this version of the DuckDB driver has another layout", driverConn)
	})
	return h, err
}

// Query executes a query and streams its result. ctx ends with the first row; Next has
// its own context.
func Query(ctx context.Context, c *sql.Conn, query string, schema *arrow.Schema, ts []*types.Type) (*Stream, error) {
	h, err := rawConnection(c)
	if err != nil {
		return nil, err
	}
	s := &Stream{conn: h, schema: schema, types: ts}
	err = s.withInterrupt(ctx, func() error { return s.start(query) })
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Stream) start(query string) error {
	var stmt bindings.PreparedStatement
	defer func() { bindings.DestroyPrepare(&stmt) }()
	if bindings.Prepare(s.conn, query, &stmt) == bindings.StateError {
		return errors.New(bindings.PrepareError(stmt))
	}
	var pending bindings.PendingResult
	defer func() { bindings.DestroyPending(&pending) }()
	// Deprecated in DuckDB, but it has no other function that streams.
	if bindings.PendingPreparedStreaming(stmt, &pending) == bindings.StateError {
		return errors.New(bindings.PendingError(pending))
	}
	if bindings.ExecutePending(pending, &s.result) == bindings.StateError {
		err := errors.New(bindings.ResultError(&s.result))
		bindings.DestroyResult(&s.result)
		return err
	}
	return nil
}

// withInterrupt runs f, and interrupts the connection if ctx ends before f returns.
func (s *Stream) withInterrupt(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	finished := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Done():
			bindings.Interrupt(s.conn)
		case <-finished:
		}
	}()
	err := f()
	close(finished)
	<-watched
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Next returns the next batch, or io.EOF.
func (s *Stream) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if s.done || s.closed {
		return nil, io.EOF
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s.schema)
	defer b.Release()
	rows, bytes := 0, 0
	err := s.withInterrupt(ctx, func() error {
		for rows < maxBatchRows && bytes < maxBatchBytes {
			chunk := bindings.FetchChunk(s.result)
			if chunk.Ptr == nil {
				s.done = true
				if msg := bindings.ResultError(&s.result); msg != "" {
					return errors.New(msg)
				}
				return nil
			}
			n := int(bindings.DataChunkGetSize(chunk))
			for i, t := range s.types {
				bytes += appendVector(b.Field(i), bindings.DataChunkGetVector(chunk, bindings.IdxT(i)), t, 0, n)
			}
			rows += n
			bindings.DestroyDataChunk(&chunk)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rows == 0 {
		return nil, io.EOF
	}
	return b.NewRecordBatch(), nil
}

// Close stops the query. The connection can then be used again.
func (s *Stream) Close() error {
	if !s.closed {
		s.closed = true
		bindings.DestroyResult(&s.result)
	}
	return nil
}
