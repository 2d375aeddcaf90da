package embedded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// The newest events are read without those before them.
func TestTheNewestEventsOfAStream(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		var all []string
		for batch := range 4 {
			var events []jobs.Event
			for i := range 5 {
				id := fmt.Sprintf("%d-%d", batch, i)
				events, all = append(events, event(id, day0, `{"id":"`+id+`"}`)), append([]string{id}, all...)
			}
			b.mustAppend(t, "s", events)
		}
		for _, n := range []int{1, 5, 7, 20, 50} {
			got, err := b.LatestEvents(t.Context(), "s", n)
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, e := range got {
				ids = append(ids, e.ID)
				if want := `{"id":"` + e.ID + `"}`; string(e.Data) != want {
					t.Errorf("event %s is %s, want %s", e.ID, e.Data, want)
				}
			}
			if want := all[:min(n, 20)]; !slices.Equal(ids, want) {
				t.Errorf("the newest %d are %v, want %v", n, ids, want)
			}
		}
		if _, err := b.LatestEvents(t.Context(), "none", 1); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("got %v, want code %s", err, jobs.CodeNotFound)
		}
	})
}

func TestEventsAreReadBackUnchanged(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		big := fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 3<<20))
		events := []jobs.Event{
			event("a", day0.Add(123456*time.Microsecond), `{"n":9007199254740993,"d":1.10,"s":"é\n\"\u2028","nested":{"l":[1,{}]}}`),
			event(`quote " back \ line`+"\n"+`ü`, day0.In(time.FixedZone("", 7200)), `{}`),
			event("pretty", day0, "{\n  \"a\": 1\n}"),
			event("big", day0.Add(time.Hour), big),
			event("first", time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC), `{"a":null}`),
			event("last", time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC), `{"a":null}`),
		}
		b.mustAppend(t, "s", events[:2])
		b.mustAppend(t, "s", events[2:])
		i := 0
		for e, err := range b.Events(t.Context(), "s") {
			if err != nil {
				t.Fatal(err)
			}
			want := events[i]
			if want.ID == "pretty" {
				want.Data = []byte(`{"a":1}`)
			}
			if e.ID != want.ID || !e.Time.Equal(want.Time) || string(e.Data) != string(want.Data) {
				t.Errorf("event %d is %s %s %.80s", i, e.ID, e.Time, e.Data)
			}
			i++
		}
		if i != len(events) {
			t.Errorf("got %d events, want %d", i, len(events))
		}
		info, err := b.StreamInfo(t.Context(), "s")
		if err != nil || info.Events != 6 || info.Bytes < 3<<20 || !info.FirstTime.Equal(events[4].Time) || !info.LastTime.Equal(events[5].Time) {
			t.Errorf("stream is %+v, %v", info, err)
		}
	})
}

// A segment file has one JSON object on each line, and only its owner can read it.
func TestSegmentsArePrivateLinesOfJSON(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openPlatform(t, deployment{dir: dir})
	b.mustAppend(t, "Orders / EU", secondsApart(`{"a":1}`, `{"a":2}`))
	checkPrivate(t, dir)
	found := 0
	err := filepath.WalkDir(filepath.Join(dir, "streams"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.HasSuffix(path, ".ndjson") {
			found++
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(text)) {
				var e struct {
					ID   string          `json:"id"`
					Time time.Time       `json:"time"`
					Data json.RawMessage `json:"data"`
				}
				if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == "" || e.Time.IsZero() || e.Data == nil {
					t.Errorf("line %q: %v", line, err)
				}
			}
		}
		return nil
	})
	if err != nil || found != 1 {
		t.Errorf("%d segments, %v", found, err)
	}
}

func TestStreamsWithSimilarNamesAreSeparate(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		names := []string{"orders", "Orders", "ORDERS", "orders ", "or/ders", "or\\ders", "..", ".", "con", "NUL", "a~b", "ä", "databricks_main_sales_customers", strings.Repeat("x", 255), strings.Repeat("x", 254)}
		for i, n := range names {
			b.mustAppend(t, n, secondsApart(fmt.Sprintf(`{"n":%d}`, i)))
		}
		for i, n := range names {
			if got := b.stored(t, n); len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprintf(`{"n":%d}`, i)) {
				t.Errorf("stream %q holds %v", n, got)
			}
		}
		list, err := b.Streams(t.Context())
		if err != nil || len(list) != len(names) {
			t.Errorf("%d streams, %v", len(list), err)
		}
	})
}

func TestAnAppendWithAnInvalidEventIsRefused(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		good := event("good", day0, `{}`)
		for name, bad := range map[string]jobs.Event{
			"no id": event("", day0, `{}`), "no object": event("x", day0, `[1]`), "incomplete": event("x", day0, `{"a":`), "empty": event("x", day0, ``), "two objects": event("x", day0, `{} {}`),
		} {
			if _, err := b.Append(t.Context(), "s", []jobs.Event{good, bad}, nil); err == nil {
				t.Errorf("%s: appended", name)
			}
		}
		if _, err := b.StreamInfo(t.Context(), "s"); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("the stream: %v, want not found", err)
		}
		for _, err := range b.Events(t.Context(), "s") {
			if !jobs.IsCode(err, jobs.CodeNotFound) {
				t.Errorf("its events: %v, want not found", err)
			}
		}
		if _, err := b.Append(t.Context(), "a\nb", []jobs.Event{good}, nil); !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("a name with a line break: %v", err)
		}
	})
}

