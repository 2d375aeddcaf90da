package importer

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// newExchange is an import of a fake table that has the rows 1 to 3 in version 1.
func newExchange(t *testing.T) *scenario {
	t.Helper()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f, sink, l := newFakeTable(), &memorySink{db: db, left: -1}, time.Duration(lookback)*time.Microsecond
	f.now = 1000
	f.commit(func([]fakeRow) []fakeRow { return []fakeRow{{901, 1, "a"}, {902, 2, "a"}, {903, 3, "a"}} })
	return &scenario{ctx: t.Context(), db: db, table: f, sink: sink, imp: &Import{Key: "k", Sink: sink, Cursors: db,
		Fence: func(*store.Tx) error { return nil }, Spec: jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts",
			Stream: "s", Lookback: &l, BatchSize: 1}}}
}

// sent runs the import, which may die, and returns the data of the new events.
func (s *scenario) sent(tb testing.TB) []string {
	tb.Helper()
	before := len(s.sink.events)
	if err := s.run(); err != nil && !errors.Is(err, errDied) {
		tb.Fatal(err)
	}
	out := []string{}
	for _, e := range s.sink.events[before:] {
		out = append(out, string(e.Data))
	}
	return out
}

// The rows of another table of the same name are compared with those that were sent,
// whichever versions it has, also where a run had pinned a version of the old one.
func TestRowsOfAnotherTableAreComparedWithThoseSent(t *testing.T) {
	t.Parallel()
	rows := []fakeRow{{902, 2, "a"}, {902, 5, "late"}, {903, 3, "a"}, {904, 6, "new"}}
	for name, c := range map[string]struct {
		diesAt   int
		versions [][]fakeRow
		want     []string
	}{
		"fewer versions": {-1, [][]fakeRow{rows}, []string{rows[1].json(), rows[3].json()}},
		"as many":        {-1, [][]fakeRow{nil, rows}, []string{rows[1].json(), rows[3].json()}},
		"more versions":  {-1, [][]fakeRow{nil, rows, rows, rows}, []string{rows[1].json(), rows[3].json()}},
		// One row of the old table was sent. The watermark is just before it, so that all
		// rows of the new one are above the watermark.
		"interrupted": {2, [][]fakeRow{nil, rows}, []string{rows[0].json(), rows[1].json(), rows[2].json(), rows[3].json()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newExchange(t)
			s.sink.left = c.diesAt
			s.sent(t)
			s.sink.left = -1
			s.table.recreate(c.versions...)
			got := append(s.sent(t), s.sent(t)...)
			if diff := cmp.Diff(countTexts(c.want), countTexts(got)); diff != "" {
				t.Errorf("the events of the new table (-want +got):\n%s", diff)
			}
		})
	}
}

func countTexts(texts []string) map[string]int {
	out := map[string]int{}
	for _, text := range texts {
		out[text]++
	}
	return out
}

// Where the history does not list the version of the last run, because the list would be too
// long or the older commits were removed from it, that version is compared with all the same:
// no commit is taken for one that changed no row.
func TestAVersionThatTheHistoryDoesNotListIsComparedWith(t *testing.T) {
	t.Parallel()
	old, late := fakeRow{100, 6, "old"}, fakeRow{902, 5, "late"}
	for name, c := range map[string]struct {
		set  func(*fakeTable)
		feed bool
		want []string
	}{
		"too many commits, with the feed":  {func(f *fakeTable) { f.mostListed = 3 }, true, []string{old.json(), late.json()}},
		"too many commits":                 {func(f *fakeTable) { f.mostListed = 3 }, false, []string{late.json()}},
		"removed commits, with the feed":   {func(f *fakeTable) { f.listedFrom = 4 }, true, []string{old.json(), late.json()}},
		"removed commits":                  {func(f *fakeTable) { f.listedFrom = 4 }, false, []string{late.json()}},
		"a short list, as in other tables": {func(*fakeTable) {}, true, []string{old.json(), late.json()}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newExchange(t)
			if c.feed {
				s.table.feedFrom = 0
			}
			s.sent(t)
			s.table.commit(func(rows []fakeRow) []fakeRow { return append(rows, old, late) })
			for v := int64(3); v < 7; v++ {
				s.table.commit(func(rows []fakeRow) []fakeRow { return rows })
				s.table.optimized[v] = true
			}
			c.set(s.table)
			if diff := cmp.Diff(c.want, s.sent(t)); diff != "" {
				t.Errorf("the events of the rows that came late (-want +got):\n%s", diff)
			}
			if got := s.sent(t); len(got) > 0 {
				t.Errorf("got the events %v again", got)
			}
		})
	}
}

