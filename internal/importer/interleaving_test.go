package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// world is a fake table, an import of it, and what it should have sent.
type world struct {
	t     *rapid.T
	ctx   context.Context
	db    *store.DB
	table *fakeTable
	sink  *memorySink
	imp   *Import
	// least is how often each row must have been sent.
	least map[fakeRow]int64
}

const lookback = 10

func (w *world) run() error {
	i := *w.imp
	i.Progress, i.retryPause = &tried{}, time.Nanosecond
	i.open = func(context.Context) (source, func() error, error) {
		// A temporary copy ends with its session.
		delete(w.table.copies, "temporary")
		return w.table, func() error { return nil }, nil
	}
	return i.Run(w.ctx)
}

// change commits something to the table.
func (w *world) change() {
	f, t := w.table, w.t
	row := func() fakeRow {
		r := fakeRow{micros: f.now + rapid.Int64Range(-15, 2).Draw(t, "timestamp"), key: rapid.IntRange(0, 2).Draw(t, "key"), text: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")}
		if rapid.IntRange(0, 15).Draw(t, "null") == 0 {
			r.micros = store.NullMicros
		}
		return r
	}
	pick := func(rows []fakeRow) int { return rapid.IntRange(0, len(rows)-1).Draw(t, "row") }
	f.commit(func(rows []fakeRow) []fakeRow {
		switch kind := rapid.SampledFrom([]string{"insert", "insert", "insert", "update", "delete", "rebuild"}).Draw(t, "change"); {
		case kind == "rebuild", kind != "insert" && len(rows) == 0:
			slices.Reverse(rows)
			return rows
		case kind == "update":
			rows[pick(rows)] = row()
			return rows
		case kind == "delete":
			n := pick(rows)
			return slices.Delete(rows, n, n+1)
		}
		for range rapid.IntRange(1, 8).Draw(t, "rows") {
			rows = append(rows, row())
		}
		return rows
	})
	f.now += rapid.Int64Range(0, 6).Draw(t, "time passes")
}

// demand adds what a run that ends has to have sent.
func (w *world) demand(watermark *int64, from *int64) {
	pinned := w.table.pinned[len(w.table.pinned)-1]
	for r, n := range tally(pinned.rows) {
		switch {
		case r.micros == store.NullMicros && w.imp.Spec.NullTimestamps != jobs.NullIncludeOnce,
			r.micros > pinned.clock && !(w.imp.Spec.FutureTimestamps == jobs.FutureInclude),
			r.micros != store.NullMicros && watermark != nil && r.micros < *watermark-lookback,
			r.micros != store.NullMicros && from != nil && r.micros < *from:
			continue
		}
		w.least[r] = max(w.least[r], n)
	}
}

// check holds the events against the table.
func (w *world) check() {
	got := map[string]int64{}
	ids := map[string]bool{}
	for _, e := range w.sink.events {
		if ids[e.ID] {
			w.t.Fatalf("event %s was sent twice", e.ID)
		}
		ids[e.ID] = true
		got[fmt.Sprint(e.Time.UnixMicro(), string(e.Data))]++
	}
	name := func(r fakeRow) string { return fmt.Sprint(max(r.micros, 0), r.json()) }
	most := map[string]int64{}
	for _, s := range w.table.pinned {
		for r, n := range tally(s.rows) {
			most[name(r)] = max(most[name(r)], n)
		}
	}
	for r, n := range w.least {
		if got[name(r)] < n {
			w.t.Fatalf("row %+v was sent %d times, and is there %d times", r, got[name(r)], n)
		}
	}
	for text, n := range got {
		if n > most[text] {
			w.t.Fatalf("row %s was sent %d times, and was never there more than %d times", text, n, most[text])
		}
	}
}

// checklist 1 2 3 4 5 6 10 62: whatever the ties, the batches, the crashes, the
// rows that come late, change or go, the tables that are rebuilt and the
// versions that are vacuumed away: each row is sent once.
func TestEachRowIsSentOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Location{Dir: t.TempDir()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	test := 0
	rapid.Check(t, func(rt *rapid.T) {
		if test++; test%1000 == 0 {
			t.Logf("%d interleavings", test)
		}
		w := &world{t: rt, ctx: t.Context(), db: db, table: newFakeTable(), sink: &memorySink{db: db}, least: map[fakeRow]int64{}}
		w.table.now = 1000
		w.table.page = rapid.IntRange(1, 7).Draw(rt, "page")
		w.table.history = rapid.IntRange(0, 3).Draw(rt, "history") > 0
		w.imp = drawImport(rt, fmt.Sprintf("key %d", test))
		w.imp.Sink, w.imp.Cursors, w.imp.Fence = w.sink, db, func(*store.Tx) error { return nil }
		for range rapid.IntRange(1, 6).Draw(rt, "runs") {
			for range rapid.IntRange(0, 4).Draw(rt, "changes") {
				w.change()
			}
			w.disturbed()
		}
		w.undisturbed()
		w.check()
	})
}

func drawImport(t *rapid.T, key string) *Import {
	l := time.Duration(lookback) * time.Microsecond
	i := &Import{Key: key, SliceRows: rapid.Int64Range(1, 12).Draw(t, "slice")}
	i.Spec = jobs.TableImport{
		Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s", Lookback: &l,
		BatchSize:        rapid.Int64Range(1, 6).Draw(t, "batch"),
		NullTimestamps:   rapid.SampledFrom([]jobs.NullTimestamps{jobs.NullSkip, jobs.NullIncludeOnce}).Draw(t, "nulls"),
		FutureTimestamps: rapid.SampledFrom([]jobs.FutureTimestamps{jobs.FutureDefer, jobs.FutureInclude}).Draw(t, "future"),
	}
	if rapid.Bool().Draw(t, "impatient") { // a batch ends with each page, full or not
		i.CommitEvery = time.Nanosecond
	}
	if rapid.Bool().Draw(t, "keys") {
		i.Spec.KeyColumns = []string{"k"}
	}
	if rapid.Bool().Draw(t, "since") {
		since := time.UnixMicro(995)
		i.Spec.Since = &since
	}
	if rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
		i.Spec.RowLimit = rapid.Int64Range(1, 9).Draw(t, "limit")
	}
	if rapid.Bool().Draw(t, "scratch") {
		i.Spec.ScratchSchema = "c.scratch"
	}
	return i
}

