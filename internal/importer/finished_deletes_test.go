package importer

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// A run that died after its last event of a deleted row needs no more changes: it goes on
// with the snapshot alone.
func TestARunWhoseDeletedRowsAreSentGoesOnWithoutTheChanges(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f, sink, l := newFakeTable(), &memorySink{db: db}, time.Duration(lookback)*time.Microsecond
	f.now, f.feedFrom = 1000, 0
	s := &scenario{ctx: t.Context(), db: db, table: f, sink: sink, imp: &Import{Key: "k", Sink: sink, Cursors: db,
		Fence: func(*store.Tx) error { return nil }, Spec: jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts",
			Stream: "s", Lookback: &l, BatchSize: 1, KeyColumns: []string{"k"}, Deletes: jobs.DeletesEvents}}}
	f.commit(func([]fakeRow) []fakeRow { return []fakeRow{{900, 0, "a"}, {901, 1, "a"}} })
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	f.commit(func([]fakeRow) []fakeRow { return []fakeRow{{901, 1, "a"}, {950, 2, "a"}, {951, 3, "a"}} })
	sink.left = 3 // the event of the deleted row and one new row are sent
	if err := s.run(); !errors.Is(err, errDied) {
		t.Fatalf("got the error %v, want that of the sink", err)
	}
	sink.left, f.feedFrom, f.refusesCompared = -1, math.MaxInt64, true
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range sink.events[2:] {
		got = append(got, string(e.Data))
	}
	if len(got) != 3 || !isDeleted([]byte(got[0])) || isDeleted([]byte(got[1])) || isDeleted([]byte(got[2])) {
		t.Errorf("got the events %v, want one of the deleted row and two of new rows", got)
	}
}
