package importer

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// pump reads rows, makes events of them and commits those, each beside the
// others. In between waits one page of rows; a batch of events is built while the
// one before it is committed, and both are bounded in bytes. What was read before
// a failure is committed.
func (r *run) pump(ctx context.Context, q rowsQuery, e *emitter) (read int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan *databricks.Batch, 1)
	units := make(chan *unit)
	g, ctx := errgroup.WithContext(ctx)
	reading, enough := context.WithCancel(ctx)
	defer enough()
	var readErr error
	g.Go(func() error {
		defer close(batches)
		for b, err := range r.src.rows(reading, r.snap, q) {
			if err != nil {
				readErr = err
				return nil
			}
			select {
			case batches <- b:
			case <-reading.Done():
				return nil
			}
		}
		return nil
	})
	g.Go(func() error {
		defer close(units)
		e.commit = func(ctx context.Context, u *unit) error {
			select {
			case units <- u:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		tick := time.NewTicker(r.i.commitEvery())
		defer tick.Stop()
		for {
			var b *databricks.Batch
			select {
			case <-tick.C:
				if err := e.flush(ctx); err != nil {
					return err
				}
				continue
			case b = <-batches:
			}
			if b == nil {
				return e.flush(ctx)
			}
			c, err := e.columns(b, len(r.snap.table.keys) > 0, q.previous != nil)
			if err != nil {
				return err
			}
			if err := e.add(ctx, c); err != nil {
				return err
			}
			if e.limited {
				enough()
				return e.flush(ctx)
			}
		}
	})
	g.Go(func() error {
		for u := range units {
			if err := r.commit(ctx, u); err != nil {
				return err
			}
			read += u.read
		}
		return nil
	})
	err = g.Wait()
	if err == nil && !e.limited {
		err = readErr
	}
	return read, err
}

// commit makes a batch durable, with the cursor that goes with it.
func (r *run) commit(ctx context.Context, u *unit) error {
	write := func(tx *store.Tx) error {
		if err := r.i.Fence(tx); err != nil {
			return err
		}
		if err := store.AddSent(ctx, tx, r.i.Key, u.cursor.Pages, u.sent); err != nil {
			return err
		}
		if u.forget != nil {
			if err := store.ForgetSent(ctx, tx, r.i.Key, *u.forget); err != nil {
				return err
			}
		}
		return store.PutCursor(ctx, tx, r.i.Key, u.cursor)
	}
	if len(u.events) == 0 {
		if err := r.i.Cursors.Write(ctx, write); err != nil {
			return err
		}
	} else if err := r.append(ctx, u, write); err != nil {
		return err
	}
	r.i.Progress.Advance(u.read)
	r.i.Progress.Count(func(c *jobs.Counts) {
		c.RowsRead += u.read
		c.RowsKnown += u.known
		c.Bytes += u.bytes
		if p := u.cursor.Pinned; p != nil && p.Reached != nil {
			w := time.UnixMicro(*p.Reached).UTC()
			c.Watermark = &w
		}
	})
	return nil
}

// append sends a batch's events to the sink and counts what became of them. A
// failed append counts, too: its events may be in the stream.
func (r *run) append(ctx context.Context, u *unit, commit func(tx *store.Tx) error) error {
	result, err := r.i.Sink.Append(ctx, r.i.Spec.Stream, u.events, commit)
	if result != (jobs.AppendResult{}) {
		r.i.Progress.Count(func(c *jobs.Counts) {
			c.RowsWritten += result.Written
			c.RowsErased += result.Erased
			c.PossiblyDuplicated += result.PossiblyDuplicated
		})
	}
	return err
}