// disturbed runs the import with a crash, a lost session, or a version gone.
func (w *world) disturbed() {
	t := w.t
	w.sink.left, w.sink.inside = rapid.IntRange(1, 14).Draw(t, "dies at"), rapid.Bool().Draw(t, "inside")
	w.table.breaksAfter = rapid.IntRange(-1, 9).Draw(t, "breaks after")
	before, err := ReadCursor(w.ctx, w.db, w.imp.Key)
	if err != nil {
		t.Fatal(err)
	}
	switch err := w.run(); {
	case errors.Is(err, errDied):
	case err != nil:
		t.Fatal(err)
	case w.imp.Spec.RowLimit == 0:
		w.ended(before)
	}
	if rapid.IntRange(0, 4).Draw(t, "vacuum") == 0 {
		w.table.vacuumed = int64(len(w.table.versions) - 1)
	}
}

// ended demands what the run that ended had to send.
func (w *world) ended(before *Cursor) {
	if len(w.table.pinned) == 0 {
		return
	}
	var watermark, from *int64
	if before != nil {
		watermark, from = before.Watermark, before.From
		if p := before.Pinned; p != nil && p.Reached != nil {
			watermark = p.Reached
		}
	} else if s := w.imp.Spec.Since; s != nil {
		first := s.UnixMicro() + 1
		from = &first
	}
	w.demand(watermark, from)
}

