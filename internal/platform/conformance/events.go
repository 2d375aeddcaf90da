package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// cursor reads the test's cursor, a row that is committed with the events like the
// cursor of an import.
func (t *platformTest) cursor() (n int) {
	t.Helper()
	err := t.DB.Read().QueryRowContext(t.Context(), `SELECT n FROM test_cursor`).Scan(&n)
	if err != nil && !strings.Contains(err.Error(), "no such table") && !strings.Contains(err.Error(), "does not exist") {
		t.Fatalf("cursor: %v", err)
	}
	return n
}

// setCursor returns a commit function that sets the cursor.
func (t *platformTest) setCursor(n int) func(tx *store.Tx, _ []jobs.RejectedEvent) error {
	return func(tx *store.Tx, _ []jobs.RejectedEvent) error {
		if _, err := tx.ExecContext(
			t.Context(),
			`CREATE TABLE IF NOT EXISTS test_cursor (one INTEGER PRIMARY KEY, n INTEGER NOT NULL)`,
		); err != nil {
			return err
		}
		_, err := tx.ExecContext(t.Context(), `INSERT INTO test_cursor VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET n = excluded.n`, n)
		return err
	}
}

// countByID defines the identifier id and the count of events n for a stream.
func (t *platformTest) countByID(stream string) {
	t.Helper()
	t.field(jobs.Field{ID: "id", Type: "string", IsIdentifier: true})
	t.field(jobs.Field{ID: "n", Type: "int", MergeOperation: "count"})
	t.mapping(stream, "id", "tostring(id)", "")
	t.mapping(stream, "n", "id", "")
	t.audience("All", "*")
}

