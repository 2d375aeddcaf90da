package databricks

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	dbsqlrows "github.com/databricks/databricks-sql-go/rows"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks/arrowipc"
)

// Batch is a part of a result, column by column. Its values are never overwritten.
type Batch struct {
	rows    int
	columns []any // []int64 or Texts
}

// NewBatch returns a batch of columns of the same length, each []int64 or Texts.
func NewBatch(columns ...any) *Batch {
	b := &Batch{columns: columns}
	if len(columns) > 0 {
		switch c := columns[0].(type) {
		case []int64:
			b.rows = len(c)
		case Texts:
			b.rows = c.Len()
		}
	}
	return b
}

// Len is the number of rows.
func (b *Batch) Len() int { return b.rows }

// Columns is the number of columns.
func (b *Batch) Columns() int { return len(b.columns) }

// InsertColumn returns a batch with one more column, []int64 or Texts, at an index. It does
// not change this one.
func (b *Batch) InsertColumn(i int, column any) *Batch {
	return &Batch{rows: b.rows, columns: slices.Insert(slices.Clone(b.columns), i, column)}
}

// Int64s returns a BIGINT column. It fails for a column of another type.
func (b *Batch) Int64s(i int) ([]int64, error) {
	if c, ok := b.columns[i].([]int64); ok {
		return c, nil
	}
	return nil, fmt.Errorf("column %d of the result is not BIGINT", i+1)
}

// Texts returns a STRING column. It fails for a column of another type.
func (b *Batch) Texts(i int) (Texts, error) {
	if c, ok := b.columns[i].(Texts); ok {
		return c, nil
	}
	return Texts{}, fmt.Errorf("column %d of the result is not STRING", i+1)
}

// Texts is a STRING column. Its values are slices of one buffer.
type Texts struct {
	data    []byte
	offsets []int32
}

// NewTexts returns a column of texts.
func NewTexts(values ...string) Texts {
	t := Texts{offsets: make([]int32, 1, len(values)+1)}
	for _, v := range values {
		t.append(v)
	}
	return t
}

// TextsOfLength returns a column of texts that have the same length, more than 0, and lie
// one after the other.
func TextsOfLength(data []byte, length int) Texts {
	t := Texts{data: data, offsets: make([]int32, len(data)/length+1)}
	for i := range t.offsets {
		t.offsets[i] = int32(i * length) // #nosec G115 -- a page is far below 2 GB
	}
	return t
}

func (t *Texts) append(v string) {
	t.data = append(t.data, v...)
	t.offsets = append(t.offsets, int32(len(t.data))) // #nosec G115 -- a page is far below 2 GB
}

// Len is the number of values.
func (t Texts) Len() int { return max(len(t.offsets)-1, 0) }

// At returns a value, which must not be changed.
func (t Texts) At(i int) []byte {
	from, to := t.offsets[i]-t.offsets[0], t.offsets[i+1]-t.offsets[0]
	return t.data[from:to:to]
}

// Batches executes a read-only statement and yields its result in batches, without a Go
// value for each cell. The result must have BIGINT and STRING columns without NULL. The
// last pair has the error, if any. Leaving the loop early closes the statement.
func (w *Warehouse) Batches(ctx context.Context, statement string, args ...any) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		if !w.columnar.Load() {
			again := w.arrowBatches(ctx, statement, args, yield)
			if !again {
				return
			}
			w.columnar.Store(true)
		}
		w.valueBatches(ctx, statement, args, yield)
	}
}

// notArrow is part of the driver's error for a result in Thrift's columns.
const notArrow = "not in arrow format"