// undisturbed runs it until it has nothing left to do.
func (w *world) undisturbed() {
	w.sink.left, w.table.breaksAfter, w.imp.Spec.RowLimit = -1, -1, 0
	w.change()
	for range 3 {
		before, err := ReadCursor(w.ctx, w.db, w.imp.Key)
		if err != nil {
			w.t.Fatal(err)
		}
		if err := w.run(); err != nil {
			w.t.Fatal(err)
		}
		w.ended(before)
	}
	sent, queries := len(w.sink.events), w.table.queries
	if err := w.run(); err != nil {
		w.t.Fatal(err)
	}
	if len(w.sink.events) != sent {
		w.t.Fatalf("a run without a change sent %d events", len(w.sink.events)-sent)
	}
	future := slices.ContainsFunc(w.table.current(), func(r fakeRow) bool { return r.micros > w.table.now })
	if w.table.history && !future && w.table.queries != queries {
		w.t.Fatalf("a run without a change read rows")
	}
}

// The same version gives the same events in the same order, whatever the
// batches and the crashes.
func TestOneOrder(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Location{Dir: t.TempDir()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	test := 0
	rapid.Check(t, func(rt *rapid.T) {
		if test++; test%1000 == 0 {
			t.Logf("%d interleavings", test)
		}
		w := &world{t: rt, ctx: t.Context(), db: db, table: newFakeTable(), sink: &memorySink{db: db}, least: map[fakeRow]int64{}}
		w.table.now = 10_000
		var rows []fakeRow
		for range rapid.IntRange(0, 40).Draw(rt, "rows") {
			rows = append(rows, fakeRow{rapid.Int64Range(1, 6).Draw(rt, "ts"), rapid.IntRange(0, 2).Draw(rt, "key"), rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "text")})
		}
		w.table.commit(func([]fakeRow) []fakeRow { return rows })
		w.imp = drawImport(rt, fmt.Sprintf("order %d", test))
		w.imp.Spec.Since = nil
		w.imp.Sink, w.imp.Cursors, w.imp.Fence = w.sink, db, func(*store.Tx) error { return nil }
		for range rapid.IntRange(0, 3).Draw(rt, "crashes") {
			w.sink.left = rapid.IntRange(1, 10).Draw(rt, "dies at")
			if err := w.run(); err != nil && !errors.Is(err, errDied) {
				rt.Fatal(err)
			}
		}
		w.sink.left, w.imp.Spec.RowLimit = -1, 0
		if err := w.run(); err != nil {
			rt.Fatal(err)
		}
		slices.SortStableFunc(rows, func(a, b fakeRow) int {
			key := 0
			if len(w.imp.Spec.KeyColumns) > 0 {
				key = cmp.Compare(a.key, b.key)
			}
			return cmp.Or(cmp.Compare(a.micros, b.micros), key, cmp.Compare(a.digest(), b.digest()))
		})
		if len(w.sink.events) != len(rows) {
			rt.Fatalf("%d events of %d rows", len(w.sink.events), len(rows))
		}
		for n, e := range w.sink.events {
			if e.Time.UnixMicro() != rows[n].micros || string(e.Data) != rows[n].json() {
				rt.Fatalf("event %d is %s %s, want %+v", n, e.Time, e.Data, rows[n])
			}
		}
	})
}

func TestEventIDsDifferByEveryPart(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	for name, id := range map[string]string{
		"base":       EventID("k", 1, 5, "d", nil, 1),
		"key":        EventID("k2", 1, 5, "d", nil, 1),
		"generation": EventID("k", 2, 5, "d", nil, 1),
		"time":       EventID("k", 1, 6, "d", nil, 1),
		"digest":     EventID("k", 1, 5, "e", nil, 1),
		"tie":        EventID("k", 1, 5, "d", []byte("t"), 1),
		"occurrence": EventID("k", 1, 5, "d", nil, 2),
		"boundary":   EventID("kd", 1, 5, "", nil, 1),
	} {
		if other, ok := ids[id]; ok {
			t.Errorf("%s and %s have the same id", name, other)
		}
		ids[id] = name
	}
	// checklist 9: the id that earlier releases gave.
	if got := EventID("k", 1, 5, "d", nil, 1); got != "469aeb41aa41dc7337724d8240e7300b" {
		t.Errorf("ids changed: %s", got)
	}
}
