package embedded_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checker is what tests, benchmarks and property checks have in common.
type checker interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// bed is a platform on a store of its own.
type bed struct {
	*embedded.Platform
	db *store.DB
}

func openBed(tb testing.TB, at place) bed {
	tb.Helper()
	db, err := store.Open(tb.Context(), at.location(), true)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	p, err := embedded.Open(at.config(db))
	if err != nil {
		tb.Fatalf("%v", err)
	}
	b := bed{p, db}
	tb.Cleanup(func() { b.close(tb) })
	return b
}

func (b bed) close(tb testing.TB) {
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

// facts makes events e0, e1, ... a second apart.
func facts(data ...string) []jobs.Event {
	var events []jobs.Event
	for i, d := range data {
		events = append(events, event(fmt.Sprintf("e%d", i), day0.Add(time.Duration(i)*time.Second), d))
	}
	return events
}

func (b bed) mustAppend(t checker, stream string, events []jobs.Event) {
	t.Helper()
	if _, err := b.Append(context.Background(), stream, events, nil); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func (b bed) mustField(t checker, f jobs.Field) {
	t.Helper()
	if _, err := b.CreateField(context.Background(), f); err != nil {
		t.Fatalf("field %s: %v", f.ID, err)
	}
}

func (b bed) mustMap(t checker, stream, field, expression, guard string) jobs.Mapping {
	t.Helper()
	m, err := b.CreateMapping(context.Background(), jobs.Mapping{Stream: stream, Field: field, Expression: expression, GuardExpression: guard})
	if err != nil {
		t.Fatalf("mapping of %s: %v", field, err)
	}
	return m
}

func (b bed) mustAudience(t checker, name, filter string) jobs.Audience {
	t.Helper()
	a, err := b.CreateAudience(context.Background(), jobs.Audience{Name: name, Filter: filter})
	if err != nil {
		t.Fatalf("audience %s: %v", name, err)
	}
	return a
}

func (b bed) mustBuild(t checker) platform.ProfileStats {
	t.Helper()
	s, err := b.BuildProfiles(context.Background(), nil)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return s
}

// rows gives an audience as lines of "a|b|NULL".
func (b bed) rows(t checker, audience string, fields ...string) []string {
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

// stored gives the events of a stream as "id time data".
func (b bed) stored(t checker, stream string) []string {
	t.Helper()
	var lines []string
	for e, err := range b.Events(context.Background(), stream) {
		if err != nil {
			t.Fatalf("events: %v", err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", e.ID, e.Time.Format(time.RFC3339Nano), e.Data))
	}
	return lines
}

// cursor stands in for an import's: a table of its own, moved with the events.
func setCursor(ctx context.Context, tx *store.Tx, n int) error {
	if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS test_cursor (one INTEGER PRIMARY KEY, n INTEGER NOT NULL)`); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO test_cursor VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET n = excluded.n`, n)
	return err
}

// noTable tells that nobody has set a cursor yet.
func noTable(err error) bool {
	return strings.Contains(err.Error(), "no such table") || strings.Contains(err.Error(), "does not exist")
}

func (b bed) cursor(t checker) (n int) {
	t.Helper()
	err := b.db.Read().QueryRowContext(context.Background(), `SELECT n FROM test_cursor`).Scan(&n)
	if err != nil && !noTable(err) {
		t.Fatalf("cursor: %v", err)
	}
	return n
}
