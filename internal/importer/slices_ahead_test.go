package importer

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
)

// aheadTable is a fake table that does not end an answer before the next one was asked for,
// and records how the answers overlap.
type aheadTable struct {
	*fakeTable
	// answers is how many of them are waited for.
	answers int
	asked   []chan struct{}

	mu sync.Mutex
	// begun counts the answers, open those that were not read to their end, and most is
	// the largest number of open ones.
	begun, open, most int
	// opened and closed count the sessions.
	opened, closed int
}

func (a *aheadTable) rows(ctx context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		a.mu.Lock()
		n := a.begun
		a.begun++
		a.open++
		a.most = max(a.most, a.open)
		a.mu.Unlock()
		close(a.asked[n])
		defer func() {
			a.mu.Lock()
			a.open--
			a.mu.Unlock()
		}()
		for page, err := range a.fakeTable.rows(ctx, s, q) {
			if !yield(page, err) {
				return
			}
		}
		if n+1 < a.answers {
			select {
			case <-a.asked[n+1]:
			case <-ctx.Done():
			}
		}
	}
}

// newAheadImport imports 40 rows in slices of 10.
func newAheadImport(t *testing.T) (*aheadTable, *Import, *memorySink) {
	t.Helper()
	malformed, i, sink := newMalformedSource(t)
	f := malformed.fakeTable
	f.commit(func([]fakeRow) (rows []fakeRow) {
		for n := range 40 {
			rows = append(rows, fakeRow{int64(n), n, "a"})
		}
		return rows
	})
	a := &aheadTable{fakeTable: f, answers: 4}
	for range 20 {
		a.asked = append(a.asked, make(chan struct{}))
	}
	i.SliceRows, i.CommitEvery = 10, time.Hour
	i.open = func(context.Context) (source, func() error, error) {
		a.opened++
		return a, func() error { a.closed++; return nil }, nil
	}
	return a, i, sink
}

// The next slice is asked for before one is read to its end, and never more than that. The
// order of the events is that of the rows.
func TestTheNextSliceIsAskedForWhileOneIsRead(t *testing.T) {
	t.Parallel()
	a, i, sink := newAheadImport(t)
	mustRun(t, i)
	var got []int64
	for _, e := range sink.events {
		got = append(got, e.Time.UnixMicro())
	}
	if len(got) != 40 || !slices.IsSorted(got) {
		t.Errorf("got the times %v, want 40 in order", got)
	}
	if a.begun != 4 || a.most != 2 || a.open != 0 {
		t.Errorf("got %d answers, at most %d at a time, %d left open; want 4, 2 and none", a.begun, a.most, a.open)
	}
	if a.opened != 2 || a.closed != 2 {
		t.Errorf("got %d sessions, %d of them closed, want 2", a.opened, a.closed)
	}
}

// Slices are read in one session where there is no second one.
func TestSlicesAreReadInOneSessionWhereThereIsNoOther(t *testing.T) {
	t.Parallel()
	a, i, sink := newAheadImport(t)
	a.answers = 0 // no answer waits
	open := i.open
	i.open = func(ctx context.Context) (source, func() error, error) {
		if a.opened > 0 {
			return nil, nil, errors.New("too many sessions")
		}
		return open(ctx)
	}
	mustRun(t, i)
	if len(sink.events) != 40 || a.most != 1 || a.opened != 1 || a.closed != 1 {
		t.Errorf("got %d events, %d answers at a time, %d sessions; want 40, 1 and 1", len(sink.events), a.most, a.opened)
	}
}

// A run that ends early gives up the answer that waits, and closes both sessions.
func TestAnAnswerThatWaitsIsGivenUpWithTheRun(t *testing.T) {
	t.Parallel()
	a, i, sink := newAheadImport(t)
	sink.left, i.Spec.BatchSize = 2, 10 // the batch of the second slice fails
	if err := i.Run(t.Context()); !errors.Is(err, errDied) {
		t.Fatalf("got the error %v, want that of the sink", err)
	}
	if a.open != 0 || a.opened != 2 || a.closed != 2 {
		t.Errorf("got %d open answers, %d sessions, %d of them closed; want none, 2 and 2", a.open, a.opened, a.closed)
	}
	sink.left, a.answers = -1, 0
	mustRun(t, i)
	if len(sink.events) != 40 {
		t.Errorf("got %d events, want 40", len(sink.events))
	}
}