// checklist 9: a cursor of an earlier release does not tell when its version was committed.
// The number of the version is compared as before, and the time is kept from then on.
func TestACursorWithoutACommitTimeIsRead(t *testing.T) {
	t.Parallel()
	s := newExchange(t)
	s.sent(t)
	c, err := ReadCursor(t.Context(), s.db, "k")
	if err != nil || c.LastCompared.CommittedAt == 0 {
		t.Fatalf("got the cursor %+v, %v, want one with the time of the commit", c, err)
	}
	known := c.LastCompared.CommittedAt
	c.LastCompared.CommittedAt = 0
	if err := s.imp.writeCursor(context.Background(), cursorChange{cursor: *c}); err != nil {
		t.Fatal(err)
	}
	queries := s.table.queries
	if got := s.sent(t); len(got) > 0 || s.table.queries != queries {
		t.Errorf("got the events %v and %d queries of an unchanged table, want none", got, s.table.queries-queries)
	}
	if c, err = ReadCursor(t.Context(), s.db, "k"); err != nil || c.LastCompared.CommittedAt != known {
		t.Errorf("got the cursor %+v, %v, want the time %d", c.LastCompared, err, known)
	}
	s.table.recreate(nil, []fakeRow{{903, 7, "a"}})
	if got, want := s.sent(t), []string{fakeRow{903, 7, "a"}.json()}; !cmp.Equal(want, got) {
		t.Errorf("got the events %v of the table that was created anew, want %v", got, want)
	}
}

// Events of deleted rows need the old table's version: the run fails before it sends anything.
func TestDeletedRowsOfAnotherTableAreUnknown(t *testing.T) {
	t.Parallel()
	s := newExchange(t)
	s.imp.Spec.KeyColumns, s.imp.Spec.Deletes = []string{"k"}, jobs.DeletesEvents
	s.sent(t)
	s.table.recreate(nil, []fakeRow{{904, 9, "a"}})
	for range 2 {
		e, ok := errors.AsType[*jobs.Error](s.run())
		if !ok || e.Attribute != "deletes" || len(s.sink.events) != 3 {
			t.Fatalf("got the error %v and %d events, want an error of deletes and the 3 events of before", e, len(s.sink.events))
		}
	}
	s.imp.Spec.Deletes = jobs.DeletesIgnore
	if got, want := s.sent(t), []string{fakeRow{904, 9, "a"}.json()}; !cmp.Equal(want, got) {
		t.Errorf("got the events %v, want %v", got, want)
	}
}

// A row that comes late has another event in each table of the name, also where the runs
// before it read versions of one number.
func TestEventsOfLateRowsDifferBetweenTablesOfAName(t *testing.T) {
	t.Parallel()
	s := newExchange(t)
	rows, late := s.table.current(), fakeRow{100, 8, "a"}
	s.table.feedFrom = 0
	s.sent(t)
	addLate := func() {
		t.Helper()
		s.table.commit(func(now []fakeRow) []fakeRow { return append(now, late) })
		if got, want := s.sent(t), []string{late.json()}; !cmp.Equal(want, got) {
			t.Fatalf("got the events %v of a late row, want %v", got, want)
		}
	}
	addLate()
	s.table.recreate(nil, rows)
	s.table.feedFrom = 0
	if got := s.sent(t); len(got) > 0 {
		t.Fatalf("got the events %v of a table with the same rows, want none", got)
	}
	addLate()
	if n := len(s.sink.events); s.sink.events[n-1].ID == s.sink.events[n-2].ID {
		t.Errorf("got the id %s of the late rows of both tables, want two", s.sink.events[n-1].ID)
	}
}

// A cursor without the time of a version's commit gives the ids that earlier releases
// computed.
func TestIDsOfChangesWithoutACommitTimeAreThoseOfEarlierReleases(t *testing.T) {
	t.Parallel()
	id := func(kind string, base changeRange) string {
		w := newEventIDs("k", 1)
		w.appendChange(kind, base, 7, []byte("d"), nil, 1)
		return w.take()
	}
	if got, want := id("added", changeRange{after: 5}), "3bdea66fb235541d459e28d903b72344"; got != want {
		t.Errorf("got the id %s, want %s", got, want)
	}
	ids := map[string]bool{}
	for _, kind := range []string{"added", "deleted"} {
		for _, base := range []changeRange{{after: 5}, {after: 6}, {after: 5, committedAt: 1}, {after: 5, committedAt: 2}} {
			ids[id(kind, base)] = true
		}
	}
	if len(ids) != 8 {
		t.Errorf("got %d ids, want 8", len(ids))
	}
}
