package embedded_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// checker is implemented by tests, benchmarks and property checks.
type checker interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// testPlatform is a platform and its store.
type testPlatform struct {
	*embedded.Platform
	db *store.DB
}

func openPlatform(tb testing.TB, at deployment) testPlatform {
	tb.Helper()
	db, err := storetest.Open(tb.Context(), at.location())
	if err != nil {
		tb.Fatalf("%v", err)
	}
	p, err := embedded.Open(at.config(db))
	if err != nil {
		tb.Fatalf("%v", err)
	}
	b := testPlatform{p, db}
	tb.Cleanup(func() { b.close(tb) })
	return b
}

func (b testPlatform) close(tb testing.TB) {
	tb.Helper()
	if err := b.Close(); err != nil {
		tb.Errorf("close: %v", err)
	}
	if err := b.db.Close(); err != nil {
		tb.Errorf("close the store: %v", err)
	}
}

func event(id string, at time.Time, data string) jobs.Event {
	return jobs.Event{ID: id, Time: at, Data: []byte(data)}
}

var day0 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// secondsApart returns events e0, e1, ..., one second apart.
func secondsApart(data ...string) []jobs.Event {
	var events []jobs.Event
	for i, d := range data {
		events = append(events, event(fmt.Sprintf("e%d", i), day0.Add(time.Duration(i)*time.Second), d))
	}
	return events
}

func (b testPlatform) mustAppend(t checker, stream string, events []jobs.Event) {
	t.Helper()
	if _, err := b.Append(context.Background(), stream, events, nil); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func (b testPlatform) mustField(t checker, f jobs.Field) {
	t.Helper()
	if _, err := b.CreateField(context.Background(), f); err != nil {
		t.Fatalf("field %s: %v", f.ID, err)
	}
}

func (b testPlatform) mustMap(t checker, stream, field, expression, guard string) jobs.Mapping {
	t.Helper()
	m, err := b.CreateMapping(context.Background(), jobs.Mapping{Stream: stream, Field: field, Expression: expression, GuardExpression: guard})
	if err != nil {
		t.Fatalf("mapping of %s: %v", field, err)
	}
	return m
}

func (b testPlatform) mustAudience(t checker, name, filter string) jobs.Audience {
	t.Helper()
	a, err := b.CreateAudience(context.Background(), jobs.Audience{Name: name, Filter: filter})
	if err != nil {
		t.Fatalf("audience %s: %v", name, err)
	}
	return a
}

func (b testPlatform) mustBuild(t checker) platform.ProfileStats {
	t.Helper()
	s, err := b.BuildProfiles(context.Background(), nil)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return s
}

// rows returns the profiles of an audience as lines of "a|b|NULL".
func (b testPlatform) rows(t checker, audience string, fields ...string) []string {
	t.Helper()
	_, rows, err := b.Scan(context.Background(), audience, fields)
	if err != nil {
		t.Fatalf("scan: %v", err)
	}
	lines := []string{}
	for row, err := range rows {
		if err != nil {
			t.Fatalf("scan: %v", err)
		}
		var cells []string
		for _, v := range row {
			if v.Null {
				v.Text = "NULL"
			}
			cells = append(cells, v.Text)
		}
		lines = append(lines, strings.Join(cells, "|"))
	}
	return lines
}

// stored returns the events of a stream as "id time data". It also checks that the lines
// of the events are these events.
func (b testPlatform) stored(t checker, stream string) []string {
	t.Helper()
	var events []string
	var want bytes.Buffer
	for e, err := range b.Events(context.Background(), stream) {
		if err != nil {
			t.Fatalf("events: %v", err)
		}
		at := e.Time.Format(time.RFC3339Nano)
		events = append(events, fmt.Sprintf("%s %s %s", e.ID, at, e.Data))
		id := json.NewEncoder(&want)
		id.SetEscapeHTML(false)
		want.WriteString(`{"id":`)
		if err := id.Encode(e.ID); err != nil {
			t.Fatalf("%v", err)
		}
		want.Truncate(want.Len() - len("\n"))
		fmt.Fprintf(&want, `,"time":"%s","data":%s}`+"\n", at, e.Data)
	}
	var got []byte
	for lines, err := range b.EventLines(context.Background(), stream) {
		if err != nil {
			t.Fatalf("lines of events: %v", err)
		}
		got = append(got, lines...)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("the lines of stream %s are\n%.2000s\nwant\n%.2000s", stream, got, &want)
	}
	return events
}

// setCursor sets the test's cursor, a row that is committed with the events like the
// cursor of an import.
func setCursor(ctx context.Context, tx *store.Tx, n int) error {
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS test_cursor (one INTEGER PRIMARY KEY, n INTEGER NOT NULL)`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO test_cursor VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET n = excluded.n`, n)
	return err
}

// noTable reports whether the error means that the table of the cursor does not exist.
func noTable(err error) bool {
	return strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "does not exist")
}

func (b testPlatform) cursor(t checker) (n int) {
	t.Helper()
	err := b.db.Read().QueryRowContext(context.Background(), `SELECT n FROM test_cursor`).Scan(&n)
	if err != nil && !noTable(err) {
		t.Fatalf("cursor: %v", err)
	}
	return n
}
