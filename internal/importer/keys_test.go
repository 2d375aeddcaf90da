package importer

import (
	"context"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// Two imports of one table into two streams have a cursor each, and no event id in
// common: the key that both follow from names the stream.
func TestImportsIntoTwoStreamsShareNoCursorAndNoEventID(t *testing.T) {
	t.Parallel()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f := newFakeTable()
	f.now = 1000
	f.commit(func(rows []fakeRow) []fakeRow { return append(rows, fakeRow{1, 1, "a"}, fakeRow{2, 2, "b"}) })
	seen := map[string]string{}
	for _, stream := range []string{"orders", "audit"} {
		sink := &memorySink{db: db, left: -1}
		i := &Import{Sink: sink, Cursors: db, Progress: &countedProgress{}, retryPause: time.Nanosecond,
			Fence: func(*store.Tx) error { return nil },
			Spec:  jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: stream}}
		i.Key = jobs.Key("host", jobs.JobSpec{Import: &i.Spec})
		i.open = func(context.Context) (source, func() error, error) { return f, func() error { return nil }, nil }
		if err := i.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(sink.events) != 2 {
			t.Errorf("got %d events in the stream %s, want 2", len(sink.events), stream)
		}
		for _, e := range sink.events {
			if other, ok := seen[e.ID]; ok {
				t.Errorf("got the event id %s in the streams %s and %s", e.ID, other, stream)
			}
			seen[e.ID] = stream
		}
	}
}
