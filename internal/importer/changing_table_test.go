package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 3 5 12: while a run reads, in many queries, rows are added, changed
// and deleted, and a column is renamed. The run sends the rows of its snapshot,
// and the next run the others.
func TestChangesDuringARunAreSentByTheNext(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	const rows = 6000
	at := func(id, micros int) string {
		return fmt.Sprintf("(%d, 'new', timestamp_micros(%d))", id, 1_700_000_000_000_000+micros)
	}
	b.exec(fmt.Sprintf("INSERT INTO %%t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000) FROM range(%d)", rows))
	b.imp.SliceRows, b.imp.Spec.BatchSize = 1000, 500
	reads, changed := make(chan struct{}), make(chan struct{})
	var change sync.Once
	b.sink.before = func() error {
		if len(b.sink.events) >= 500 {
			change.Do(func() {
				close(reads)
				<-changed
			})
		}
		return nil
	}
	ended := make(chan error, 1)
	go func() { ended <- b.runOnce() }()
	select {
	case <-reads:
	case err := <-ended:
		t.Fatalf("the run ended before the changes were committed: %v", err)
	}
	b.exec("INSERT INTO %t VALUES "+at(rows, 1500)+", "+at(rows+1, rows*1000),
		"UPDATE %t SET name = 'changed', ts = timestamp_micros(1700000000000000 + 5500 * 1000 + 1) WHERE id = 5500",
		"DELETE FROM %t WHERE id = 5400", "CREATE OR REPLACE TABLE %t AS SELECT id, name AS title, ts FROM %t")
	close(changed)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	b.wantEachRowOnce(rows)
	for i, e := range b.sink.events {
		if gjson.GetBytes(e.Data, "id").Int() != int64(i) || gjson.GetBytes(e.Data, "name").String() != "x" {
			t.Fatalf("got %s as event %d, want row %d as it was", e.Data, i, i)
		}
	}
	b.sink.before = nil
	got := b.run()
	if len(got) != 3 || gjson.Get(got[1], "title").String() != "changed" {
		t.Fatalf("got the events %v of the next run, want 3, the second one changed", got)
	}
	for i, id := range []int64{rows, 5500, rows + 1} {
		if gjson.Get(got[i], "id").Int() != id {
			t.Errorf("got %s as event %d, want row %d", got[i], i, id)
		}
	}
	b.wantEvents()
}

// checklist 7 8: in every time zone of the warehouse's sessions, the events, their
// ids and their times are the same, to the microsecond.
func TestTheSessionsTimeZoneChangesNoEvent(t *testing.T) {
	t.Parallel()
	for _, column := range []string{"ts", "wall", "day"} {
		t.Run(column, func(t *testing.T) {
			t.Parallel()
			var first []string
			for _, zone := range []string{"UTC", "America/New_York", "Asia/Kolkata"} {
				s := sandboxtest.Start(t, sandboxtest.WithArgs("-session-zone", zone))
				b := newFixture(t, s, "id BIGINT, ts TIMESTAMP, wall TIMESTAMP_NTZ, day DATE")
				since := time.Date(2024, 3, 10, 6, 29, 59, 999_999_000, time.UTC)
				b.imp.Spec.TimestampColumn, b.imp.Spec.Since, b.imp.Spec.RecordTimestampColumn = column, &since, "wall"
				// Around the hour that does not exist in New York.
				for id, at := range []string{"2024-03-10 06:29:59.999999", "2024-03-10 06:30:00.000000", "2024-03-10 06:30:00.000001",
					"2024-03-10 07:00:00.000000", "2024-03-11 00:00:00.000000"} {
					b.exec(fmt.Sprintf("INSERT INTO %%t VALUES (%d, TIMESTAMP '%sZ', TIMESTAMP_NTZ '%s', DATE '%s')", id, at, at, at[:10]))
				}
				b.run()
				b.exec("INSERT INTO %t VALUES (9, TIMESTAMP '2024-03-11 00:00:00Z', TIMESTAMP_NTZ '2024-03-11 00:00:00', DATE '2024-03-11')")
				b.wantEvents(9)
				var got []string
				for _, e := range b.sink.events {
					got = append(got, e.ID+" "+e.Time.Format(time.RFC3339Nano)+" "+string(e.Data))
				}
				if first == nil {
					first = got
				}
				if want := map[string]int{"ts": 5, "wall": 5, "day": 2}[column]; len(got) != want || !slices.Equal(got, first) {
					t.Errorf("in %s: got %d events\n%s\nwant %d, as in UTC:\n%s", zone, len(got), strings.Join(got, "\n"), want, strings.Join(first, "\n"))
				}
			}
		})
	}
}

// checklist 11: a run over a table without rows succeeds and does not move the
// watermark.
func TestAnEmptyTableDoesNotMoveTheWatermark(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.wantEvents()
	if c, err := importer.ReadCursor(t.Context(), b.db, "k"); err != nil || c.Watermark != nil {
		t.Fatalf("got the cursor %+v, %v, want one without a watermark", c, err)
	}
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-02 00:00:00')")
	b.wantEvents(1)
	b.exec("DELETE FROM %t WHERE true")
	b.wantEvents()
	b.wantWatermark(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-02 00:00:00'), (2, 'b', TIMESTAMP '2024-01-02 00:00:00')")
	// Row 1 was deleted and inserted again; the store remembers that it was sent.
	b.wantEvents(2)
}

// checklist 19: values of megabytes arrive whole, and batches are bounded by their
// bytes.
func TestHugeValuesArriveWhole(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), "id BIGINT, name STRING, raw BINARY, ts TIMESTAMP")
	const rows, times = 12, 400_000
	b.exec(fmt.Sprintf("INSERT INTO %%t SELECT id, repeat('\u00e4\"\\n\U0001f600', %d), CAST(repeat('abc', %d) AS BINARY), "+
		"timestamp_micros(1700000000000000 + id) FROM range(%d)", times, times, rows))
	largest, batch := 0, 0
	sink := b.sink
	b.sink.before = func() error { batch++; return nil }
	b.run()
	name, raw := strings.Repeat("\u00e4\"\n\U0001f600", times), strings.Repeat("YWJj", times)
	for _, e := range sink.events {
		largest = max(largest, len(e.Data))
		if gjson.GetBytes(e.Data, "name").String() != name || gjson.GetBytes(e.Data, "raw").String() != raw {
			t.Fatalf("got row %s with other values than it has in the table", gjson.GetBytes(e.Data, "id"))
		}
	}
	b.wantEachRowOnce(rows)
	// A batch holds at most 8 MiB and the row that reached them.
	if least := rows * largest / (8<<20 + largest); batch < least {
		t.Errorf("got %d batches of rows of %d bytes, want at least %d", batch, largest, least)
	}
}

// checklist 13: the warehouse creates no table whose column names differ only by
// case, so only foreign sources can have such columns.
func TestNoTableHasNamesThatDifferByCase(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	wh, err := b.imp.Connect(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wh.Close() }()
	for _, statement := range []string{
		"CREATE TABLE main." + b.schema + ".twice (id BIGINT, name STRING, Name STRING)",
		"ALTER TABLE " + b.table() + " ADD COLUMNS (NAME STRING)",
	} {
		err := wh.Exec(t.Context(), statement)
		if !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(strings.ToLower(err.Error()), "already") {
			t.Errorf("%s: got the error %v, want one that the column already exists", statement, err)
		}
	}
	// The definition finds columns in any case.
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-02 00:00:00')")
	b.imp.Spec.TimestampColumn, b.imp.Spec.KeyColumns = "TS", []string{"Id"}
	b.wantEvents(1)
}
