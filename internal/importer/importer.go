// Package importer copies the rows of a Databricks table into an event stream.
// It reads a pinned version of the table, or a copy of a source without
// versions, in one total order, and commits the events of each batch together
// with the cursor.
//
// The order is (timestamp, key columns, digest of the row). A run reads the rows
// above the watermark in slices of timestamp. Late rows below it are those that the
// table's change data feed has added more often than removed since the version that
// the last run read; where the feed is not complete, the window below the watermark,
// the lookback, is compared with that version. Either way late rows are sent once, and
// a table that is rebuilt with the same rows sends nothing. The store also remembers the timestamps and digests of the rows sent
// in that window: they are compared with where there is no earlier version, or
// where it cannot be read any more. The row ids of Databricks' row tracking are
// not used: they change when a table is rebuilt, and identical rows have to
// follow each other to be counted.
package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Sink stores events in streams.
type Sink interface {
	// Append makes the events durable, in order, except those that the sink rejects. A
	// sink that orders events by their time keeps the order of events of one time only.
	// Append runs commit with the rejected ones in the same transaction: both succeed, or
	// nothing is stored. The result is also valid beside an error: it counts what is known
	// of the failed attempt.
	Append(
		ctx context.Context, stream string, events []jobs.Event, commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error,
	) (jobs.AppendResult, error)
}

// SenderSink is a Sink that can send the events of a batch while those before are not
// committed yet, because its answers take long.
type SenderSink interface {
	Sink
	// Sender returns a function that begins to send a batch of events to a stream. The
	// finish that it returns waits for the answers and then does what Append does. Batches
	// are begun one after the other, and finished in the same order, each once. When ctx
	// has ended, finish commits nothing; its result counts what is known.
	Sender(stream string) func(ctx context.Context, events []jobs.Event) (finish FinishBatch)
}

// FinishBatch ends the sending of a batch. commit is that of Append. It is an alias, so that a
// sink need not import this package.
type FinishBatch = func(commit func(tx *store.Tx, rejected []jobs.RejectedEvent) error) (jobs.AppendResult, error)

// Progress receives what a run is doing.
type Progress interface {
	// Phase begins a phase of total rows; 0 means that the number is not known.
	Phase(name string, total int64)
	// Advance adds to the rows that are done in this phase.
	Advance(n int64)
	// Count changes the run's counts.
	Count(f func(*jobs.Counts))
}

// Quarantine keeps the rows of a run that were rejected.
type Quarantine interface {
	// Add keeps rows, in the transaction that commits the cursor after them.
	Add(ctx context.Context, tx *store.Tx, rejected []jobs.RejectedEvent) error
	// CheckRoom fails if the quarantine no longer holds all rows of this run. The
	// run then ends: every further rejected row would be lost.
	CheckRoom(ctx context.Context) error
}

// Import executes one run of a table import.
type Import struct {
	// Key names the import's cursor in the store.
	Key  string
	Spec jobs.TableImport
	// Connect opens a session whose statements end after queryTimeout; 0 means
	// jobs.DefaultQueryTimeout. It is called again when a session is lost.
	Connect func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error)
	// QueryTimeout is the definition's.
	QueryTimeout time.Duration
	Sink         Sink
	Cursors      CursorStore
	// Fence is asked in each transaction that writes the cursor.
	Fence    Fence
	Progress Progress
	// Quarantine keeps the rows that were rejected.
	Quarantine Quarantine
	// SliceRows is how many rows one query reads at most, unless they have one
	// timestamp; 0 means 5 million.
	SliceRows int64
	// CommitEvery is how long rows wait for a batch to fill; 0 means a second.
	CommitEvery time.Duration

	// Samples is the number of rows that DryRun shows.
	Samples int

	// limit is the number of events of the generation at which the run stops; -1
	// is no limit.
	limit int64
	// open replaces Connect and retryPause the first pause of sessions, in tests.
	open       func(ctx context.Context) (src source, closeSource func() error, err error)
	retryPause time.Duration
}

// sessions bound the sessions in a row that end without one more event.
var sessions = retry.Policy{Attempts: 4, First: time.Second, Longest: 4 * time.Second}

