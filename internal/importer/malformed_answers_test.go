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

// checklist 19 66: a row that is too large for an event is not cut. It goes into
// quarantine, which names it, and the rows around it are sent.
func TestARowThatIsTooLargeGoesIntoQuarantine(t *testing.T) {
	t.Parallel()
	malformed, i, sink := newMalformedSource(t)
	i.Quarantine = quarantineOf("k")
	digest := fakeRow{}.digest()
	malformed.batch = func(n int, b *databricks.Batch) []*databricks.Batch {
		if n != 3 { // one row each
			return []*databricks.Batch{b}
		}
		large := databricks.NewTexts(strings.Repeat("x", maxEventBytes+1))
		return []*databricks.Batch{databricks.NewBatch([]int64{1}, databricks.NewTexts(digest), large, []int64{1_500_000})}
	}
	progress := &countedProgress{}
	i.Progress = progress
	mustRun(t, i)
	entries := quarantined(t, sink.db, "k")
	if len(entries) != 1 || len(sink.events) != 9 || progress.RowsRejected != 1 || progress.RowsWritten != 9 {
		t.Fatalf("got %d entries and %d events, counts %+v; want 1 and 9", len(entries), len(sink.events), progress.Counts)
	}
	e := entries[0]
	if len(e.EventID) != eventIDLength || !e.EventTime.Equal(time.UnixMicro(1_500_000)) || e.Bytes != maxEventBytes+1 || e.Sendable ||
		!strings.Contains(e.Reason, "exclude_columns") {
		t.Errorf("got the entry %+v, want one that names the event and exclude_columns", e)
	}
	mustRun(t, i)
	if n := len(quarantined(t, sink.db, "k")); n != 1 || len(sink.events) != 9 {
		t.Errorf("after another run: got %d entries and %d events, want 1 and 9", n, len(sink.events))
	}
}

// The key columns are kept with a rejected row, so that it can be found in the
// table.
func TestAQuarantinedRowHasItsKeyColumns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		columns []string
		want    string
	}{
		"one":             {[]string{"ID"}, `{"id":12345678901234567890}`},
		"several":         {[]string{"shop", "id"}, `{"id":12345678901234567890,"Shop":"é"}`},
		"not in an event": {[]string{"secret"}, ""},
		"none":            {nil, ""},
	} {
		i := &Import{Spec: jobs.TableImport{KeyColumns: c.columns}}
		rejected := []jobs.RejectedEvent{{Event: jobs.Event{Data: []byte(`{"id":12345678901234567890,"email":"a@b.c","Shop":"é"}`)}}}
		if got := i.withKeys(rejected)[0].Key; got != c.want {
			t.Errorf("%s: got the key %s, want %s", name, got, c.want)
		}
		if rejected[0].Key != "" {
			t.Errorf("%s: the platform's own slice was changed", name)
		}
	}
}

// The quarantine decides when a run must not reject more rows. It is asked after
// the commit, so that the cursor has moved.
func TestARunEndsWhenTheQuarantineHasNoRoom(t *testing.T) {
	t.Parallel()
	_, i, sink := newMalformedSource(t)
	full := errors.New("no room")
	i.Quarantine, i.Spec.BatchSize = fullQuarantine{quarantineOf("k"), full}, 2
	sink.rejects = func(e jobs.Event) bool { return strings.Contains(string(e.Data), `"key":3`) }
	if err := i.Run(t.Context()); !errors.Is(err, full) {
		t.Fatalf("got the error %v, want %v", err, full)
	}
	if n := len(quarantined(t, sink.db, "k")); n != 1 || len(sink.events) != 3 {
		t.Errorf("got %d entries and %d events, want 1 and 3", n, len(sink.events))
	}
	i.Quarantine = quarantineOf("k")
	mustRun(t, i)
	if n := len(quarantined(t, sink.db, "k")); n != 1 || len(sink.events) != 9 {
		t.Errorf("after another run: got %d entries and %d events, want 1 and 9", n, len(sink.events))
	}
}

type fullQuarantine struct {
	quarantineOf
	err error
}

func (q fullQuarantine) CheckRoom(context.Context) error { return q.err }
