package importer

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Who follows the events in their order knows which keys the table has, with any
// combination of changed, deleted and returning rows, batches, crashes and lost
// sessions, by the feed and by comparing.
func TestEventsOfDeletedRowsTellWhichKeysAreLeft(t *testing.T) {
	t.Parallel()
	eachInterleaving(t, "Deleted rows under crashes", func(n int, s *scenario, rt *rapid.T) {
		f := s.table
		f.now, f.page = 1000, rapid.IntRange(1, 7).Draw(rt, "page")
		if rapid.IntRange(0, 3).Draw(rt, "has a feed") > 0 {
			f.feedFrom = 0
		}
		s.imp = drawImport(rt, fmt.Sprintf("deletes %d", n))
		if f.feedFrom == 0 && rapid.Bool().Draw(rt, "nothing but the feed") {
			s.imp.Spec.Changes = jobs.ChangesFeed
		}
		s.imp.Quarantine = quarantineOf(s.imp.Key)
		s.imp.Spec.Since, s.imp.Spec.RowLimit = nil, 0
		s.imp.Spec.KeyColumns, s.imp.Spec.Deletes = []string{"k"}, jobs.DeletesEvents
		s.imp.Sink, s.imp.Cursors, s.imp.Fence = s.sink, s.db, func(*store.Tx) error { return nil }
		for range rapid.IntRange(1, 6).Draw(rt, "runs") {
			for range rapid.IntRange(0, 5).Draw(rt, "changes") {
				s.changeKey()
			}
			s.sink.left, s.sink.inside = rapid.IntRange(1, 8).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "inside")
			f.breaksAfter = rapid.IntRange(-1, 5).Draw(rt, "breaks after")
			if err := s.run(); err != nil && !errors.Is(err, errDied) {
				rt.Fatal(err)
			}
		}
		s.sink.left, f.breaksAfter = -1, -1
		for range 2 { // the first one finishes the snapshot of a run that was interrupted
			if err := s.run(); err != nil {
				rt.Fatal(err)
			}
		}
		s.checkKeys()
	})
}

// changeKey inserts, changes or deletes the row of a key.
func (s *scenario) changeKey() {
	f, t := s.table, s.t
	youngest := int64(0)
	if s.imp.Spec.FutureTimestamps == jobs.FutureInclude {
		youngest = -20
	}
	row := fakeRow{key: rapid.IntRange(0, 3).Draw(t, "key"), micros: f.now - rapid.Int64Range(youngest, 60).Draw(t, "age"),
		text: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")}
	deleted := rapid.IntRange(0, 2).Draw(t, "deleted") == 0
	f.commit(func(rows []fakeRow) []fakeRow {
		rows = slices.DeleteFunc(rows, func(r fakeRow) bool { return r.key == row.key })
		if !deleted {
			rows = append(rows, row)
		}
		return rows
	})
	f.now += rapid.Int64Range(0, 8).Draw(t, "time passes")
}

// checkKeys follows the events and compares the keys with those of the table.
func (s *scenario) checkKeys() {
	left, ids := map[int64]bool{}, map[string]bool{}
	for _, e := range s.sink.events {
		if ids[e.ID] {
			s.t.Fatalf("got the event %s twice, of %s", e.ID, e.Data)
		}
		ids[e.ID] = true
		if isDeleted(e.Data) {
			delete(left, gjson.GetBytes(e.Data, "k").Int())
		} else {
			left[gjson.GetBytes(e.Data, "key").Int()] = true
		}
	}
	for _, r := range s.table.current() {
		if !left[int64(r.key)] {
			s.t.Fatalf("got the keys %v from the events, want %d, which the table has", left, r.key)
		}
		delete(left, int64(r.key))
	}
	if len(left) > 0 {
		s.t.Fatalf("got the keys %v from the events, which the table no longer has", left)
	}
}
