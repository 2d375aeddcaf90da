package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// scenario is a fake table, an import of it, and the rows that it must have sent.
type scenario struct {
	t     *rapid.T
	ctx   context.Context
	db    *store.DB
	table *fakeTable
	sink  *memorySink
	imp   *Import
	// required is how often each row must have been sent, at least.
	required map[fakeRow]int64
}

// lookback is that of the imports, in microseconds.
const lookback = 10

// run runs the import. One that reads nothing but the feed is refused where the feed is not
// complete, before it sends anything, and runs once with changes = "auto", as the error says.
func (s *scenario) run() error {
	sent := len(s.sink.events)
	err := s.runWith(s.imp.Spec.Changes)
	e, ok := errors.AsType[*jobs.Error](err)
	if s.imp.Spec.Changes != jobs.ChangesFeed || !ok || e.Code != jobs.CodeInvalid || e.Attribute != "changes" {
		return err
	}
	if !strings.Contains(e.Next, `"auto"`) {
		s.t.Fatalf("got the error %v, want one that names the way out", err)
	}
	if pinned := s.table.feedRead; !pinned && len(s.sink.events) != sent {
		s.t.Fatalf("got %d events of a run that was refused", len(s.sink.events)-sent)
	}
	s.table.feedRead = false
	return s.runWith(jobs.ChangesAuto)
}

func (s *scenario) runWith(changes jobs.Changes) error {
	i := *s.imp
	i.Spec.Changes = changes
	i.Progress, i.retryPause = &countedProgress{}, time.Nanosecond
	i.open = func(context.Context) (source, func() error, error) {
		// A temporary copy ends with its session.
		delete(s.table.copies, temporaryCopy)
		return s.table, func() error { return nil }, nil
	}
	return i.Run(s.ctx)
}

