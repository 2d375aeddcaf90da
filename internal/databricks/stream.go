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

// Stream runs a statement that only reads, and yields its rows in batches, as
// the driver's own values (int64, float64, bool, string, []byte, time.Time,
// nil): several times faster than Rows for large results. The batch and its
// rows are overwritten by the next; the strings are not. The last pair carries
// the error, if any; leaving the loop early closes the statement.
func (w *Warehouse) Stream(ctx context.Context, statement string, args ...any) iter.Seq2[[][]driver.Value, error] {
	return func(yield func([][]driver.Value, error) bool) {
		if err := w.ready(); err != nil {
			yield(nil, err)
			return
		}
		c := newCall(ctx, true)
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
			n, err := batch.fill(rows)
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

// rawRows runs a query below database/sql.
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

// batchRows is how many rows Stream yields at once, at most.
const batchRows = 1000

type batch struct {
	rows [][]driver.Value
}

func newBatch(columns int) *batch {
	values := make([]driver.Value, columns*batchRows)
	b := &batch{rows: make([][]driver.Value, batchRows)}
	for i := range b.rows {
		b.rows[i] = values[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return b
}

// fill reads rows until the batch is full or the result ends.
func (b *batch) fill(rows driver.Rows) (int, error) {
	for n, row := range b.rows {
		if err := rows.Next(row); err != nil {
			return n, err
		}
	}
	return len(b.rows), nil
}
