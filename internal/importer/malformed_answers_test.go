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

// malformedTable is a fake table with wrong answers.
type malformedTable struct {
	*fakeTable
	// names are more columns of its schema.
	names []SourceColumn
	// batch replaces the page number n of an answer.
	batch func(n int, b *databricks.Batch) []*databricks.Batch
}

func (m *malformedTable) columns(ctx context.Context, version *int64) ([]SourceColumn, error) {
	columns, err := m.fakeTable.columns(ctx, version)
	return append(columns, m.names...), err
}

func (m *malformedTable) rows(ctx context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		n := 0
		for b, err := range m.fakeTable.rows(ctx, s, q) {
			answer := []*databricks.Batch{b}
			if m.batch != nil {
				answer = m.batch(n, b)
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

// newMalformedSource is an import of ten rows, two of each timestamp.
func newMalformedSource(t *testing.T) (*malformedTable, *Import, *memorySink) {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: t.TempDir()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	malformed, sink := &malformedTable{fakeTable: newFakeTable()}, &memorySink{db: db, left: -1}
	malformed.now = 1000
	malformed.commit(func(rows []fakeRow) []fakeRow {
		for n := range 10 {
			rows = append(rows, fakeRow{int64(n / 2), n, "a"})
		}
		return rows
	})
	i := &Import{Key: "k", Sink: sink, Cursors: db, Progress: &countedProgress{}, retryPause: time.Nanosecond,
		Fence: func(*store.Tx) error { return nil },
		Spec:  jobs.TableImport{Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s"}}
	i.open = func(context.Context) (source, func() error, error) {
		return malformed, func() error { return nil }, nil
	}
	return malformed, i, sink
}

// checklist 20: rows that are lost on the way, or delivered twice, fail the run,
// although the driver reports no error: their number differs from the count.
func TestAMismatchOfCountedAndReadRowsFailsTheRun(t *testing.T) {
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
		malformed, i, sink := newMalformedSource(t)
		malformed.batch = batch
		if err := i.Run(t.Context()); !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), says) {
			t.Errorf("got the error %v, want one that says %q", err, says)
		}
		c, err := ReadCursor(t.Context(), i.Cursors, "k")
		if err != nil || c.Pinned == nil || c.LastCompared != nil || int(c.Sent) != len(sink.events) {
			t.Errorf("got the cursor %+v, %v, want one of a run that has not finished and counts %d events", c, err, len(sink.events))
		}
	}
}

// checklist 13: column names that differ only by case, which a foreign catalog may
// have, fail the run before its first event. The error names both.
func TestColumnsThatDifferByCaseAreRefused(t *testing.T) {
	t.Parallel()
	malformed, i, sink := newMalformedSource(t)
	malformed.names = []SourceColumn{{Name: "Text", Type: "STRING"}}
	err := i.Run(t.Context())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), `"text" and "Text"`) {
		t.Errorf("got the error %v, want one that names both columns", err)
	}
	if len(sink.events) > 0 || malformed.queries > 0 {
		t.Errorf("got %d events and %d queries for rows, want none", len(sink.events), malformed.queries)
	}
}

// checklist 19: a row that is too large for an event fails the run. It is not cut,
// and the error names it.
func TestARowThatIsTooLargeIsNamed(t *testing.T) {
	t.Parallel()
	malformed, i, sink := newMalformedSource(t)
	digest := fakeRow{}.digest()
	malformed.batch = func(int, *databricks.Batch) []*databricks.Batch {
		large := databricks.NewTexts(strings.Repeat("x", maxEventBytes+1))
		return []*databricks.Batch{databricks.NewBatch([]int64{1_500_000}, databricks.NewTexts(digest), large, []int64{1})}
	}
	err := i.Run(t.Context())
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || !strings.Contains(e.Summary, "1970-01-01 00:00:01.5") || !strings.Contains(e.Summary, digest) ||
		!strings.Contains(e.Next, "exclude_columns") || len(sink.events) > 0 {
		t.Errorf("got the error %v and %d events, want an error that names the row and exclude_columns, and no event", err, len(sink.events))
	}
}
