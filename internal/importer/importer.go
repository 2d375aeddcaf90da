// Package importer moves the rows of a Databricks table into an event stream:
// from a pinned version of the table, or a copy of a source that has none, in
// one total order, in batches whose events and cursor are committed together.
//
// The order is (timestamp, key columns, digest of the row). A run reads what
// lies above the watermark, in slices of timestamp, and compares the window
// below it, the lookback, with the version that the last run read: late rows
// arrive once, and a table rebuilt with the same rows sends nothing. What was
// sent of that window is remembered, too, as timestamps and digests: it stands
// in where a version is gone, or where there are none. Row tracking's row ids
// are not used: they change when a table is rebuilt, and identical rows have to
// be next to each other to be counted.
package importer

import (
	"cmp"
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
	// transaction: both happen or neither. The result is also valid beside an
	// error: it counts what is known of the failed attempt.
	Append(ctx context.Context, stream string, events []jobs.Event, commit func(tx *store.Tx) error) (jobs.AppendResult, error)
}

// Cursors is where an import's place is kept.
type Cursors interface {
	Cursor(ctx context.Context, key string) (*store.Cursor, error)
	SentPages(ctx context.Context, key string, from, to int64) ([]store.SentPage, error)
	SentRows(ctx context.Context, key string, page store.SentPage) ([]store.SentRow, error)
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
	// SliceRows is how many rows one query reads at most, unless they have one
	// timestamp; 0 means 5 million.
	SliceRows int64
	// CommitEvery is how long rows wait for a batch to become full; 0 is a
	// second.
	CommitEvery time.Duration

	// limit is what the cursor's count of events may reach in this run.
	limit int64
	// open is Connect and the source in the session, but for tests.
	open  func(ctx context.Context) (src source, done func() error, err error)
	pause time.Duration
}

// attempts is how many sessions may be lost in a row without one more row
// sent.
const attempts = 4

// Run imports all rows after the cursor up to the warehouse's clock.
func (i *Import) Run(ctx context.Context) error {
	before, err := i.Cursors.Cursor(ctx, i.Key)
	if err != nil {
		return err
	}
	i.limit = -1
	if i.Spec.RowLimit > 0 {
		i.limit = sent(before) + i.Spec.RowLimit
	}
	var r run
	for failed := 0; ; {
		var connected bool
		connected, err = i.attempt(ctx, before, &r)
		again := i.again(&r, connected, err)
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
		if before = after; failed >= attempts {
			return err
		}
		if errors.Is(err, errGone) || errors.Is(err, errPreviousGone) {
			continue
		}
		i.Progress.Phase(fmt.Sprintf("session lost, connecting again (%d)", failed), 0)
		pause := i.pause
		if pause == 0 {
			pause = time.Second
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(failed) * pause):
		}
	}
}

// again tells whether another attempt may succeed, and what it must not rely
// on.
func (i *Import) again(r *run, connected bool, err error) bool {
	switch {
	case errors.Is(err, errPreviousGone):
		r.noPrevious = true
		return true
	case errors.Is(err, errGone):
		first := !r.noPinned
		r.noPinned = true
		return first
	case databricks.IsSessionLost(err):
		return true
	}
	// A warehouse that broke off may answer a new session; one that was not
	// there to begin with is an error at once.
	return connected && jobs.IsCode(err, jobs.CodeUnreachable)
}

func sent(c *store.Cursor) int64 {
	if c == nil {
		return 0
	}
	return c.Sent
}

// attempt runs one session to the end of the window, or to its failure.
func (i *Import) attempt(ctx context.Context, cursor *store.Cursor, r *run) (connected bool, err error) {
	open := i.open
	if open == nil {
		open = i.session
	}
	src, done, err := open(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		if closeErr := done(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()
	*r = run{i: i, src: src, noPinned: r.noPinned, noPrevious: r.noPrevious}
	if cursor != nil {
		r.cursor = *cursor
	}
	return true, r.execute(ctx)
}

func (i *Import) session(ctx context.Context) (source, func() error, error) {
	wh, err := i.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return &warehouse{wh: wh, spec: i.Spec}, wh.Close, nil
}

func (i *Import) batchRows() int {
	if n := i.Spec.BatchSize; n > 0 && n < 1<<30 {
		return int(n)
	}
	return batchRows
}

func (i *Import) sliceRows() int64 {
	if i.SliceRows > 0 {
		return i.SliceRows
	}
	return sliceRows
}

func (i *Import) commitEvery() time.Duration { return cmp.Or(i.CommitEvery, commitEvery) }

// lookback is in microseconds.
func (i *Import) lookback() int64 {
	if l := i.Spec.Lookback; l != nil {
		return l.Microseconds()
	}
	return jobs.DefaultLookback.Microseconds()
}