var events = []test{
	{"events and cursor are committed together", func(t *platformTest) {
		ctx := t.Context()
		got, err := t.Append(ctx, "s", secondsApart(`{"id":1}`), t.setCursor(1))
		if want := (jobs.AppendResult{Written: 1}); err != nil || got != want {
			t.Errorf("append: got %+v, %v, want %+v", got, err, want)
		}
		if n := t.cursor(); n != 1 {
			t.Errorf("the cursor is at %d", n)
		}
		refused := errors.New("another run owns the cursor now")
		got, err = t.Append(ctx, "s", secondsApart(`{"id":2}`), func(tx *store.Tx, _ []jobs.RejectedEvent) error {
			return errors.Join(t.setCursor(2)(tx, nil), refused)
		})
		if !errors.Is(err, refused) || t.cursor() != 1 || got.Written != 0 {
			t.Errorf("a refused commit: got %+v, %v, cursor %d, want error %v, cursor 1", got, err, t.cursor(), refused)
		}
		// Without events, Append only sets the cursor.
		if _, err := t.Append(ctx, "s", nil, t.setCursor(5)); err != nil || t.cursor() != 5 {
			t.Errorf("an append without events: %v, cursor %d", err, t.cursor())
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		_, err = t.Append(cancelled, "s", secondsApart(`{"id":3}`), t.setCursor(6))
		t.refused("a cancelled append", err, jobs.CodeCancelled, "", "")
		if n := t.cursor(); n != 5 {
			t.Errorf("after a cancelled append the cursor is at %d", n)
		}
	}},
	{"an append with an invalid event is refused", func(t *platformTest) {
		good := jobs.Event{ID: "good", Time: day0, Data: []byte(`{}`)}
		for name, bad := range map[string]jobs.Event{
			"no id": {Time: day0, Data: []byte(`{}`)}, "no object": {ID: "bad", Time: day0, Data: []byte(`[1]`)}, "incomplete": {ID: "bad", Time: day0, Data: []byte(`{"a":`)},
			"empty": {ID: "bad", Time: day0}, "two objects": {ID: "bad", Time: day0, Data: []byte(`{} {}`)},
		} {
			_, err := t.Append(t.Context(), "s", []jobs.Event{good, bad}, t.setCursor(1))
			t.refused(name, err, jobs.CodeFailed, "", bad.ID)
		}
		if n := t.cursor(); n != 0 {
			t.Errorf("the cursor is at %d", n)
		}
		_, err := t.StreamInfo(t.Context(), "s")
		t.refused("the stream", err, jobs.CodeNotFound, "", "s")
		_, err = t.Append(t.Context(), "a\nb", []jobs.Event{good}, nil)
		t.refused("a name with a line break", err, jobs.CodeInvalid, "stream", "")
	}},
	{"an event that no stream can hold is rejected, and the others are stored", func(t *platformTest) {
		for _, day := range []time.Time{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC)} {
			bad := jobs.Event{ID: "bad", Time: day, Data: []byte(`{"id":"no"}`)}
			list := []jobs.Event{{ID: "a", Time: day0, Data: []byte(`{"id":1}`)}, bad, {ID: "b", Time: day0, Data: []byte(`{"id":2}`)}}
			var rejected []jobs.RejectedEvent
			got, err := t.Append(t.Context(), "s", list, func(tx *store.Tx, r []jobs.RejectedEvent) error {
				rejected = r
				return t.setCursor(7)(tx, r)
			})
			if want := (jobs.AppendResult{Written: 2, Rejected: 1}); err != nil || got != want || t.cursor() != 7 {
				t.Errorf("append: got %+v, %v, cursor %d, want %+v, cursor 7", got, err, t.cursor(), want)
			}
			if len(rejected) != 1 || rejected[0].ID != "bad" || string(rejected[0].Data) != `{"id":"no"}` || rejected[0].Reason == "" ||
				rejected[0].Among != nil {
				t.Errorf("got the rejected events %+v, want bad with its data and a reason", rejected)
			}
			rejected = nil
			got, err = t.Append(t.Context(), "s", []jobs.Event{bad}, func(tx *store.Tx, r []jobs.RejectedEvent) error {
				rejected = r
				return t.setCursor(8)(tx, r)
			})
			if want := (jobs.AppendResult{Rejected: 1}); err != nil || got != want || t.cursor() != 8 || len(rejected) != 1 {
				t.Errorf(
					"append of the bad event alone: got %+v, %v, cursor %d, rejected %+v, want %+v, cursor 8",
					got,
					err,
					t.cursor(),
					rejected,
					want,
				)
			}
		}
	}},
	{"streams with similar names are separate", func(t *platformTest) {
		names := []string{
			"orders",
			"Orders",
			"or/ders",
			"or\\ders",
			"a b",
			"a%2Fb",
			"a?b=c&d",
			"#",
			"ä",
			"databricks_main_sales_customers",
			strings.Repeat("x", 255),
		}
		for i, n := range names {
			for range i + 1 {
				t.append(n, secondsApart(`{"id":1}`))
			}
		}
		for i, n := range names {
			info, err := t.StreamInfo(t.Context(), n)
			if err != nil || info.Name != n || info.Events != int64(i+1) || t.CountsBytes != (info.Bytes > 0) {
				t.Errorf("stream %q: %+v, %v", n, info, err)
			}
		}
		list, err := t.Streams(t.Context())
		t.check("list", err)
		if len(list) != len(names) || !slices.IsSortedFunc(list, func(a, b jobs.StreamInfo) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("listed %+v", list)
		}
	}},
	{"all events of a big batch arrive", func(t *platformTest) {
		t.countByID("s")
		var data []string
		for i := range 1500 {
			data = append(data, fmt.Sprintf(`{"id":%d,"text":%q}`, i, strings.Repeat("x", 10_000)))
		}
		t.feed("s", data...)
		n, err := t.AudienceSize(t.Context(), "all")
		same(t, "profiles", n, err, 1500)
		t.wantRows(t.rows("all", "n")[:1], "1")
	}},
	{"a stream has the time of its last event", func(t *platformTest) {
		t.append("s", secondsApart(`{"id":1}`, `{"id":2}`, `{"id":3}`))
		info, err := t.StreamInfo(t.Context(), "s")
		t.check("stream", err)
		if info.LastTime == nil || !info.LastTime.Equal(day0.Add(2*time.Second)) {
			t.Errorf("time of the last event: got %v, want %v", info.LastTime, day0.Add(2*time.Second))
		}
	}},
}
