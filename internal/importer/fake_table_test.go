package importer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fakeRow is a row of a fake table. Without a timestamp its micros are
// store.NullMicros.
type fakeRow struct {
	micros int64
	key    int
	text   string
}

func (r fakeRow) digest() string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d %s", r.key, r.text)))
	return hex.EncodeToString(sum[:])
}

func (r fakeRow) json() string { return fmt.Sprintf(`{"key":%d,"text":%q}`, r.key, r.text) }

// fakeTable is a table with versions, and the source that reads it.
type fakeTable struct {
	versions [][]fakeRow
	// vacuumed is the first version that can be read. history is false for a table
	// without versions.
	vacuumed int64
	history  bool
	// now is the warehouse's clock.
	now    int64
	copies map[string][]fakeRow
	// page is how many rows a page has, and breaksAfter how many pages are returned
	// before the session is lost; -1 is never.
	page, breaksAfter int
	// queries counts the queries that read rows.
	queries int
	// pinned are the snapshots that were pinned.
	pinned []fakeSnapshot
}

// fakeSnapshot has the rows of a pinned snapshot and its clock.
type fakeSnapshot struct {
	rows  []fakeRow
	clock int64
}

func newFakeTable() *fakeTable {
	return &fakeTable{versions: [][]fakeRow{nil}, history: true, copies: map[string][]fakeRow{}, page: 3, breaksAfter: -1}
}

func (f *fakeTable) current() []fakeRow { return f.versions[len(f.versions)-1] }

// commit adds a version.
func (f *fakeTable) commit(change func([]fakeRow) []fakeRow) {
	f.versions = append(f.versions, change(slices.Clone(f.current())))
}

var errLost = &jobs.Error{Code: jobs.CodeUnreachable, Summary: "the session was lost"}

func (f *fakeTable) latestVersion(context.Context) (int64, bool, error) {
	return int64(len(f.versions) - 1), f.history, nil
}

func (f *fakeTable) columns(_ context.Context, version *int64) ([]SourceColumn, error) {
	if version != nil && *version < f.vacuumed {
		return nil, errSnapshotGone
	}
	return []SourceColumn{{Name: "ts", Type: "TIMESTAMP"}, {Name: "k", Type: "INT"}, {Name: "text", Type: "STRING"}}, nil
}

func (f *fakeTable) copy(_ context.Context, t *table, name string, from int64) (snapshot, error) {
	if name == "" {
		name = "temporary"
	}
	f.copies[name] = slices.DeleteFunc(slices.Clone(f.current()), func(r fakeRow) bool {
		return r.micros != store.NullMicros && r.micros < from
	})
	return snapshot{table: t, copied: name, label: "copy"}, nil
}

func (f *fakeTable) drop(_ context.Context, name string) error {
	delete(f.copies, name)
	return nil
}

// at returns the rows of a snapshot.
func (f *fakeTable) at(s snapshot) ([]fakeRow, error) {
	if s.version == nil {
		rows, ok := f.copies[s.copied]
		if !ok {
			return nil, errSnapshotGone
		}
		return rows, nil
	}
	if *s.version < f.vacuumed {
		return nil, errSnapshotGone
	}
	return f.versions[*s.version], nil
}

func (f *fakeTable) count(_ context.Context, s snapshot, q countQuery) (counts, error) {
	rows, err := f.at(s)
	if err != nil {
		return counts{}, err
	}
	c := counts{upper: f.now, first: math.MaxInt64, last: math.MinInt64}
	if q.upper != nil {
		c.upper = *q.upper
	} else {
		f.pinned = append(f.pinned, fakeSnapshot{rows, f.now})
	}
	for _, r := range rows {
		switch {
		case r.micros == store.NullMicros:
			c.nulls++
			continue
		case r.micros >= q.from && r.micros <= c.upper:
			c.rows++
			c.first, c.last = min(c.first, r.micros), max(c.last, r.micros)
		case r.micros >= q.from:
			c.future++
			c.futureLast = max(c.futureLast, r.micros)
		}
		if q.window != nil && r.micros >= q.window.from && r.micros <= q.window.to {
			c.window++
		}
	}
	return c, nil
}

func (f *fakeTable) histogram(_ context.Context, s snapshot, from, width, to int64) ([]slice, error) {
	rows, err := f.at(s)
	found := map[int64]slice{}
	for _, r := range rows {
		if r.micros == store.NullMicros || r.micros < from || r.micros > to {
			continue
		}
		b, ok := found[(r.micros-from)/width]
		if !ok {
			b = slice{r.micros, r.micros, 0}
		}
		found[(r.micros-from)/width] = slice{min(b.from, r.micros), max(b.to, r.micros), b.rows + 1}
	}
	out := []slice{}
	for _, b := range found {
		out = append(out, b)
	}
	slices.SortFunc(out, func(a, b slice) int { return cmp.Compare(a.from, b.from) })
	return out, err
}

