package importer_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

const feedOn = "ALTER TABLE %t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"

// newFeedFixture creates a table with the change data feed and rows 0 to n-1, a second
// apart, and imports them.
func newFeedFixture(t *testing.T, n int) *fixture {
	t.Helper()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	none := time.Duration(0)
	b.imp.Spec.Changes, b.imp.Spec.Lookback = jobs.ChangesFeed, &none
	b.exec(feedOn, fmt.Sprintf("INSERT INTO %%t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000000) FROM range(%d)", n))
	b.run()
	b.wantEachRowOnce(n)
	return b
}

// checklist 4 62: with the feed, late rows of any age are sent once, whatever the
// lookback, and a table that is rebuilt sends nothing.
func TestTheFeedHasLateRowsOfAnyAge(t *testing.T) {
	t.Parallel()
	b := newFeedFixture(t, 50)
	b.exec("INSERT INTO %t VALUES (100, 'late', TIMESTAMP '2020-01-01 00:00:00'), (101, 'new', TIMESTAMP '2023-12-31 00:00:00')",
		"UPDATE %t SET name = 'changed' WHERE id = 7",
		"DELETE FROM %t WHERE id = 9")
	b.wantEvents(100, 7, 101)
	b.exec("INSERT OVERWRITE %t SELECT * FROM %t")
	b.wantEvents()
	b.exec("CREATE OR REPLACE TABLE %t TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') AS SELECT * FROM %t ORDER BY name, id DESC")
	b.wantEvents()
	// An identical row is another event; a row that is changed back is not.
	b.exec("INSERT INTO %t VALUES (100, 'late', TIMESTAMP '2020-01-01 00:00:00')", "UPDATE %t SET name = 'y' WHERE id = 8",
		"UPDATE %t SET name = 'x' WHERE id = 8", "ALTER TABLE %t ADD COLUMN extra INT", "UPDATE %t SET extra = 1 WHERE id = 5")
	b.wantEvents(100)
	ids := map[string]bool{}
	for _, e := range b.sink.events {
		ids[e.ID] = true
	}
	if len(ids) != len(b.sink.events) {
		t.Errorf("got %d ids of %d events", len(ids), len(b.sink.events))
	}
}

// Where the feed does not have every commit, "feed" says what to do, and "auto"
// compares the window.
func TestAFeedThatIsNotComplete(t *testing.T) {
	t.Parallel()
	b := newFeedFixture(t, 5)
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT * FROM %t", "INSERT INTO %t VALUES (5, 'x', timestamp_micros(1700000004000000))")
	err := b.runOnce()
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(fmt.Sprint(err), "DELTA_MISSING_CHANGE_DATA") {
		t.Fatalf("got %v, want an error of the feed", err)
	}
	b.imp.Spec.Changes = jobs.ChangesAuto
	b.wantEvents(5)
	b.exec("INSERT INTO %t VALUES (6, 'x', TIMESTAMP '2001-01-01 00:00:00')", feedOn)
	b.wantEvents() // the commit before the feed was switched on is compared, in the lookback
	b.exec("INSERT INTO %t VALUES (7, 'x', TIMESTAMP '2001-01-01 00:00:00')")
	b.imp.Spec.Changes = jobs.ChangesFeed
	b.wantEvents(7)
}

// With the feed, deleted rows are events with their key, and a row that comes back is
// sent again. Without it, the whole of both versions is compared.
func TestDeletedRowsBecomeEvents(t *testing.T) {
	t.Parallel()
	for _, changes := range []jobs.Changes{jobs.ChangesFeed, jobs.ChangesCompare} {
		t.Run(string(changes), func(t *testing.T) {
			t.Parallel()
			b := newFeedFixture(t, 20)
			b.imp.Spec.Changes, b.imp.Spec.Deletes, b.imp.Spec.KeyColumns = changes, jobs.DeletesEvents, []string{"id"}
			b.exec("DELETE FROM %t WHERE id IN (3, 12)", "UPDATE %t SET ts = timestamp_micros(1700000100000000) WHERE id = 4",
				"DELETE FROM %t WHERE id = 5", "INSERT INTO %t VALUES (5, 'again', timestamp_micros(1700000200000000))")
			got := b.run()
			if len(got) != 4 {
				t.Fatalf("got the events %v, want 2 of deleted rows and 2 of new ones", got)
			}
			for n, id := range []int64{12, 3, 4, 5} {
				deleted := n < 2
				if gjson.Get(got[n], "id").Int() != id || gjson.Get(got[n], "_deleted").Bool() != deleted ||
					gjson.Get(got[n], "_deleted_at").Exists() != deleted || gjson.Get(got[n], "name").Exists() == deleted {
					t.Errorf("got %s as event %d, want one of row %d, deleted: %t", got[n], n, id, deleted)
				}
			}
			b.wantEvents()
			b.exec("INSERT INTO %t VALUES (3, 'x', timestamp_micros(1700000003000000))")
			b.wantEvents(3)
			b.exec("DELETE FROM %t WHERE id = 3")
			b.wantEvents(3)
			b.exec("INSERT OVERWRITE %t SELECT * FROM %t")
			b.wantEvents()
			// The updated row came and went unseen; the one before it was sent.
			b.exec("UPDATE %t SET ts = timestamp_micros(1700000300000000) WHERE id = 7", "DELETE FROM %t WHERE id = 7")
			b.wantEvents(7)
			ids := map[string]bool{}
			for _, e := range b.sink.events {
				ids[e.ID] = true
			}
			if len(ids) != len(b.sink.events) {
				t.Errorf("got %d ids of %d events", len(ids), len(b.sink.events))
			}
		})
	}
}

