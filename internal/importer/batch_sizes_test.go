package importer

import (
	"context"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// slowTable is a fake table whose pages take a while.
type slowTable struct {
	*fakeTable
	perPage time.Duration
}

func (s *slowTable) rows(ctx context.Context, snap snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		for page, err := range s.fakeTable.rows(ctx, snap, q) {
			if time.Sleep(s.perPage); !yield(page, err) {
				return
			}
		}
	}
}

// slowSink takes a while for each batch, whose sizes it keeps, and stores nothing.
type slowSink struct {
	perBatch time.Duration
	sizes    []int
}

func (s *slowSink) Append(_ context.Context, _ string, events []jobs.Event, _ func(*store.Tx, []jobs.RejectedEvent) error) (jobs.AppendResult, error) {
	time.Sleep(s.perBatch)
	s.sizes = append(s.sizes, len(events))
	return jobs.AppendResult{Written: int64(len(events))}, nil
}

// noCursors is a store of an import that never ran, which keeps nothing.
type noCursors struct{ CursorStore }

func (noCursors) CursorDocument(context.Context, string) ([]byte, error) { return nil, nil }

func (noCursors) Write(context.Context, func(*store.Tx) error) error { return nil }

// A batch that does not fill is committed after CommitEvery. The time in which its rows
// could not be read, because the batch before was not committed yet, does not count.
func TestABatchFillsUnlessTheWarehouseIsSlow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		page              int
		perPage, perBatch time.Duration
		want              []int
	}{
		// A page that fills a batch begins the next one.
		"slow platform":  {5, 0, 3 * time.Second, []int{12, 12, 12}},
		"slow warehouse": {3, 300 * time.Millisecond, 0, []int{9, 9, 9, 9}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				t.Helper()
				table := newFakeTable()
				table.now, table.page = 1000, c.page
				table.commit(func(rows []fakeRow) []fakeRow {
					for n := range 36 {
						rows = append(rows, fakeRow{int64(n), n, "a"})
					}
					return rows
				})
				sink := &slowSink{perBatch: c.perBatch}
				i := &Import{Key: "k", Sink: sink, Cursors: noCursors{}, Progress: &countedProgress{}, CommitEvery: time.Second,
					Spec: jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s", BatchSize: 12}}
				i.open = func(context.Context) (source, func() error, error) {
					return &slowTable{table, c.perPage}, func() error { return nil }, nil
				}
				mustRun(t, i)
				if !slices.Equal(sink.sizes, c.want) {
					t.Errorf("got batches of %v events, want %v", sink.sizes, c.want)
				}
			})
		})
	}
}
