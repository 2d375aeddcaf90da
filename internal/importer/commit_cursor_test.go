package importer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// fencedStore is a store and a sink. It checks that each transaction of an import
// asks the fence.
type fencedStore struct {
	*store.DB
	t testing.TB
	// commits counts the transactions that succeeded, and fenceCalls how often the
	// fence was asked.
	commits, fenceCalls int
	// takenOverAt is the number of the fence call from which on the run belongs to
	// another process; 0 is never.
	takenOverAt int
	// asked is the last transaction that asked.
	asked *store.Tx
}

func (s *fencedStore) fence(tx *store.Tx) error {
	s.asked = tx
	if s.fenceCalls++; s.takenOverAt > 0 && s.fenceCalls >= s.takenOverAt {
		return store.ErrFenced
	}
	return nil
}

func (s *fencedStore) Write(ctx context.Context, f func(tx *store.Tx) error) error {
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		s.asked = nil
		err := f(tx)
		if s.asked != tx {
			s.t.Error("got a transaction of the import that did not ask the fence")
		}
		return err
	})
	if err == nil {
		s.commits++
	}
	return err
}

func (s *fencedStore) Append(
	ctx context.Context, _ string, events []jobs.Event, commit func(*store.Tx, []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	return jobs.AppendResult{Written: int64(len(events))}, s.Write(ctx, func(tx *store.Tx) error { return commit(tx, nil) })
}

// commitScenarios are imports that together take every path on which a cursor is
// committed. prepare fills the table and the store before the run of interest.
var commitScenarios = map[string]struct {
	prepare func(t *testing.T, s *fencedStore, f *fakeTable, i *Import)
	// commits is how many transactions the run commits.
	commits int
}{
	// The pinned snapshot, three batches of events, the end.
	"first run": {func(*testing.T, *fencedStore, *fakeTable, *Import) {}, 5},
	// The pinned snapshot, a batch of which all rows are known, the end.
	"only known rows": {func(t *testing.T, _ *fencedStore, f *fakeTable, i *Import) {
		t.Helper()
		mustRun(t, i)
		f.vacuumed = int64(len(f.versions)) // the run compares with the remembered rows
		f.commit(func(rows []fakeRow) []fakeRow { return rows })
	}, 3},
	// The new generation, the pinned snapshot, three batches, the end.
	"full refresh": {func(t *testing.T, _ *fencedStore, _ *fakeTable, i *Import) {
		t.Helper()
		mustRun(t, i)
		i.Spec.FullRefresh = "again"
	}, 6},
	// The copy's name, the pinned copy, three batches, the end, the dropped copy.
	"source without versions": {func(_ *testing.T, _ *fencedStore, f *fakeTable, i *Import) {
		f.history, i.Spec.ScratchSchema = false, "c.scratch"
	}, 7},
	// The upgraded document, the pinned snapshot, a batch of rows above the
	// watermark of 2, a batch of the window that is known or late, the end.
	"document of version 1": {func(t *testing.T, s *fencedStore, _ *fakeTable, _ *Import) {
		t.Helper()
		putVersion1(t, s.DB, "k", 2, fakeRow{2, 4, "a"}.digest())
	}, 5},
}

func mustRun(t *testing.T, i *Import) {
	t.Helper()
	if err := i.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// newCommitScenario is an import of ten rows, two on each of the timestamps 0 to
// 4, four events in a batch.
func newCommitScenario(t *testing.T, prepare func(*testing.T, *fencedStore, *fakeTable, *Import)) (*fencedStore, *Import) {
	t.Helper()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f, s := newFakeTable(), &fencedStore{DB: db, t: t}
	f.now = 1000
	f.commit(func(rows []fakeRow) []fakeRow {
		for n := range 10 {
			rows = append(rows, fakeRow{int64(n / 2), n, "a"})
		}
		return rows
	})
	i := &Import{Key: "k", Sink: s, Cursors: s, Fence: s.fence, Progress: &countedProgress{}, retryPause: time.Nanosecond,
		CommitEvery: time.Hour, // batches end when they are full
		Spec:        jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: 4}}
	i.open = func(context.Context) (source, func() error, error) { return f, func() error { return nil }, nil }
	prepare(t, s, f, i)
	s.commits, s.fenceCalls = 0, 0
	return s, i
}

// checklist 2 57: each transaction that moves the cursor asks the fence, once.
func TestEveryCommitOfACursorAsksTheFence(t *testing.T) {
	t.Parallel()
	for name, c := range commitScenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, i := newCommitScenario(t, c.prepare)
			mustRun(t, i)
			if s.commits != c.commits || s.fenceCalls != c.commits {
				t.Errorf("got %d commits and %d calls of the fence, want %d of each", s.commits, s.fenceCalls, c.commits)
			}
		})
	}
}

// checklist 2 57: a process whose run was taken over commits nothing more, at
// whichever commit it learns of it.
func TestARunThatWasTakenOverMovesNoCursor(t *testing.T) {
	t.Parallel()
	for name, c := range commitScenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; n <= c.commits; n++ {
				s, i := newCommitScenario(t, c.prepare)
				s.takenOverAt = n
				err := i.Run(t.Context())
				// The last commit only forgets a copy; the next run repeats it.
				if forgets := name == "source without versions" && n == c.commits; !errors.Is(err, store.ErrFenced) && !forgets {
					t.Errorf("taken over at commit %d: got the error %v, want %v", n, err, store.ErrFenced)
				}
				if s.commits != n-1 {
					t.Errorf("taken over at commit %d: got %d commits, want %d", n, s.commits, n-1)
				}
			}
		})
	}
}