// Run imports all rows after the cursor up to the warehouse's clock.
func (i *Import) Run(ctx context.Context) error {
	before, err := i.loadCursor(ctx)
	if err != nil {
		return err
	}
	i.limit = -1
	if i.Spec.RowLimit > 0 {
		i.limit = before.Sent + i.Spec.RowLimit
	}
	var (
		r         run
		connected bool
		readErr   error
		again     bool
		failed    int
	)
	policy := sessions
	policy.First = cmp.Or(i.retryPause, policy.First)
	_, err = retry.Do(ctx, policy, func(int) (_ struct{}, err error) {
		connected, err = i.attempt(ctx, before, &r)
		return struct{}{}, err
	}, func(_ int, err error) retry.Decision {
		if again = ctx.Err() == nil && i.mayRetry(&r, connected, err); !again {
			return retry.Decision{}
		}
		var after Cursor
		if after, readErr = i.loadCursor(ctx); readErr != nil {
			return retry.Decision{}
		}
		moved := after.Sent > before.Sent
		before = after
		if errors.Is(err, errSnapshotGone) || errors.Is(err, errPreviousGone) || errors.Is(err, errChangesGone) {
			return retry.Decision{Retry: true, Free: true}
		}
		if failed++; moved {
			failed = 1
		}
		if failed < sessions.Attempts {
			i.Progress.Phase(fmt.Sprintf("session lost, connecting again (%d)", failed), 0)
		}
		return retry.Decision{Retry: true, Restart: moved}
	})
	switch {
	case readErr != nil:
		return errors.Join(err, readErr)
	case err != nil && again && ctx.Err() != nil: // it ended in a pause
		return ctx.Err()
	}
	return err
}

// loadCursor reads the cursor, and writes it back when an earlier version of the
// document was upgraded. An import that never ran has the zero Cursor.
func (i *Import) loadCursor(ctx context.Context) (Cursor, error) {
	stored, err := readCursor(ctx, i.Cursors, i.Key)
	if stored == nil || err != nil {
		return Cursor{}, err
	}
	if stored.upgrade != nil {
		err = i.writeCursor(ctx, *stored.upgrade)
	}
	return stored.Cursor, err
}

// mayRetry reports whether another attempt may succeed, and records in r which
// snapshots it must not rely on.
func (i *Import) mayRetry(r *run, connected bool, err error) bool {
	switch {
	case errors.Is(err, errPreviousGone):
		first := !r.previousGone
		r.previousGone = true
		return first
	case errors.Is(err, errChangesGone):
		first := !r.changesGone
		r.changesGone = true
		return first
	case errors.Is(err, errSnapshotGone):
		first := !r.pinnedGone
		r.pinnedGone = true
		return first
	case databricks.IsSessionLost(err):
		return true
	}
	// A warehouse that was reached once may answer a new session. One that never
	// answered is reported at once.
	return connected && jobs.IsCode(err, jobs.CodeUnreachable)
}

// attempt executes the import in one session.
func (i *Import) attempt(ctx context.Context, cursor Cursor, r *run) (connected bool, err error) {
	src, closeSource, err := i.openSource(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		if closeErr := closeSource(); err == nil { // after a failure it says nothing new
			err = closeErr
		}
	}()
	*r = run{imp: i, src: src, cursor: cursor, pinnedGone: r.pinnedGone, previousGone: r.previousGone,
		changesGone: r.changesGone}
	return true, r.execute(ctx)
}

// openSource opens a session and the source in it.
func (i *Import) openSource(ctx context.Context) (source, func() error, error) {
	if i.open != nil {
		return i.open(ctx)
	}
	wh, err := i.Connect(ctx, i.QueryTimeout)
	if err != nil {
		return nil, nil, err
	}
	return &warehouse{wh: wh, spec: i.Spec}, wh.Close, nil
}

func (i *Import) batchEvents() int {
	if n := i.Spec.BatchSize; n > 0 && n < 1<<30 {
		return int(n)
	}
	return maxBatchEvents
}

func (i *Import) sliceRows() int64 {
	if i.SliceRows > 0 {
		return i.SliceRows
	}
	return sliceRows
}

func (i *Import) commitEvery() time.Duration { return cmp.Or(i.CommitEvery, commitEvery) }

// lookback is the length of the window below the watermark, in microseconds.
func (i *Import) lookback() int64 {
	if l := i.Spec.Lookback; l != nil {
		return l.Microseconds()
	}
	return jobs.DefaultLookback.Microseconds()
}