// selected returns the rows of a query, in its order.
func (f *fakeTable) selected(s snapshot, q rowsQuery) ([]fakeRow, error) {
	rows, err := f.at(s)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(r fakeRow) bool {
		switch {
		case q.nulls:
			return r.micros != store.NullMicros
		case r.micros == store.NullMicros || r.micros < q.from || r.micros > q.to:
			return true
		}
		return q.after != nil && q.after.Digest != "" && r.micros <= q.after.Micros && r.digest() < q.after.Digest
	})
	slices.SortFunc(rows, func(a, b fakeRow) int {
		key := 0
		if len(s.table.keys) > 0 && !q.byDigest {
			key = cmp.Compare(a.key, b.key)
		}
		return cmp.Or(cmp.Compare(a.micros, b.micros), key, cmp.Compare(a.digest(), b.digest()))
	})
	return rows, nil
}

func (f *fakeTable) rows(_ context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		f.queries++
		rows, err := f.selected(s, q)
		var before []fakeRow
		if err == nil && q.previous != nil {
			before, err = f.selected(*q.previous, q)
		}
		if err != nil {
			yield(nil, err)
			return
		}
		times, earlier := countEqual(rows), countEqual(before)
		if q.previous != nil {
			rows = slices.DeleteFunc(slices.Compact(rows), func(r fakeRow) bool { return times[r] <= earlier[r] })
		}
		for page := range slices.Chunk(rows, f.page) {
			if f.breaksAfter == 0 {
				f.breaksAfter = -1
				yield(nil, errLost)
				return
			}
			f.breaksAfter--
			if !yield(pageOf(s, q, page, times, earlier), nil) {
				return
			}
		}
	}
}

// countEqual counts how often each row occurs.
func countEqual(rows []fakeRow) map[fakeRow]int64 {
	out := map[fakeRow]int64{}
	for _, r := range rows {
		out[r]++
	}
	return out
}

// pageOf encodes rows as the source returns them.
func pageOf(s snapshot, q rowsQuery, rows []fakeRow, times, earlier map[fakeRow]int64) *databricks.Batch {
	var micros, recorded, now, before []int64
	var digests, data, ties []string
	for _, r := range rows {
		micros, digests, data = append(micros, r.micros), append(digests, r.digest()), append(data, r.json())
		recorded = append(recorded, max(r.micros, 0))
		ties = append(ties, fmt.Sprintf(`{"k":%d}`, r.key))
		now, before = append(now, times[r]), append(before, earlier[r])
	}
	columns := []any{micros, databricks.NewTexts(digests...), databricks.NewTexts(data...), recorded}
	if len(s.table.keys) > 0 {
		columns = append(columns, databricks.NewTexts(ties...))
	}
	if q.previous != nil {
		columns = append(columns, now, before)
	}
	return databricks.NewBatch(columns...)
}

// memorySink keeps events in memory and commits as the embedded platform does. The
// batch number left fails: before the transaction, or inside it.
type memorySink struct {
	db     *store.DB
	events []jobs.Event
	left   int
	inside bool
	// rejects, if set, tells which events the sink rejects; rejected are those, after
	// their transaction was committed.
	rejects  func(jobs.Event) bool
	rejected []jobs.RejectedEvent
}

// quarantineOf keeps the rejected rows of the import with this key in the store.
type quarantineOf string

func (key quarantineOf) Add(ctx context.Context, tx *store.Tx, rejected []jobs.RejectedEvent) error {
	of := store.RejectedRun{ImportKey: string(key), JobID: "job of " + string(key), RunID: "run_1", Stream: "s"}
	_, err := store.AddQuarantined(ctx, tx, of, rejected, 1_000_000, nil)
	return err
}

func (quarantineOf) CheckRoom(context.Context) error { return nil }

// fataler is a test, or one of rapid's.
type fataler interface {
	Helper()
	Fatal(args ...any)
}

// quarantined lists what the store has in quarantine for an import.
func quarantined(t fataler, db *store.DB, key string) []jobs.QuarantineEntry {
	t.Helper()
	list, err := db.Quarantined(context.Background(), store.QuarantineQuery{JobID: "job of " + key, ImportKey: key}, true, 1_000_000, nil)
	if err != nil {
		t.Fatal(err)
	}
	return list.Entries
}

var errDied = errors.New("the process died")

func (s *memorySink) Append(
	ctx context.Context, _ string, events []jobs.Event, commit func(*store.Tx, []jobs.RejectedEvent) error,
) (jobs.AppendResult, error) {
	s.left--
	if s.left == 0 && !s.inside {
		return jobs.AppendResult{}, errDied
	}
	var kept []jobs.Event
	var rejected []jobs.RejectedEvent
	for _, e := range events {
		if s.rejects != nil && s.rejects(e) {
			rejected = append(rejected, jobs.RejectedEvent{Event: e, Reason: "poison", Bytes: int64(len(e.Data))})
			continue
		}
		kept = append(kept, e)
	}
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := commit(tx, rejected); err != nil {
			return err
		}
		if s.left == 0 {
			return errDied
		}
		return nil
	})
	if err != nil {
		return jobs.AppendResult{}, err
	}
	s.events, s.rejected = append(s.events, kept...), append(s.rejected, rejected...)
	return jobs.AppendResult{Written: int64(len(kept)), Rejected: int64(len(rejected))}, nil
}

// countedProgress keeps the counts.
type countedProgress struct{ jobs.Counts }

func (*countedProgress) Phase(string, int64)               {}
func (*countedProgress) Advance(int64)                     {}
func (p *countedProgress) Count(change func(*jobs.Counts)) { change(&p.Counts) }
