package importer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

const feedProperty = " TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')"

// insertRows inserts n rows with ids from a number on, a second apart from the first
// timestamp.
func insertRows(table string, from, n int) string {
	return fmt.Sprintf("INSERT INTO %s SELECT %d + id, 'x', timestamp_micros(%d + id * 1000000) FROM range(%d)", table, from, firstMicros, n)
}

// wantNewRows runs the import until nothing is left to send, and checks that each of the
// rows with ids from a number on was sent once.
func (b *fixture) wantNewRows(from, n int) {
	b.t.Helper()
	b.run()
	b.run()
	b.wantEvents()
	var got, want []int64
	ids := map[string]bool{}
	for _, e := range b.sink.events {
		if id := gjson.GetBytes(e.Data, "id").Int(); id >= int64(from) {
			got = append(got, id)
		}
		ids[e.ID] = true
	}
	for id := range n {
		want = append(want, int64(from+id))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || len(ids) != len(b.sink.events) {
		b.t.Errorf("got events of the rows %v of the new table, with %d ids of %d events; want one of each of %v",
			got, len(ids), len(b.sink.events), want)
	}
}

// checklist 5: a table that is dropped and created again, or replaced by a renamed one, has
// versions of its own, whatever their numbers. Its rows are compared with those that were
// sent: each is sent once.
func TestATableCreatedAnewIsAnotherTable(t *testing.T) {
	t.Parallel()
	for _, changes := range []jobs.Changes{jobs.ChangesAuto, jobs.ChangesFeed, jobs.ChangesCompare} {
		for name, statements := range map[string][]string{
			"fewer versions": {"DROP TABLE %t", "CREATE TABLE %t" + feedProperty +
				" AS SELECT 100 + id AS id, 'x' AS name, timestamp_micros(1700000000000000 + id * 1000000) AS ts FROM range(30)"},
			"as many versions": {"DROP TABLE %t", "CREATE TABLE %t (" + threeColumns + ")" + feedProperty, insertRows("%t", 100, 30)},
			"more versions": {"DROP TABLE %t", "CREATE TABLE %t (" + threeColumns + ")" + feedProperty, insertRows("%t", 100, 30),
				"INSERT INTO %t SELECT * FROM %t WHERE false", "UPDATE %t SET name = 'x' WHERE id = 100"},
			"renamed": {"CREATE TABLE %t_new (" + threeColumns + ")" + feedProperty, insertRows("%t_new", 100, 30),
				"ALTER TABLE %t_new SET TBLPROPERTIES ('a' = 'b')", "DROP TABLE %t", "ALTER TABLE %t_new RENAME TO %t"},
		} {
			t.Run(string(changes)+", "+name, func(t *testing.T) {
				t.Parallel()
				b := newFixture(t, sandboxtest.Shared(t), threeColumns)
				b.imp.Spec.Changes = changes
				b.exec("DROP TABLE %t", "CREATE TABLE %t ("+threeColumns+")"+feedProperty, insertRows("%t", 0, 20))
				b.run()
				b.wantEachRowOnce(20)
				b.exec(statements...)
				b.wantNewRows(100, 30)
				// From then on the new table's versions are compared.
				b.exec("INSERT INTO %t VALUES (130, 'late', timestamp_micros(1700000005000000))")
				b.wantEvents(130)
			})
		}
	}
}

// A run that was interrupted does not go on with the version of another table.
func TestATableCreatedAnewWhileARunIsInterrupted(t *testing.T) {
	t.Parallel()
	for _, crashAt := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("at batch %d", crashAt), func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, sandboxtest.Shared(t), threeColumns)
			b.imp.SliceRows, b.imp.Spec.BatchSize = 10, 5
			b.exec(insertRows("%t", 0, 30))
			b.crashAt(crashAt)
			if err := b.runOnce(); !errors.Is(err, errCrash) {
				t.Fatalf("got the error %v, want the crash", err)
			}
			b.sink.before = nil
			b.exec("DROP TABLE %t", "CREATE TABLE %t ("+threeColumns+")", insertRows("%t", 100, 30))
			b.wantNewRows(100, 30)
		})
	}
}

// A table that is exchanged while a run reads it is read again.
func TestATableCreatedAnewWhileARunReadsIt(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.imp.SliceRows, b.imp.Spec.BatchSize = 10, 10
	b.exec(insertRows("%t", 0, 40))
	// A statement that is sent ahead, in a second session, may come while no table has the
	// name. The first attempt gets none.
	connect, sessions := b.imp.Connect, 0
	b.imp.Connect = func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
		if sessions++; sessions == 2 {
			return nil, errors.New("too many sessions")
		}
		return connect(ctx, queryTimeout)
	}
	b.sink.before = func() error {
		b.sink.before = nil
		b.exec("DROP TABLE %t", "CREATE TABLE %t ("+threeColumns+")", insertRows("%t", 100, 40))
		return nil
	}
	b.wantNewRows(100, 40)
}

// checklist 62: CREATE OR REPLACE TABLE goes on with the versions: the feed has the rows of
// any age that it added.
func TestAReplacedTableIsTheSameTable(t *testing.T) {
	t.Parallel()
	b := newFeedFixture(t, 20)
	b.exec("CREATE OR REPLACE TABLE %t" + feedProperty +
		" AS SELECT * FROM %t UNION ALL SELECT 100, 'late', TIMESTAMP '2020-01-01 00:00:00'")
	b.wantEvents(100)
	none := time.Duration(0)
	b.imp.Spec.Changes, b.imp.Spec.Lookback = jobs.ChangesCompare, &none
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT * FROM %t", "INSERT INTO %t VALUES (101, 'new', timestamp_micros(1700000100000000))")
	b.wantEvents(101)
}

// crashAt makes the batch with this number fail, counted from 1.
func (b *fixture) crashAt(n int) {
	b.sink.before = func() error {
		if n--; n == 0 {
			return errCrash
		}
		return nil
	}
}
