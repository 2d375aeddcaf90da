package importer

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"math"
	"slices"
	"sync"
	"time"

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
	// committed are when the versions were committed, and commits counts the commits of
	// all tables that had the name.
	committed []int64
	commits   int64
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
	// mu guards queries and breaksAfter: two answers are read at a time.
	mu sync.Mutex
	// queries counts the queries that read rows.
	queries int
	// feedFrom is the first version whose commit the change data feed has, and
	// feedRead is set when changes were read from it.
	feedFrom               int64
	feedRead, feedEverRead bool
	// refusesCompared is set when no statement that compares two versions succeeds.
	refusesCompared bool
	// mostListed is the length from which on the history lists no commits at all, as
	// Warehouse.CommitsSince does; 0 is none. listedFrom is the first version that it has.
	mostListed, listedFrom int64
	// optimized are the versions whose commits are known to change no row.
	optimized map[int64]bool
	// pinned are the snapshots that were pinned.
	pinned []fakeSnapshot
}

// fakeSnapshot has the rows of a pinned snapshot and its clock.
type fakeSnapshot struct {
	rows  []fakeRow
	clock int64
}

func newFakeTable() *fakeTable {
	f := &fakeTable{history: true, copies: map[string][]fakeRow{}, page: 3, breaksAfter: -1}
	f.recreate(nil)
	return f
}

// recreate drops the table, and creates another one with these versions.
func (f *fakeTable) recreate(versions ...[]fakeRow) {
	f.versions, f.committed, f.vacuumed, f.feedFrom, f.optimized = nil, nil, 0, math.MaxInt64, map[int64]bool{}
	for _, rows := range versions {
		f.add(rows)
	}
}

// add adds a version.
func (f *fakeTable) add(rows []fakeRow) {
	f.commits++
	f.versions, f.committed = append(f.versions, rows), append(f.committed, f.commits)
}

func (f *fakeTable) current() []fakeRow { return f.versions[len(f.versions)-1] }

// commit adds a version.
func (f *fakeTable) commit(change func([]fakeRow) []fakeRow) {
	f.add(change(slices.Clone(f.current())))
}

var errLost = &jobs.Error{Code: jobs.CodeUnreachable, Summary: "the session was lost"}

func (f *fakeTable) latestVersion(context.Context) (databricks.Commit, bool, error) {
	return f.commitOf(int64(len(f.versions) - 1)), f.history, nil
}

func (f *fakeTable) commitOf(version int64) databricks.Commit {
	c := databricks.Commit{Version: version, At: time.UnixMicro(f.committed[version]), Operation: "WRITE"}
	if f.optimized[version] {
		c.Operation = "OPTIMIZE"
	}
	return c
}

func (f *fakeTable) commitsSince(_ context.Context, version, latest int64) (commits []databricks.Commit, err error) {
	if f.mostListed > 0 && latest-version >= f.mostListed {
		return nil, nil
	}
	newest := int64(len(f.versions) - 1)
	for v := newest; v >= max(min(version, newest), f.listedFrom); v-- {
		commits = append(commits, f.commitOf(v))
	}
	return commits, nil
}

// has reports whether a version can be read.
func (f *fakeTable) has(version int64) bool {
	return version >= f.vacuumed && version < int64(len(f.versions))
}

func (f *fakeTable) columns(_ context.Context, version *int64) ([]SourceColumn, error) {
	if version != nil && !f.has(*version) {
		return nil, errSnapshotGone
	}
	return []SourceColumn{{Name: "ts", Type: "TIMESTAMP"}, {Name: "k", Type: "INT"}, {Name: "text", Type: "STRING"}}, nil
}

func (f *fakeTable) layout(context.Context) (layout, error) {
	return layout{bytes: 1000, files: 2}, nil
}

func (f *fakeTable) copy(_ context.Context, of snapshot, name string, from int64) (snapshot, error) {
	if name == "" {
		name = temporaryCopy
	}
	rows := f.current()
	if of.version != nil {
		var err error
		if rows, err = f.at(of); err != nil {
			return snapshot{}, err
		}
	}
	f.copies[name] = slices.DeleteFunc(slices.Clone(rows), func(r fakeRow) bool {
		return r.micros != store.NullMicros && r.micros < from
	})
	of.copied, of.label = name, "copy"
	return of, nil
}

func (f *fakeTable) drop(_ context.Context, name string) error {
	delete(f.copies, name)
	return nil
}

// at returns the rows of a snapshot.
func (f *fakeTable) at(s snapshot) ([]fakeRow, error) {
	if s.copied != "" {
		rows, ok := f.copies[s.copied]
		if !ok {
			return nil, errSnapshotGone
		}
		return rows, nil
	}
	if !f.has(*s.version) {
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
	return f.ordered(s, q, rows), nil
}

// ordered returns those of the rows that a query asks for, in its order.
func (f *fakeTable) ordered(s snapshot, q rowsQuery, rows []fakeRow) []fakeRow {
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
	return rows
}

func (f *fakeTable) rows(_ context.Context, s snapshot, q rowsQuery) iter.Seq2[*databricks.Batch, error] {
	return func(yield func(*databricks.Batch, error) bool) {
		f.mu.Lock()
		f.queries++
		f.mu.Unlock()
		if q.changes != nil {
			f.changedRows(s, q, yield)
			return
		}
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
		f.yieldPages(s, q, rows, times, earlier, yield)
	}
}

// yieldPages passes rows on, page by page, until the session breaks.
func (f *fakeTable) yieldPages(
	s snapshot, q rowsQuery, rows []fakeRow, times, earlier map[fakeRow]int64, yield func(*databricks.Batch, error) bool,
) {
	for page := range slices.Chunk(rows, f.page) {
		if f.breaks() {
			yield(nil, errLost)
			return
		}
		if !yield(pageOf(s, q, page, times, earlier), nil) {
			return
		}
	}
}

// breaks reports whether the session is lost with the next page.
func (f *fakeTable) breaks() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.breaksAfter--
	return f.breaksAfter == -1
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
	if q.counted() {
		columns = append(columns, now, before)
	}
	return databricks.NewBatch(columns...)
}
