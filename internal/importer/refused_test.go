package importer

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// oddTable is a fake table that answers otherwise than it should.
type oddTable struct {
	*fakeTable
	names []SourceColumn
	batch func(n int, b *databricks.Batch) []*databricks.Batch
}

func (o *oddTable) columns(ctx context.Context, version *int64) ([]SourceColumn, error) {
	columns, err := o.fakeTable.columns(ctx, version)
	return append(columns, o.names...), err
}

func (o *oddTable) rows(ctx context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		n := 0
		for b, err := range o.fakeTable.rows(ctx, s, q) {
			answer := []*databricks.Batch{b}
			if o.batch != nil {
				answer = o.batch(n, b)
			}
			n++
			for _, b := range answer {
				if !yield(b, err) {
					return
				}
			}
		}
	}
}

// newOdd is an import of ten rows, two of them on each timestamp.
func newOdd(t *testing.T) (*oddTable, *Import, *memorySink) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: t.TempDir()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	odd, sink := &oddTable{fakeTable: newFakeTable()}, &memorySink{db: db, left: -1}
	odd.now = 1000
	odd.commit(func(rows []fakeRow) []fakeRow {
		for n := range 10 {
			rows = append(rows, fakeRow{int64(n / 2), n, "a"})
		}
		return rows
	})
	i := &Import{Key: "k", Sink: sink, Cursors: db, Fence: func(*store.Tx) error { return nil }, Progress: &tried{}, retryPause: time.Nanosecond,
		Spec: jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s"}}
	i.open = func(context.Context) (source, func() error, error) { return odd, func() error { return nil }, nil }
	return odd, i, sink
}

// checklist 20: rows that are lost on the way, or delivered twice, fail the run,
// by their numbers; no error of the driver tells of them.
func TestRowsThatWereNotCountedFailTheRun(t *testing.T) {
	t.Parallel()
	for says, batch := range map[string]func(n int, b *databricks.Batch) []*databricks.Batch{
		"10 rows of c.d.t were counted and 9 were read": func(n int, b *databricks.Batch) []*databricks.Batch {
			if n == 3 {
				return nil
			}
			return []*databricks.Batch{b}
		},
		"10 rows of c.d.t were counted and 13 were read": func(n int, b *databricks.Batch) []*databricks.Batch {
			return slices.Repeat([]*databricks.Batch{b}, 1+max(1-n, 0))
		},
	} {
		odd, i, sink := newOdd(t)
		odd.batch = batch
		if err := i.Run(t.Context()); !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want one that says %q", err, says)
		}
		c, err := ReadCursor(t.Context(), i.Cursors, "k")
		if err != nil || c.Pinned == nil || c.LastCompared != nil || int(c.Sent) != len(sink.events) {
			t.Errorf("the run counts as done: %+v, %v", c, err)
		}
	}
}

// checklist 13: names that differ only by case, as a foreign catalog may have
// them, end the run before its first event; the error names both.
func TestColumnsThatDifferByCaseAreRefused(t *testing.T) {
	t.Parallel()
	odd, i, sink := newOdd(t)
	odd.names = []SourceColumn{{Name: "Text", Type: "STRING"}}
	err := i.Run(t.Context())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), `"text" and "Text"`) || len(sink.events) > 0 || odd.queries > 0 {
		t.Errorf("%v; %d events, %d queries", err, len(sink.events), odd.queries)
	}
}

// checklist 19: a row that is larger than an event may be is named, and not cut.
func TestARowThatIsTooLargeIsNamed(t *testing.T) {
	t.Parallel()
	odd, i, sink := newOdd(t)
	digest := fakeRow{}.digest()
	odd.batch = func(int, *databricks.Batch) []*databricks.Batch {
		return []*databricks.Batch{databricks.NewBatch([]int64{1_500_000}, databricks.NewTexts(digest), databricks.NewTexts(strings.Repeat("x", maxEventBytes+1)), []int64{1})}
	}
	err := i.Run(t.Context())
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || !strings.Contains(e.Summary, "1970-01-01 00:00:01.5") || !strings.Contains(e.Summary, digest) || !strings.Contains(e.Next, "exclude_columns") || len(sink.events) > 0 {
		t.Errorf("%v; %d events", err, len(sink.events))
	}
}
