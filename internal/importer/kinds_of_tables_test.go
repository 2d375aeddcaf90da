package importer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// asked counts the statements that ask for the history of the table.
func (b *fixture) asked() (n int) {
	b.t.Helper()
	for _, s := range b.s.Statements(b.t) {
		if strings.HasPrefix(s.Text, "DESCRIBE HISTORY") {
			n++
		}
	}
	return n
}

// What a source is decides whether it has versions. Views and tables of other formats and
// databases are copied without asking for a history; other tables are asked for theirs.
func TestKindOfASourceDecidesWhetherItHasVersions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, format string
		asked        bool
	}{
		"a materialized view":      {"MATERIALIZED_VIEW", "DELTA", false},
		"a foreign table":          {"FOREIGN", "POSTGRESQL_FORMAT", false},
		"files of CSV":             {"EXTERNAL", "CSV", false},
		"a streaming table":        {"STREAMING_TABLE", "DELTA", true},
		"a shared table":           {"MANAGED", "DELTASHARING", true},
		"an Iceberg table":         {"MANAGED", "ICEBERG", true},
		"an external table":        {"EXTERNAL", "DELTA", true},
		"a shallow clone":          {"MANAGED_SHALLOW_CLONE", "DELTA", true},
		"a kind that is not known": {"SOMETHING_NEW", "UNKNOWN_DATA_SOURCE_FORMAT", true},
		"a foreign table of Delta": {"FOREIGN", "DELTA", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			b := newFixture(t, s, threeColumns)
			b.exec(fmt.Sprintf("ALTER TABLE %%t SET TBLPROPERTIES ('sandbox.table_type' = '%s', 'sandbox.data_source_format' = '%s')", c.kind, c.format),
				"INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000000) FROM range(100)")
			s.ForgetStatements(t)
			b.run()
			b.wantEachRowOnce(100)
			if n := b.asked(); (n > 0) != c.asked {
				t.Errorf("the history was asked for %d times; asked should be %v", n, c.asked)
			}
			if copied := strings.Contains(b.counts.Snapshot, "copy"); copied == c.asked {
				t.Errorf("got the snapshot %q", b.counts.Snapshot)
			}
			b.exec("INSERT INTO %t VALUES (100, 'late', timestamp_micros(1700000050000000)), (101, 'new', timestamp_micros(1700000500000000))")
			b.wantEvents(100, 101)
		})
	}
}

// A table whose history can be read and whose versions cannot is copied, whichever error
// says so.
func TestSourceWhoseVersionsCannotBeReadIsCopied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ match, message string }{
		"a share without history":    {"DESCRIBE QUERY", "[DS_TIME_TRAVEL_NOT_PERMITTED] Time travel query is not permitted unless history is shared. SQLSTATE: 0AKDC"},
		"an error that nobody knows": {"DESCRIBE QUERY", "[SOMETHING_NEW] Not here. SQLSTATE: 0A000"},
		"at its execution":           {"count_if.*VERSION AS OF", "time travel is not supported for this table"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			b := newFixture(t, s, threeColumns)
			b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000000) FROM range(100)")
			s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: c.match, Message: c.message, Times: -1})
			b.run()
			b.wantEachRowOnce(100)
			if !strings.Contains(b.counts.Snapshot, "copy") {
				t.Errorf("got the snapshot %q, want a copy", b.counts.Snapshot)
			}
		})
	}
}

// A missing permission at a version is an error, and no reason for a copy.
func TestRefusedPermissionAtAVersionIsNoReasonForACopy(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s, threeColumns)
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "DESCRIBE QUERY", Times: -1,
		Message: "[INSUFFICIENT_PERMISSIONS] User does not have SELECT on Table. SQLSTATE: 42501"})
	if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeForbidden) {
		t.Errorf("got the error %v, want one with code %s", err, jobs.CodeForbidden)
	}
}

// onSpark returns a fixture on Spark, which has types and features that DuckDB has not.
func onSpark(t *testing.T, columns string) *fixture {
	t.Helper()
	if !sandboxtest.Spark() {
		t.Skip("LEFT OUT: DuckDB has neither these types nor Delta's features; make test-spark runs it")
	}
	return newFixture(t, sandboxtest.Start(t), columns)
}

// The values of VARIANT are in the events as JSON.
func TestVariantColumnsOnSpark(t *testing.T) {
	t.Parallel()
	b := onSpark(t, "id BIGINT, v VARIANT, ts TIMESTAMP")
	b.exec(`INSERT INTO %t SELECT id, parse_json('{"a": [1, "x", null]}'), timestamp_micros(1700000000000000 + id) FROM range(3)`)
	for _, data := range b.run() {
		if got := gjson.Get(data, "v.a").Raw; got != `[1,"x",null]` {
			t.Errorf("got the variant %s in %s", got, data)
		}
	}
	b.wantEachRowOnce(3)
	b.wantEvents()
}

// A view may have INTERVAL columns, which no Delta table has. The copy holds the rows as
// JSON, so that the type is no obstacle.
func TestIntervalColumnsOfAViewOnSpark(t *testing.T) {
	t.Parallel()
	b := onSpark(t, threeColumns)
	b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id) FROM range(3)",
		"CREATE VIEW main."+b.schema+".v AS SELECT id, ts, ts - TIMESTAMP '2023-01-01 00:00:00' AS since FROM %t",
		"CREATE SCHEMA main."+b.schema+"_scratch")
	b.imp.Spec.Table, b.imp.Spec.ScratchSchema = "v", "main."+b.schema+"_scratch"
	for _, data := range b.run() {
		if got := gjson.Get(data, "since").String(); !strings.HasPrefix(got, "INTERVAL '") {
			t.Errorf("got the interval %q in %s", got, data)
		}
	}
	b.wantEachRowOnce(3)
}

// Texts that a collation calls equal are different rows, and key columns order them by their
// bytes.
func TestCollatedColumnsOnSpark(t *testing.T) {
	t.Parallel()
	b := onSpark(t, threeColumns)
	b.exec("INSERT INTO %t SELECT id, if(id % 2 = 0, 'ann', 'ANN'), timestamp_micros(1700000000000000) FROM range(6)",
		"CREATE VIEW main."+b.schema+".v AS SELECT id, ts, name COLLATE UTF8_LCASE AS name FROM %t",
		"CREATE SCHEMA main."+b.schema+"_scratch")
	b.imp.Spec.Table, b.imp.Spec.ScratchSchema, b.imp.Spec.KeyColumns = "v", "main."+b.schema+"_scratch", []string{"name"}
	b.run()
	b.wantEachRowOnce(6)
	b.exec("INSERT INTO %t VALUES (6, 'Ann', timestamp_micros(1700000000000000))")
	b.wantEvents(6)
}

// Rows that deletion vectors remove are not in a version, and a deleted row is no event.
func TestDeletionVectorsOnSpark(t *testing.T) {
	t.Parallel()
	b := onSpark(t, threeColumns)
	b.exec("ALTER TABLE %t SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
		"INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id) FROM range(100)", "DELETE FROM %t WHERE id >= 90")
	b.run()
	b.wantEachRowOnce(90)
	b.exec("UPDATE %t SET name = 'y' WHERE id = 7", "DELETE FROM %t WHERE id = 8")
	b.wantEvents(7)
}
