// Package importer moves the rows of a Databricks table into an event stream:
// from a pinned version of the table, in one total order, in batches whose
// events and cursor are committed together.
//
// The order is (timestamp, digest of the row). The cursor is the watermark, a
// timestamp, with the multiset of digests already sent at exactly it; a run
// reads from the watermark on, inclusive, and takes those away. So the same
// code serves the next run, the next attempt of a run that died, and the next
// session of a run that lost one.
package importer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Sink is where events go.
type Sink interface {
	// Append makes the events durable, in order, and runs commit in the same
	// transaction: both happen or neither.
	Append(ctx context.Context, stream string, events []jobs.Event, commit func(tx *store.Tx) error) error
}

// Cursors is where an import's place is kept.
type Cursors interface {
	Cursor(ctx context.Context, key string) (*store.Cursor, error)
	Ties(ctx context.Context, key, from, to string) (map[string]int64, error)
	Write(ctx context.Context, f func(tx *store.Tx) error) error
}

// Progress is told what a run is doing.
type Progress interface {
	// Phase begins a phase; total 0 means not known.
	Phase(name string, total int64)
	Advance(n int64)
	Count(f func(*jobs.Counts))
}

// Import is one run's worth of work.
type Import struct {
	// Key is jobs.Key of the job: the cursor's name.
	Key  string
	Spec jobs.TableImport
	// Connect opens a session; called again when one is lost.
	Connect func(ctx context.Context) (*databricks.Warehouse, error)
	Sink    Sink
	Cursors Cursors
	// Fence fails inside a transaction when the run is no longer ours.
	Fence    func(tx *store.Tx) error
	Progress Progress
	// RunID names the run's temporary view.
	RunID string
}

// attempts is how many sessions may be lost in a row without one more row
// read.
const attempts = 4

// Run imports all rows after the cursor up to the warehouse's clock.
func (i *Import) Run(ctx context.Context) error {
	for failed := 0; ; {
		before, err := i.Cursors.Cursor(ctx, i.Key)
		if err != nil {
			return err
		}
		connected, err := i.attempt(ctx, before)
		// A warehouse that broke off may answer a new session; one that was not
		// there to begin with is an error at once.
		again := databricks.IsSessionLost(err) || connected && jobs.IsCode(err, jobs.CodeUnreachable)
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		after, readErr := i.Cursors.Cursor(ctx, i.Key)
		if readErr != nil {
			return errors.Join(err, readErr)
		}
		if failed++; sent(after) > sent(before) {
			failed = 1
		}
		if failed >= attempts {
			return err
		}
		i.Progress.Phase(fmt.Sprintf("session lost, connecting again (%d)", failed), 0)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(failed) * time.Second):
		}
	}
}

func sent(c *store.Cursor) int64 {
	if c == nil {
		return 0
	}
	return c.Sent
}

// attempt runs one session to the end of the window, or to its failure.
func (i *Import) attempt(ctx context.Context, cursor *store.Cursor) (connected bool, err error) {
	wh, err := i.Connect(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		if closeErr := wh.Close(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()

	i.Progress.Phase("reading the table's columns", 0)
	table, err := i.describe(ctx, wh)
	if err != nil {
		return true, err
	}
	if cursor == nil {
		cursor = &store.Cursor{Generation: 1, Columns: table.names()}
	}
	w, err := i.plan(ctx, wh, table, cursor)
	if err != nil {
		return true, err
	}
	i.Progress.Count(func(c *jobs.Counts) {
		c.Snapshot, c.RowsNull, c.RowsFuture = w.snapshot, w.nulls, w.future
	})
	i.Progress.Phase("importing rows", w.rows)
	if err := i.read(ctx, wh, table, cursor, w); err != nil {
		return true, err
	}
	return true, i.finish(ctx, cursor)
}

// finish lets go of the snapshot: the next run pins a newer one.
func (i *Import) finish(ctx context.Context, cursor *store.Cursor) error {
	cursor.Pinned = nil
	return i.Cursors.Write(ctx, func(tx *store.Tx) error {
		if err := i.Fence(tx); err != nil {
			return err
		}
		return store.PutCursor(ctx, tx, i.Key, *cursor)
	})
}