func TestEventsAndCursorAreCommittedTogether(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		move := func(n int) func(*store.Tx, []jobs.RejectedEvent) error {
			return func(tx *store.Tx, _ []jobs.RejectedEvent) error { return setCursor(ctx, tx, n) }
		}
		if _, err := b.Append(ctx, "s", secondsApart(`{"a":1}`), move(1)); err != nil {
			t.Fatal(err)
		}
		refused := errors.New("another run owns the cursor now")
		_, err := b.Append(ctx, "s", secondsApart(`{"a":2}`, `{"a":3}`), func(tx *store.Tx, _ []jobs.RejectedEvent) error {
			if err := setCursor(ctx, tx, 3); err != nil {
				return err
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Errorf("append with a failing commit: got %v, want %v", err, refused)
		}
		if got, n := b.stored(t, "s"), b.cursor(t); len(got) != 1 || n != 1 {
			t.Errorf("after a refused commit there are %v, cursor %d", got, n)
		}
		// The next append overwrites the uncommitted bytes.
		if _, err := b.Append(ctx, "s", secondsApart(`{"a":4}`), move(2)); err != nil {
			t.Fatal(err)
		}
		if got, n := b.stored(t, "s"), b.cursor(t); len(got) != 2 || !strings.HasSuffix(got[1], `{"a":4}`) || n != 2 {
			t.Errorf("after the next append there are %v, cursor %d", got, n)
		}
		// Without events, Append only sets the cursor.
		if _, err := b.Append(ctx, "s", nil, move(5)); err != nil || b.cursor(t) != 5 {
			t.Errorf("an append without events: %v, cursor %d", err, b.cursor(t))
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := b.Append(cancelled, "s", secondsApart(`{}`), move(6)); !jobs.IsCode(err, jobs.CodeCancelled) || b.cursor(t) != 5 {
			t.Errorf("a cancelled append: %v, cursor %d", err, b.cursor(t))
		}
	})
}

// A reader reads the events that were committed when it began.
func TestEventsReadsOneSnapshot(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		b.mustAppend(t, "s", secondsApart(`{"a":1}`, `{"a":2}`))
		var got []string
		for e, err := range b.Events(t.Context(), "s") {
			if err != nil {
				t.Fatal(err)
			}
			b.mustAppend(t, "s", secondsApart(`{"a":3}`))
			got = append(got, string(e.Data))
		}
		if want := []string{`{"a":1}`, `{"a":2}`}; !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// checklist 59: two platforms append to one stream, as two processes would. The events
// are in the order of commits, and none is lost.
func TestTwoWritersOfOneStream(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		var wg sync.WaitGroup
		for w := range 2 {
			b := t.open()
			wg.Go(func() {
				for i := range 50 {
					e := event(fmt.Sprintf("%d-%d", w, i), day0, `{}`)
					if _, err := b.Append(t.Context(), "s", []jobs.Event{e}, nil); err != nil {
						t.Errorf("writer %d: %v", w, err)
						return
					}
				}
			})
		}
		wg.Wait()
		next := map[string]int{}
		for _, line := range t.open().stored(t, "s") {
			var w, i int
			if _, err := fmt.Sscanf(line, "%d-%d", &w, &i); err != nil {
				t.Fatal(err)
			}
			key := fmt.Sprint(w)
			if i != next[key] {
				t.Fatalf("writer %d: event %d after %d", w, i, next[key]-1)
			}
			next[key]++
		}
		if next["0"] != 50 || next["1"] != 50 {
			t.Errorf("events of each: %v", next)
		}
	})
}

// checklist 42: damage to committed bytes is detected and reported.
func TestDamagedSegmentsAreFound(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		for name, damage := range map[string]func(content []byte) []byte{
			"short":   func(content []byte) []byte { return content[:60] },
			"missing": func([]byte) []byte { return nil },
			"changed": func(content []byte) []byte { return bytes.Replace(content, []byte(`"a":1`), []byte(`"a":7`), 1) },
			"garbage": func(content []byte) []byte { return bytes.Replace(content, []byte(`{"id"`), []byte(`{"xx"`), 1) },
		} {
			t.Run(name, func(sub *testing.T) {
				sub.Parallel()
				t := (&deploymentTest{sub, t.deployment}).withNewDeployment()
				b := t.open()
				b.mustAppend(t, "s", secondsApart(`{"a":1}`, `{"a":2}`))
				for segment, content := range t.segments() {
					t.replaceSegment(segment, damage(content))
				}
				var last error
				for _, err := range b.Events(t.Context(), "s") {
					last = err
				}
				if !jobs.IsCode(last, jobs.CodeStore) {
					t.Errorf("reading the stream: got %v, want a store error", last)
				}
				if err := linesError(t.Context(), b, "s"); !reflect.DeepEqual(err, last) {
					t.Errorf("reading the lines: got %v, want %v", err, last)
				}
				b.mustField(t, jobs.Field{ID: "id", Type: "string", IsIdentifier: true})
				b.mustMap(t, "s", "id", "a", "")
				if _, err := b.BuildProfiles(t.Context(), nil); !jobs.IsCode(err, jobs.CodeStore) {
					t.Errorf("building profiles: got %v, want a store error", err)
				}
			})
		}
	})
}

// linesError returns the error that the lines of a stream end with.
func linesError(ctx context.Context, b testPlatform, stream string) (failed error) {
	for _, err := range b.EventLines(ctx, stream) {
		failed = err
	}
	return failed
}

func check(t checker, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v", err)
	}
}