// A version that metadata alone made is no change: no row and no column is read.
func TestAVersionWithoutChangedRowsIsNotRead(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Start(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-02 00:00:00')")
	b.wantEvents(1)
	b.exec("ALTER TABLE %t SET TBLPROPERTIES ('a' = 'b')", "ALTER TABLE %t CLUSTER BY (id)")
	data, other := b.queries()
	b.wantEvents()
	if d, o := b.queries(); len(d) != len(data) || len(o) != len(other) {
		t.Errorf("got %d queries of rows and %d that count, want none", len(d)-len(data), len(o)-len(other))
	}
	b.exec("INSERT INTO %t VALUES (2, 'b', TIMESTAMP '2024-01-02 00:00:00')")
	b.wantEvents(2)
}

// OPTIMIZE and VACUUM change no row. On Spark, their versions have the operations that Delta
// writes into the history.
func TestAVersionOfMaintenanceIsNotRead(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Start(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-02 00:00:00')", "INSERT INTO %t VALUES (2, 'a', TIMESTAMP '2024-01-03 00:00:00')")
	b.wantEvents(1, 2)
	b.exec("OPTIMIZE %t", "VACUUM %t RETAIN 168 HOURS")
	data, other := b.queries()
	b.wantEvents()
	if d, o := b.queries(); len(d) != len(data) || len(o) != len(other) {
		t.Errorf("got %d queries of rows and %d that count, want none", len(d)-len(data), len(o)-len(other))
	}
	if newest := b.s.Query(t, "DESCRIBE HISTORY "+b.table()+" LIMIT 1")[0]; sandboxtest.Spark() && !strings.HasPrefix(newest[4], "VACUUM") && newest[4] != "OPTIMIZE" {
		t.Errorf("got the newest operation %s, want one of maintenance: this test shows nothing", newest[4])
	}
	b.exec("INSERT INTO %t VALUES (3, 'b', TIMESTAMP '2024-01-04 00:00:00')")
	b.wantEvents(3)
}

// The deletion of a row that was sent while it was later than the clock is an event, also
// where no other row was ever sent.
func TestDeletedRowsOfTheFutureBecomeEvents(t *testing.T) {
	t.Parallel()
	for _, changes := range []jobs.Changes{jobs.ChangesFeed, jobs.ChangesCompare} {
		for _, rows := range []int{0, 5} {
			t.Run(fmt.Sprintf("%s, %d rows of the past", changes, rows), func(t *testing.T) {
				t.Parallel()
				b := newFixture(t, sandboxtest.Shared(t), threeColumns)
				b.imp.Spec.Changes, b.imp.Spec.Deletes, b.imp.Spec.KeyColumns = changes, jobs.DeletesEvents, []string{"id"}
				b.imp.Spec.FutureTimestamps = jobs.FutureInclude
				b.exec(feedOn, fmt.Sprintf("INSERT INTO %%t SELECT id, 'x', timestamp_micros(1700000000000000 + id) FROM range(%d)", rows),
					"INSERT INTO %t VALUES (100, 'x', TIMESTAMP '2999-01-01 00:00:00')")
				b.run()
				b.wantEachRowOnce(rows + 1)
				b.exec("DELETE FROM %t WHERE id = 100")
				b.wantEvents(100)
				b.wantEvents()
			})
		}
	}
}

// A key column that got another type or spelling is the same key: where two versions are
// compared, none of them counts as deleted.
func TestKeysOfAnotherTypeAreNotDeleted(t *testing.T) {
	t.Parallel()
	b := newFeedFixture(t, 5)
	b.imp.Spec.Changes, b.imp.Spec.Deletes, b.imp.Spec.KeyColumns = jobs.ChangesCompare, jobs.DeletesEvents, []string{"id"}
	b.wantEvents()
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT CAST(id AS STRING) AS ID, name, ts FROM %t WHERE id <> 3")
	got := b.run()
	if len(got) != 1 || gjson.Get(got[0], "ID").Raw != `"3"` || !gjson.Get(got[0], "_deleted").Bool() {
		t.Errorf("got the events %v, want one of the deleted row 3", got)
	}
	b.wantEvents()
}

// A row later than the clock is looked for in each run, and a table without a new commit
// has an empty feed.
func TestTheFeedOfATableWithoutANewCommitIsEmpty(t *testing.T) {
	t.Parallel()
	b := newFeedFixture(t, 5)
	b.exec("INSERT INTO %t VALUES (100, 'x', TIMESTAMP '2999-01-01 00:00:00')")
	b.wantEvents()
	b.wantEvents()
	b.imp.Spec.Deletes, b.imp.Spec.KeyColumns = jobs.DeletesEvents, []string{"id"}
	b.wantEvents()
	b.imp.Spec.FutureTimestamps = jobs.FutureInclude
	b.wantEvents(100)
}
