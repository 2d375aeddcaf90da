package importer

import (
	"context"
	"fmt"
	"math"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// jsonOptions keep what to_json leaves out by default: microseconds and NULL
// fields (Apache Spark 4.0: timestamps are cut to milliseconds otherwise).
const jsonOptions = `map('timestampFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", ` +
	`'timestampNTZFormat', "yyyy-MM-dd'T'HH:mm:ss.SSSSSS", 'ignoreNullFields', 'false')`

// A batch is committed at this many rows or bytes, whichever is first.
const (
	batchRows  = 5000
	batchBytes = 8 << 20
)

// maxEventBytes bounds one event: a larger row fails the run, visibly, rather
// than being cut.
const maxEventBytes = 64 << 20

// row is one row as the main query returns it.
type row struct {
	micros int64
	digest string
	data   []byte
	// recorded is the event's own time.
	recorded int64
}

// query is the statement that reads the window, in order.
func query(t *table, cursor *store.Cursor, w *window) string {
	tsMicros, _ := t.timestamp.micros()
	recorded := tsMicros
	if t.record != nil {
		r, _ := t.record.micros()
		recorded = "coalesce(" + r + ", " + tsMicros + ")"
	}
	where := t.timestamp.sql + " <= " + t.timestamp.at(w.upper)
	if w.lower != math.MinInt64 {
		where = t.timestamp.sql + " >= " + t.timestamp.at(w.lower) + " AND " + where
	}
	return fmt.Sprintf("SELECT %s AS lytics_ts, sha2(%s, 256) AS lytics_digest, %s AS lytics_row, %s AS lytics_recorded FROM %s WHERE %s ORDER BY lytics_ts, lytics_digest",
		tsMicros, rowJSON(t.present(cursor.Columns)), rowJSON(t.columns), recorded, w.from, where)
}

// present keeps those of the generation's columns that the table still has.
func (t *table) present(generation []string) []column {
	var out []column
	for _, c := range t.columns {
		for _, g := range generation {
			if strings.EqualFold(c.Name, g) {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

func rowJSON(columns []column) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = c.sql
	}
	return "to_json(struct(" + strings.Join(quoted, ", ") + "), " + jsonOptions + ")"
}

// read streams the window and commits it batch by batch; the next batch is
// fetched while one is written.
func (i *Import) read(ctx context.Context, wh *databricks.Warehouse, t *table, cursor *store.Cursor, w *window) error {
	if w.rows == 0 {
		return nil
	}
	batches := make(chan []row, 2)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(batches)
		return fetch(ctx, wh, query(t, cursor, w), func(b []row) error {
			select {
			case batches <- b:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	var read int64
	g.Go(func() error {
		e := newEmitter(i, cursor)
		for b := range batches {
			if err := e.emit(ctx, b); err != nil {
				return err
			}
			read += int64(len(b))
			i.Progress.Advance(int64(len(b)))
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	if read != w.rows {
		return &jobs.Error{
			Code:    jobs.CodeFailed,
			Summary: fmt.Sprintf("%d rows of %s were counted and %d were read", w.rows, t.name, read),
			Detail:  fmt.Sprintf("Both were done on the same source (%s), so either rows were lost on the way or a source without history changed meanwhile.", w.snapshot),
			Next:    "Run the job again: what was read is kept, and the run goes on after it",
		}
	}
	return nil
}
