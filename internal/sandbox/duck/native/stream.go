// Package native reads DuckDB results chunk by chunk, without materialising
// them, and turns the chunks into Arrow batches.
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

// Stream is a running query. It belongs to one connection, which can do
// nothing else until Close.
type Stream struct {
	conn   bindings.Connection
	result bindings.Result
	schema *arrow.Schema
	types  []*types.Type
	done   bool
	closed bool
}

// maxBatchRows and maxBatchBytes bound a batch, whichever comes first.
const (
	maxBatchRows  = 32 << 10
	maxBatchBytes = 8 << 20
)

// handle is the raw connection below a *sql.Conn. The driver materialises
// every result, which would need memory for all of it; DuckDB itself can
// stream, and the pinned driver keeps the handle in a field of this name.
func handle(c *sql.Conn) (bindings.Connection, error) {
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
		return fmt.Errorf("reading the connection handle of %T: the DuckDB driver's layout is not the one this was written for", driverConn)
	})
	return h, err
}

// Query runs a query and streams its result. The context bounds the work up to
// the first row; Next takes its own.
func Query(ctx context.Context, c *sql.Conn, query string, schema *arrow.Schema, ts []*types.Type) (*Stream, error) {
	h, err := handle(c)
	if err != nil {
		return nil, err
	}
	s := &Stream{conn: h, schema: schema, types: ts}
	err = s.interruptible(ctx, func() error { return s.start(query) })
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
	// Deprecated in DuckDB, which offers no other way to stream.
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

// interruptible runs f and interrupts the connection when ctx ends first.
func (s *Stream) interruptible(ctx context.Context, f func() error) error {
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
	err := s.interruptible(ctx, func() error {
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

// Close stops the query and frees the connection for the next.
func (s *Stream) Close() error {
	if !s.closed {
		s.closed = true
		bindings.DestroyResult(&s.result)
	}
	return nil
}
