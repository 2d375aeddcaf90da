package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// memorySink keeps events in memory, and commits like the embedded platform.
// It dies when left reaches zero: before the transaction, or inside it.
type memorySink struct {
	db     *store.DB
	events []jobs.Event
	left   int
	inside bool
}

var errDied = errors.New("died here")

func (s *memorySink) Append(ctx context.Context, _ string, events []jobs.Event, commit func(tx *store.Tx) error) error {
	s.left--
	if s.left == 0 && !s.inside {
		return errDied
	}
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := commit(tx); err != nil {
			return err
		}
		if s.left == 0 {
			return errDied
		}
		return nil
	})
	if err == nil {
		s.events = append(s.events, events...)
	}
	return err
}

type quiet struct{}

func (quiet) Phase(string, int64)      {}
func (quiet) Advance(int64)            {}
func (quiet) Count(func(*jobs.Counts)) {}

// checklist 1 2 4: whatever the ties, the batches, the crashes and the rows
// that come later at or after the watermark, each row is sent once.
func TestEachRowIsSentOnceWhateverHappens(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), store.Location{Dir: t.TempDir()}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	test := 0
	rapid.Check(t, func(rt *rapid.T) {
		test++
		sink := &memorySink{db: db}
		i := &Import{Key: fmt.Sprintf("key %d", test), Sink: sink, Cursors: db, Progress: quiet{}, Fence: func(*store.Tx) error { return nil }}
		var source []row
		for range rapid.IntRange(1, 5).Draw(rt, "runs") {
			cursor, err := db.Cursor(t.Context(), i.Key)
			if err != nil {
				rt.Fatal(err)
			}
			if cursor == nil {
				cursor = &store.Cursor{Generation: 1}
			}
			low := int64(0)
			if cursor.Watermark != nil {
				low = *cursor.Watermark
			}
			for range rapid.IntRange(0, 20).Draw(rt, "new rows") {
				source = append(source, row{
					micros: low + rapid.Int64Range(0, 3).Draw(rt, "later by"),
					digest: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "digest"),
				})
			}
			window := slices.DeleteFunc(slices.Clone(source), func(r row) bool { return r.micros < low })
			slices.SortFunc(window, func(a, b row) int {
				return cmp.Or(cmp.Compare(a.micros, b.micros), cmp.Compare(a.digest, b.digest))
			})
			sink.left, sink.inside = rapid.IntRange(1, 12).Draw(rt, "dies at"), rapid.Bool().Draw(rt, "inside")
			send(t, rt, i, cursor, window, rapid.IntRange(1, 6).Draw(rt, "batch"))
		}
		// The last run is not disturbed.
		cursor, err := db.Cursor(t.Context(), i.Key)
		if err != nil {
			rt.Fatal(err)
		}
		if cursor == nil {
			cursor = &store.Cursor{Generation: 1}
		}
		window := slices.DeleteFunc(slices.Clone(source), func(r row) bool { return cursor.Watermark != nil && r.micros < *cursor.Watermark })
		slices.SortFunc(window, func(a, b row) int {
			return cmp.Or(cmp.Compare(a.micros, b.micros), cmp.Compare(a.digest, b.digest))
		})
		sink.left = -1
		send(t, rt, i, cursor, window, 4)

		want := map[string]bool{}
		counts := map[row2]int64{}
		for _, r := range source {
			k := row2{r.micros, r.digest}
			counts[k]++
			want[EventID(i.Key, 1, r.micros, r.digest, counts[k])] = true
		}
		got := map[string]bool{}
		for _, e := range sink.events {
			if got[e.ID] {
				rt.Fatalf("event %s was sent twice", e.ID)
			}
			got[e.ID] = true
		}
		if !maps.Equal(got, want) {
			rt.Fatalf("%d events for %d rows", len(got), len(want))
		}
	})
}

type row2 struct {
	micros int64
	digest string
}

func send(t *testing.T, rt *rapid.T, i *Import, cursor *store.Cursor, window []row, size int) {
	t.Helper()
	e := newEmitter(i, cursor)
	for batch := range slices.Chunk(window, size) {
		err := e.emit(t.Context(), batch)
		if errors.Is(err, errDied) {
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
	}
}

func TestEventIDsDifferByEveryPart(t *testing.T) {
	t.Parallel()
	ids := map[string]string{}
	for name, id := range map[string]string{
		"base":       EventID("k", 1, 5, "d", 1),
		"key":        EventID("k2", 1, 5, "d", 1),
		"generation": EventID("k", 2, 5, "d", 1),
		"time":       EventID("k", 1, 6, "d", 1),
		"digest":     EventID("k", 1, 5, "e", 1),
		"occurrence": EventID("k", 1, 5, "d", 2),
		"boundary":   EventID("kd", 1, 5, "", 1),
	} {
		if other, ok := ids[id]; ok {
			t.Errorf("%s and %s have the same id", name, other)
		}
		ids[id] = name
	}
	if got := EventID("k", 1, 5, "d", 1); got != EventID("k", 1, 5, "d", 1) || len(got) != 32 {
		t.Errorf("not stable: %s", got)
	}
}
