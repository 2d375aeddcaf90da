package importer_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// scanned returns how many rows the queries since ForgetStatements have read. Spark reads the
// input of a sort twice: it samples it, unless it is an aggregate's result, which is kept.
func (b *fixture) scanned() (rows int64) {
	b.t.Helper()
	for _, s := range b.s.Statements(b.t) {
		rows += s.RowsScanned
		if strings.Contains(s.Text, " ORDER BY lytics_ts") && !strings.Contains(s.Text, " GROUP BY ") {
			rows += s.RowsScanned
		}
	}
	return rows
}

// wantScanned runs the import and compares the rows that it reads.
func (b *fixture) wantScanned(mode string, want int64) {
	b.t.Helper()
	b.s.ForgetStatements(b.t)
	b.run()
	if got := b.scanned(); got != want {
		b.t.Errorf("%s: got %d rows read, want %d", mode, got, want)
	}
}

// A run reads what the guide databricks-in-production says of its mode on a table that is
// clustered by the timestamp: the sandbox counts the rows that meet the conditions of a scan.
// It does not count those of CREATE TABLE AS SELECT, which reads its source once.
func TestRunsScanWhatTheProductionGuideSays(t *testing.T) {
	t.Parallel()
	if sandboxtest.Spark() {
		t.Skip("LEFT OUT: Spark's server does not say how many rows a statement read; make test runs it")
	}
	fresh := "INSERT INTO %t SELECT id, 'new', timestamp_micros(1700000000000000 + id) FROM range(1000, 1200)"
	begin := func(t *testing.T) *fixture {
		t.Helper()
		b := newFixture(t, sandboxtest.Start(t, sandboxtest.WithArgs("-profile")), threeColumns)
		b.exec(feedOn, "INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id) FROM range(1000)")
		b.imp.Spec.KeyColumns = []string{"id"}
		return b
	}
	t.Run("first load and comparison", func(t *testing.T) {
		t.Parallel()
		b := begin(t)
		b.imp.Spec.Changes = jobs.ChangesCompare
		b.wantScanned("first load: 3 n", 3*1000)
		b.exec(fresh)
		b.wantScanned("comparison: 2 w + 3 n", 2*1000+3*200)
	})
	t.Run("slices", func(t *testing.T) {
		t.Parallel()
		b := begin(t)
		b.imp.SliceRows = 500
		b.wantScanned("first load of two slices: 3 n, and n for the histogram", 4*1000)
	})
	t.Run("clustered copy", func(t *testing.T) {
		t.Parallel()
		b := largeFixture(t, "", sandboxtest.WithArgs("-profile"))
		b.run()
		var table, copied int64
		for _, s := range b.s.Statements(t) {
			switch {
			case strings.Contains(s.Text, " AS SELECT") || !strings.Contains(s.Text, "lytics_copy_"):
				table += s.RowsScanned
			case strings.Contains(s.Text, " ORDER BY lytics_ts"):
				copied += 2 * s.RowsScanned
			default:
				copied += s.RowsScanned
			}
		}
		if reads, _, _ := b.reads(); reads != 2 || table != 5000 || copied != 3*5000 {
			t.Errorf("got %d statements that read the table, %d of its rows beside the copy, and %d rows of the copy; want 2, N and 3 N", reads, table, copied)
		}
	})
	t.Run("feed", func(t *testing.T) {
		t.Parallel()
		b := begin(t)
		none := time.Duration(0)
		b.imp.Spec.Changes, b.imp.Spec.Lookback, b.imp.Spec.Deletes = jobs.ChangesFeed, &none, jobs.DeletesEvents
		b.run()
		b.exec(fresh)
		b.wantScanned("new rows: the count and the rows", 2*200)
		b.exec("INSERT INTO %t VALUES (2000, 'late', TIMESTAMP '2001-01-01 00:00:00'), (2001, 'new', TIMESTAMP '2024-01-01 00:00:00')")
		b.wantScanned("late and new rows: the feed three times", 3*2)
		b.exec("INSERT INTO %t VALUES (2002, 'late', TIMESTAMP '2001-01-01 00:00:00'), (2003, 'new', TIMESTAMP '2024-01-02 00:00:00')",
			"DELETE FROM %t WHERE id = 5")
		b.wantScanned("deleted rows as well: the feed four times", 4*3)
	})
	t.Run("deleted rows without the feed", func(t *testing.T) {
		t.Parallel()
		b := begin(t)
		b.imp.Spec.Changes, b.imp.Spec.Deletes = jobs.ChangesCompare, jobs.DeletesEvents
		b.run()
		b.exec("INSERT INTO %t VALUES (2002, 'late', TIMESTAMP '2001-01-01 00:00:00'), (2003, 'new', TIMESTAMP '2024-01-02 00:00:00')",
			"DELETE FROM %t WHERE id = 5")
		b.wantScanned("2 N each for the count and the deleted rows, those up to the watermark for the late rows, and the new row", 2*2001+2000+1)
	})
	t.Run("copy", func(t *testing.T) {
		t.Parallel()
		b := begin(t)
		b.exec("CREATE VIEW main." + b.schema + ".v AS SELECT * FROM %t")
		b.imp.Spec.Table, b.imp.Spec.Changes = "v", jobs.ChangesCompare
		b.wantScanned("first load: 3 n of the copy", 3*1000)
		b.exec(fresh)
		b.wantScanned("3 w + 3 n of the copy", 3*1000+3*200)
	})
}
