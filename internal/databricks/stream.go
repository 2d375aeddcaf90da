package databricks

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Stream executes a read-only statement and yields its rows in batches, as values of the
// driver (int64, float64, bool, string, []byte, time.Time, nil). For large results it is
// several times faster than Rows. The next batch overwrites the batch and its rows, but not
// the strings. The last pair has the error, if any. Leaving the loop early closes the
// statement.
func (w *Warehouse) Stream(ctx context.Context, statement string, args ...any) iter.Seq2[[][]driver.Value, error] {
	return func(yield func([][]driver.Value, error) bool) {
		if err := w.ready(); err != nil {
			yield(nil, err)
			return
		}
		c := w.newCall(ctx, true)
		c.reads = true
		var rows driver.Rows
		release, err := w.do(c, func(ctx context.Context) (func(), error) {
			var err error
			rows, err = w.rawRows(ctx, statement, args)
			if err != nil {
				return nil, err
			}
			return func() { _ = rows.Close() }, nil
		})
		if release != nil {
			defer release()
		}
		if err := w.translate(c, err); err != nil {
			yield(nil, err)
			return
		}
		var count int64
		batch := newBatch(len(rows.Columns()))
		for {
			n, err := 0, error(nil)
			err = w.recovered(c, func() (err error) { n, err = batch.fill(rows); return err })
			count += int64(n)
			if n > 0 && ctx.Err() == nil && !yield(batch.rows[:n], nil) {
				return
			}
			if err == nil && ctx.Err() == nil {
				continue
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			if err := w.resultError(c, err, count); err != nil {
				yield(nil, err)
			}
			return
		}
	}
}

// rawRows executes a query on the driver's connection, without database/sql.
func (w *Warehouse) rawRows(ctx context.Context, statement string, args []any) (rows driver.Rows, err error) {
	err = w.conn.Raw(func(raw any) error {
		queryer, ok := raw.(driver.QueryerContext)
		checker, ok2 := raw.(driver.NamedValueChecker)
		if !ok || !ok2 {
			return fmt.Errorf("the driver's connection %T cannot query", raw)
		}
		values := make([]driver.NamedValue, len(args))
		for i, arg := range args {
			values[i] = driver.NamedValue{Ordinal: i + 1, Value: arg}
			if named, ok := arg.(sql.NamedArg); ok {
				values[i].Name, values[i].Value = named.Name, named.Value
			}
			if err := checker.CheckNamedValue(&values[i]); err != nil {
				return err
			}
		}
		rows, err = queryer.QueryContext(ctx, statement, values)
		return err
	})
	return rows, err
}

// The limits of a batch of Stream: its rows, its values, and the bytes of its texts. A batch
// ends with the row that reaches batchBytes: a row may fill a page.
const (
	batchRows   = 1000
	batchValues = 1 << 20
	batchBytes  = 32 << 20
)

type batch struct {
	rows [][]driver.Value
}

func newBatch(columns int) *batch {
	n := min(batchRows, max(1, batchValues/max(1, columns)))
	values := make([]driver.Value, columns*n)
	b := &batch{rows: make([][]driver.Value, n)}
	for i := range b.rows {
		b.rows[i] = values[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return b
}

// fill reads rows until the batch is full or the result ends.
func (b *batch) fill(rows driver.Rows) (int, error) {
	bytes := 0
	for n, row := range b.rows {
		if err := rows.Next(row); err != nil {
			return n, err
		}
		for _, v := range row {
			switch v := v.(type) {
			case string:
				bytes += len(v)
			case []byte:
				bytes += len(v)
			}
		}
		if bytes >= batchBytes {
			return n + 1, nil
		}
	}
	return len(b.rows), nil
}
