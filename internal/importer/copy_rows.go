package importer

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/panics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// copyRows reads the rows of a query, makes events of them and commits those.
// The three run side by side: one page of rows waits to be converted, and a
// batch is built, and its sending begun, while the one before it is committed, so
// that memory is bounded by the size of both. What was read before a failure is
// committed. rowsRead counts the rows of the batches that were committed.
func (r *run) copyRows(ctx context.Context, q rowsQuery, e *emitter) (rowsRead int64, err error) {
	return r.copyPages(ctx, func(ctx context.Context) pages { return r.src.rows(ctx, r.snap, q) }, q, e)
}

// copyPages does so with the answer to the query.
func (r *run) copyPages(ctx context.Context, from answer, q rowsQuery, e *emitter) (rowsRead int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pages := make(chan *databricks.Batch, 1)
	batches := make(chan *eventBatch)
	g, ctx := errgroup.WithContext(ctx)
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	var readErr error
	var uncommitted *eventBatch
	begin := r.beginSending()
	g.Go(func() error {
		defer close(pages)
		readErr = panics.Catch(func() error { return readPages(reading, from, pages) })
		return nil // batches before the failure are still committed
	})
	g.Go(func() error {
		defer close(batches)
		e.commit = func(ctx context.Context, b *eventBatch) error {
			begin(ctx, b)
			select {
			case batches <- b:
				return nil
			case <-ctx.Done():
				uncommitted = b
				return ctx.Err()
			}
		}
		return panics.Catch(func() error { return r.buildBatches(ctx, q, e, pages, stopReading) })
	})
	g.Go(func() error {
		return panics.Catch(func() error {
			for b := range batches {
				if err := r.commitBatch(ctx, b); err != nil {
					return err
				}
				rowsRead += b.rowsRead
			}
			return nil
		})
	})
	err = g.Wait()
	r.countUncommitted(uncommitted)
	if err == nil && !e.limitReached && e.unclearFrom == nil {
		err = readErr
	}
	return rowsRead, err
}

// readPages passes the rows of an answer on, page by page.
func readPages(ctx context.Context, from answer, pages chan<- *databricks.Batch) error {
	for page, err := range from(ctx) {
		if err != nil {
			return err
		}
		select {
		case pages <- page:
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

// buildBatches turns pages into batches. A batch that does not fill is committed
// after commitEvery. At the run's row limit it calls stopReading.
func (r *run) buildBatches(ctx context.Context, q rowsQuery, e *emitter, pages <-chan *databricks.Batch, stopReading func()) error {
	tick := time.NewTicker(r.imp.commitEvery())
	defer tick.Stop()
	handOver := e.commit
	e.commit = func(ctx context.Context, b *eventBatch) error {
		// It may wait longer than commitEvery for the batch before; the next one still fills.
		defer tick.Reset(r.imp.commitEvery())
		return handOver(ctx, b)
	}
	for {
		var page *databricks.Batch
		select {
		case <-tick.C:
			if err := e.flush(ctx); err != nil {
				return err
			}
			continue
		case page = <-pages:
		}
		if page == nil {
			return e.flush(ctx)
		}
		c, err := readColumns(page, len(r.snap.table.keys) > 0, q.counted())
		if err != nil {
			return err
		}
		if err := e.add(ctx, c); err != nil {
			return err
		}
		if e.limitReached || e.unclearFrom != nil {
			stopReading()
			return e.flush(ctx)
		}
	}
}

// commitBatch makes the events and the cursor after them durable, in one
// transaction.
func (r *run) commitBatch(ctx context.Context, b *eventBatch) error {
	change := cursorChange{cursor: b.cursor, forgetBefore: b.forgetBefore, rejected: b.rejected}
	if len(b.remember) > 0 {
		change.remember = [][]store.SentRow{b.remember}
	}
	var appended jobs.AppendResult
	var err error
	switch commit := r.imp.commitCursor(ctx, change); {
	case len(b.events) == 0:
		err = r.imp.writeCursor(ctx, change)
	case b.finish != nil:
		appended, err = r.countAppended(b.finish(commit))
	default:
		appended, err = r.append(ctx, b, commit)
	}
	if err != nil {
		return err
	}
	r.imp.Progress.Advance(b.rowsRead)
	r.imp.Progress.Count(func(c *jobs.Counts) {
		c.RowsRead += b.rowsRead
		c.RowsKnown += b.rowsKnown
		c.RowsRejected += int64(len(b.rejected))
		c.Bytes += b.bytes
		if p := b.cursor.Pinned; p != nil && p.Reached != nil {
			w := time.UnixMicro(*p.Reached).UTC()
			c.Watermark = &w
		}
	})
	if len(b.rejected) == 0 && appended.Rejected == 0 {
		return nil
	}
	return r.imp.Quarantine.CheckRoom(ctx)
}

// append appends a batch's events to the stream and counts the result.
func (r *run) append(
	ctx context.Context, b *eventBatch, commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	return r.countAppended(r.imp.Sink.Append(ctx, r.imp.Spec.Stream, b.events, commit))
}

// countAppended counts the result of an append. A failed one counts too, because its events may
// be in the stream; the rows that it rejected are counted when they are in quarantine.
func (r *run) countAppended(result jobs.AppendResult, err error) (jobs.AppendResult, error) {
	if result != (jobs.AppendResult{}) {
		r.imp.Progress.Count(func(c *jobs.Counts) {
			c.RowsWritten += result.Written
			c.RowsErased += result.Erased
			c.PossiblyDuplicated += result.PossiblyDuplicated
			if err == nil {
				c.RowsRejected += result.Rejected
			}
		})
	}
	return result, err
}

// beginSending returns a function that begins to send a batch, where the sink can do so
// before the batch is committed. It is called when the batch before has been handed over
// to be committed, so that two batches are on their way at most.
func (r *run) beginSending() func(context.Context, *eventBatch) {
	sink, ok := r.imp.Sink.(SenderSink)
	if !ok {
		return func(context.Context, *eventBatch) {}
	}
	send := sink.Sender(r.imp.Spec.Stream)
	return func(ctx context.Context, b *eventBatch) {
		if len(b.events) > 0 {
			b.finish = send(ctx, b.events)
		}
	}
}

// countUncommitted ends the sending of a batch that is not committed, because one before
// it failed or the run was cancelled, and counts what is known of its events.
func (r *run) countUncommitted(b *eventBatch) {
	if b == nil || b.finish == nil {
		return
	}
	_, _ = r.countAppended(b.finish(func(*store.Tx, []jobs.RejectedEvent) error { return context.Canceled }))
}