// arrowBatches reads a result of Arrow batches. again is true if the result has another
// form and nothing was yielded; the caller then uses valueBatches.
func (w *Warehouse) arrowBatches(ctx context.Context, statement string, args []any, yield func(*Batch, error) bool) (again bool) {
	if err := w.ready(); err != nil {
		yield(nil, err)
		return false
	}
	c := w.newCall(ctx, true)
	c.reads, c.passThrough = true, true
	var streams dbsqlrows.ArrowIPCStreamIterator
	release, err := w.do(c, func(ctx context.Context) (func(), error) {
		rows, err := w.rawRows(ctx, statement, args)
		if err != nil {
			return nil, err
		}
		arrows, ok := rows.(dbsqlrows.Rows)
		if !ok {
			_ = rows.Close()
			return nil, errors.New(notArrow)
		}
		if streams, err = arrows.GetArrowIPCStreams(ctx); err != nil {
			_ = rows.Close()
			return nil, err
		}
		return func() { streams.Close(); _ = rows.Close() }, nil
	})
	if release != nil {
		defer release()
	}
	if err != nil && strings.Contains(err.Error(), notArrow) && ctx.Err() == nil && c.firstFailure() == nil {
		return true
	}
	if err := w.translate(c, err); err != nil {
		yield(nil, err)
		return false
	}
	var count int64
	take := func(b *Batch) (more bool, err error) {
		count += int64(b.rows)
		return yield(b, nil), nil
	}
	for ctx.Err() == nil {
		var more bool
		if more, err = w.readNextPart(c, streams, take); err == nil && !more {
			return false
		}
		if err != nil {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	if count == 0 && err != nil && strings.Contains(err.Error(), notArrow) && c.firstFailure() == nil {
		return true
	}
	if err := w.resultError(c, err, count); err != nil {
		yield(nil, err)
	}
	return false
}

// readNextPart reads the part of the result that belongs to the next stream. It returns
// io.EOF at the end of the result.
func (w *Warehouse) readNextPart(c *call, streams dbsqlrows.ArrowIPCStreamIterator, take func(*Batch) (bool, error)) (more bool, err error) {
	there := false
	err = w.recovered(c, func() error {
		if !streams.HasNext() {
			return io.EOF
		}
		there = true
		_, err := streams.Next()
		if errors.Is(err, io.EOF) {
			there = false // a page without rows
			return nil
		}
		return err
	})
	if err != nil || !there {
		return true, err
	}
	part, err := c.nextPart()
	if err != nil {
		return false, err
	}
	return c.readPart(part, take)
}

// fromRecord returns the columns of the first rows of a record.
func fromRecord(r arrowipc.Record, rows int) (*Batch, error) {
	b := &Batch{rows: rows, columns: make([]any, r.Columns())}
	for i := range b.columns {
		if r.Nulls(i) > 0 {
			return nil, fmt.Errorf("column %d of the result has a NULL", i+1)
		}
		if values, ok := r.Int64s(i, rows); ok {
			b.columns[i] = values
		} else if data, offsets, ok := r.Texts(i, rows); ok {
			b.columns[i] = Texts{data: data, offsets: offsets}
		} else {
			return nil, fmt.Errorf("column %d of the result is neither BIGINT nor STRING", i+1)
		}
	}
	return b, nil
}

// valueBatches reads a result of any form row by row, and yields it in batches.
func (w *Warehouse) valueBatches(ctx context.Context, statement string, args []any, yield func(*Batch, error) bool) {
	for rows, err := range w.Stream(ctx, statement, args...) {
		if err != nil {
			yield(nil, err)
			return
		}
		b, err := fromValues(rows)
		if err != nil {
			yield(nil, err)
			return
		}
		if !yield(b, nil) {
			return
		}
	}
}

func fromValues(rows [][]driver.Value) (*Batch, error) {
	b := &Batch{rows: len(rows), columns: make([]any, len(rows[0]))}
	for i := range b.columns {
		switch rows[0][i].(type) {
		case int64:
			column := make([]int64, len(rows))
			for n, row := range rows {
				v, ok := row[i].(int64)
				if !ok {
					return nil, fmt.Errorf("column %d of the result mixes %T and BIGINT", i+1, row[i])
				}
				column[n] = v
			}
			b.columns[i] = column
		case string:
			column := Texts{offsets: make([]int32, 1, len(rows)+1)}
			for _, row := range rows {
				v, ok := row[i].(string)
				if !ok {
					return nil, fmt.Errorf("column %d of the result mixes %T and STRING", i+1, row[i])
				}
				column.append(v)
			}
			b.columns[i] = column
		default:
			return nil, fmt.Errorf("column %d of the result is of the type %T", i+1, rows[0][i])
		}
	}
	return b, nil
}