// changeTable commits a change.
func (s *scenario) changeTable() {
	f, t := s.table, s.t
	row := func() fakeRow {
		late := int64(-15)
		if rapid.IntRange(0, 4).Draw(t, "very late") == 0 {
			late = -60
		}
		r := fakeRow{micros: f.now + rapid.Int64Range(late, 2).Draw(t, "timestamp"), key: rapid.IntRange(0, 2).Draw(t, "key"),
			text: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "text")}
		if rapid.IntRange(0, 15).Draw(t, "null") == 0 {
			r.micros = store.NullMicros
		}
		return r
	}
	pick := func(rows []fakeRow) int { return rapid.IntRange(0, len(rows)-1).Draw(t, "row") }
	if rapid.IntRange(0, 9).Draw(t, "created anew") == 0 {
		kept := f.current()
		f.recreate(kept[:rapid.IntRange(0, len(kept)).Draw(t, "kept")])
		for range rapid.IntRange(0, 3).Draw(t, "versions") {
			f.commit(func(rows []fakeRow) []fakeRow { return append(rows, row()) })
		}
	}
	f.commit(func(rows []fakeRow) []fakeRow {
		kind := rapid.SampledFrom([]string{"insert", "insert", "insert", "update", "delete", "rebuild", "optimize"}).Draw(t, "change")
		switch {
		case kind == "optimize":
			f.optimized[int64(len(f.versions))] = true
			return rows
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
	switch rapid.IntRange(0, 15).Draw(t, "feed") {
	case 0:
		f.feedFrom = math.MaxInt64
	case 1, 2:
		f.feedFrom = min(f.feedFrom, int64(len(f.versions)))
	}
}

// require adds the rows that a run that finished must have sent. watermark and from
// are those before the run.
func (s *scenario) require(watermark *int64, from *int64) {
	pinned := s.table.pinned[len(s.table.pinned)-1]
	for r, n := range countEqual(pinned.rows) {
		switch {
		case r.micros == store.NullMicros && s.imp.Spec.NullTimestamps != jobs.NullIncludeOnce,
			r.micros > pinned.clock && !(s.imp.Spec.FutureTimestamps == jobs.FutureInclude),
			r.micros != store.NullMicros && watermark != nil && r.micros < *watermark-lookback,
			r.micros != store.NullMicros && from != nil && r.micros < *from:
			continue
		}
		s.required[r] = max(s.required[r], n)
	}
}

// checkEvents compares the events with what the table had in the pinned snapshots.
func (s *scenario) checkEvents() {
	got := map[string]int64{}
	ids := map[string]bool{}
	all := slices.Clone(s.sink.events)
	for _, r := range s.sink.rejected {
		all = append(all, r.Event)
	}
	for _, e := range all {
		if ids[e.ID] {
			s.t.Fatalf("got the event %s twice, of %s at %d", e.ID, e.Data, e.Time.UnixMicro())
		}
		ids[e.ID] = true
		got[fmt.Sprint(e.Time.UnixMicro(), string(e.Data))]++
	}
	var stored []string
	for _, e := range quarantined(s.t, s.db, s.imp.Key) {
		stored = append(stored, e.EventID)
	}
	for _, r := range s.sink.rejected {
		if !slices.Contains(stored, r.ID) {
			s.t.Fatalf("the rejected event %s is not in quarantine", r.ID)
		}
	}
	if len(stored) != len(s.sink.rejected) {
		s.t.Fatalf("got %d events in quarantine, want the %d that were rejected and committed", len(stored), len(s.sink.rejected))
	}
	name := func(r fakeRow) string { return fmt.Sprint(max(r.micros, 0), r.json()) }
	most := map[string]int64{}
	for r, n := range s.mostSent() {
		most[name(r)] += n
	}
	for r, n := range s.required {
		if got[name(r)] < n {
			s.t.Fatalf("got row %+v %d times, want at least %d: so often it is in the table", r, got[name(r)], n)
		}
	}
	for text, n := range got {
		if n > most[text] {
			s.t.Fatalf("got row %s %d times, want at most %d: it was never in the table more often", text, n, most[text])
		}
	}
}

// eachInterleaving runs a test with scenarios that rapid draws, and logs how many
// it has run. n counts the scenarios from 1: each import has a key of its own.
func eachInterleaving(t *testing.T, figure string, test func(n int, s *scenario, rt *rapid.T)) {
	t.Helper()
	db, err := storetest.Open(t.Context(), store.Location{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	n := 0
	record := torture.Begin(t, figure, "interleavings")
	rapid.Check(t, func(rt *rapid.T) {
		record.Tried = n + 1
		if n++; n%1000 == 0 {
			t.Logf("%d interleavings", n)
		}
		test(n, &scenario{t: rt, ctx: t.Context(), db: db, table: newFakeTable(), sink: &memorySink{db: db}, required: map[fakeRow]int64{}}, rt)
	})
}

// checklist 1 2 3 4 5 6 10 62: each row is sent once, with any combination of equal
// timestamps, batches, crashes, lost sessions, late, changed and deleted rows,
// rebuilt tables, and versions that VACUUM removes. A row that the sink rejects is
// in quarantine, once (checklist 66).
func TestEachRowIsSentOnceInEveryInterleaving(t *testing.T) {
	t.Parallel()
	eachInterleaving(t, "Interleavings of ties, batches, late rows and crashes", func(n int, s *scenario, rt *rapid.T) {
		s.table.now = 1000
		s.table.page = rapid.IntRange(1, 7).Draw(rt, "page")
		s.table.history = rapid.IntRange(0, 3).Draw(rt, "history") > 0
		s.imp = drawImport(rt, fmt.Sprintf("key %d", n))
		s.imp.Quarantine = quarantineOf(s.imp.Key)
		if rapid.IntRange(0, 2).Draw(rt, "rejects") == 0 {
			s.sink.rejects = func(e jobs.Event) bool { return strings.Contains(string(e.Data), `"b"`) }
		}
		s.imp.Sink, s.imp.Cursors, s.imp.Fence = s.sink, s.db, func(*store.Tx) error { return nil }
		for range rapid.IntRange(1, 6).Draw(rt, "runs") {
			for range rapid.IntRange(0, 4).Draw(rt, "changes") {
				s.changeTable()
			}
			s.runWithFailures()
		}
		s.runToTheEnd()
		s.checkEvents()
	})
}

func drawImport(t *rapid.T, key string) *Import {
	l := time.Duration(lookback) * time.Microsecond
	i := &Import{Key: key, SliceRows: rapid.Int64Range(1, 12).Draw(t, "slice")}
	i.Spec = jobs.TableImport{
		Catalog: "c", Database: "d", Table: "t", TimestampColumn: "ts", Stream: "s", Lookback: &l,
		BatchSize:        rapid.Int64Range(1, 6).Draw(t, "batch"),
		Changes:          rapid.SampledFrom([]jobs.Changes{"", jobs.ChangesAuto, jobs.ChangesCompare, jobs.ChangesFeed}).Draw(t, "changes"),
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

// runWithFailures runs the import with a crash or a lost session; afterwards VACUUM
// may remove its version.
func (s *scenario) runWithFailures() {
	t := s.t
	s.sink.left, s.sink.inside = rapid.IntRange(1, 14).Draw(t, "dies at"), rapid.Bool().Draw(t, "inside")
	s.table.breaksAfter = rapid.IntRange(-1, 9).Draw(t, "breaks after")
	before, err := ReadCursor(s.ctx, s.db, s.imp.Key)
	if err != nil {
		t.Fatal(err)
	}
	s.table.feedRead = false
	switch err := s.run(); {
	case errors.Is(err, errDied):
	case err != nil:
		t.Fatal(err)
	case s.imp.Spec.RowLimit == 0:
		s.requireFinished(before)
	}
	if rapid.IntRange(0, 4).Draw(t, "vacuum") == 0 {
		s.table.vacuumed = int64(len(s.table.versions) - 1)
	}
}

// requireFinished adds what a run that finished must have sent.
func (s *scenario) requireFinished(before *Cursor) {
	if len(s.table.pinned) == 0 {
		return
	}
	var watermark, from *int64
	if before != nil {
		watermark, from = before.Watermark, before.From
		if p := before.Pinned; p != nil && p.Reached != nil {
			watermark = p.Reached
		}
	} else if s := s.imp.Spec.Since; s != nil {
		first := s.UnixMicro() + 1
		from = &first
	}
	s.require(watermark, from)
	if before != nil && before.Pinned == nil && before.LastCompared != nil && s.table.feedRead {
		s.requireAdded(*before.LastCompared.TableVersion, from)
	}
}

// runToTheEnd runs the import, without failures, until nothing is left to send.
func (s *scenario) runToTheEnd() {
	s.sink.left, s.table.breaksAfter, s.imp.Spec.RowLimit = -1, -1, 0
	s.changeTable()
	for range 3 {
		before, err := ReadCursor(s.ctx, s.db, s.imp.Key)
		if err != nil {
			s.t.Fatal(err)
		}
		s.table.feedRead = false
		if err := s.run(); err != nil {
			s.t.Fatal(err)
		}
		s.requireFinished(before)
	}
	sent, queries := len(s.sink.events)+len(s.sink.rejected), s.table.queries
	if err := s.run(); err != nil {
		s.t.Fatal(err)
	}
	if n := len(s.sink.events) + len(s.sink.rejected) - sent; n != 0 {
		s.t.Fatalf("got %d events of a run without a change, want none", n)
	}
	future := slices.ContainsFunc(s.table.current(), func(r fakeRow) bool { return r.micros > s.table.now })
	if s.table.history && !future && s.table.queries != queries {
		s.t.Fatalf("got %d queries for rows of a run without a change, want none", s.table.queries-queries)
	}
}

// One version of a table gives the same events in the same order, with any batches
// and crashes.
func TestEventsHaveOneOrder(t *testing.T) {
	t.Parallel()
	eachInterleaving(t, "Order of events under crashes", func(n int, s *scenario, rt *rapid.T) {
		s.table.now = 10_000
		var rows []fakeRow
		for range rapid.IntRange(0, 40).Draw(rt, "rows") {
			rows = append(rows, fakeRow{micros: rapid.Int64Range(1, 6).Draw(rt, "ts"), key: rapid.IntRange(0, 2).Draw(rt, "key"),
				text: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "text")})
		}
		s.table.commit(func([]fakeRow) []fakeRow { return rows })
		s.imp = drawImport(rt, fmt.Sprintf("order %d", n))
		s.imp.Spec.Since = nil
		s.imp.Sink, s.imp.Cursors, s.imp.Fence = s.sink, s.db, func(*store.Tx) error { return nil }
		for range rapid.IntRange(0, 3).Draw(rt, "crashes") {
			s.sink.left = rapid.IntRange(1, 10).Draw(rt, "dies at")
			if err := s.run(); err != nil && !errors.Is(err, errDied) {
				rt.Fatal(err)
			}
		}
		s.sink.left, s.imp.Spec.RowLimit = -1, 0
		if err := s.run(); err != nil {
			rt.Fatal(err)
		}
		slices.SortStableFunc(rows, func(a, b fakeRow) int {
			key := 0
			if len(s.imp.Spec.KeyColumns) > 0 {
				key = cmp.Compare(a.key, b.key)
			}
			return cmp.Or(cmp.Compare(a.micros, b.micros), key, cmp.Compare(a.digest(), b.digest()))
		})
		if len(s.sink.events) != len(rows) {
			rt.Fatalf("got %d events, want %d", len(s.sink.events), len(rows))
		}
		for n, e := range s.sink.events {
			if e.Time.UnixMicro() != rows[n].micros || string(e.Data) != rows[n].json() {
				rt.Fatalf("got %s %s as event %d, want %+v", e.Time, e.Data, n, rows[n])
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
			t.Errorf("got the same id for %s and %s, want two", name, other)
		}
		ids[id] = name
	}
	// checklist 9: the id that earlier releases computed.
	const want = "469aeb41aa41dc7337724d8240e7300b"
	if got := EventID("k", 1, 5, "d", nil, 1); got != want {
		t.Errorf("got the id %s, want %s", got, want)
	}
}
