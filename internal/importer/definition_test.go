package importer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 6: the policies for rows without a timestamp.
func TestRowsWithoutATimestamp(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00'), (2, 'b', NULL), (3, 'c', NULL)")
	b.imp.Spec.NullTimestamps = jobs.NullError
	if err := b.try(); !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), "2 rows") || len(b.sink.events) != 0 {
		t.Fatalf("%v, %d events", err, len(b.sink.events))
	}
	b.imp.Spec.NullTimestamps = jobs.NullSkip
	b.want(1)
	if b.counts.RowsNull != 2 {
		t.Errorf("%d rows without a timestamp", b.counts.RowsNull)
	}
	b.imp.Spec.NullTimestamps = jobs.NullIncludeOnce
	if got := b.run(); len(got) != 2 {
		t.Fatalf("%v", got)
	}
	b.exec("INSERT INTO %t VALUES (2, 'b', NULL), (4, 'd', NULL)")
	if got := b.run(); len(got) != 2 {
		t.Fatalf("a second identical one and a new one: %v", got)
	}
	b.want()
	if c, err := importer.ReadCursor(t.Context(), b.db, "k"); err != nil || *c.Watermark != time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro() {
		t.Fatalf("%+v, %v", c, err)
	}
}

// checklist 10: rows of the future wait, or are sent and remembered; the
// watermark does not pass the clock.
func TestRowsOfTheFuture(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00'), (2, 'b', TIMESTAMP '2999-01-01 00:00:00')")
	b.want(1)
	if b.counts.RowsFuture != 1 {
		t.Errorf("%d rows of the future", b.counts.RowsFuture)
	}
	b.imp.Spec.FutureTimestamps = jobs.FutureInclude
	b.want(2)
	b.exec("INSERT INTO %t VALUES (3, 'c', TIMESTAMP '2998-01-01 00:00:00'), (4, 'd', TIMESTAMP '2024-01-02 00:00:00'), (2, 'b', TIMESTAMP '2999-01-01 00:00:00')")
	b.want(4, 3, 2)
	b.exec("INSERT INTO %t VALUES (5, 'e', TIMESTAMP '2024-01-01 12:00:00')")
	b.imp.Spec.FutureTimestamps = jobs.FutureDefer
	b.want(5)
	if c, err := importer.ReadCursor(t.Context(), b.db, "k"); err != nil || *c.Watermark != time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC).UnixMicro() {
		t.Fatalf("%+v, %v", c, err)
	}
}

// checklist 7 8: a DATE and a TIMESTAMP_NTZ order rows as they are, and since
// is exclusive of them.
func TestDatesAndTimestampsWithoutAZone(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"DATE", "TIMESTAMP_NTZ"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, sandboxtest.Shared(t), "id BIGINT, ts "+kind)
			since := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
			b.imp.Spec.Since = &since
			b.exec("INSERT INTO %t SELECT 1, CAST('2024-01-01 00:00:00' AS "+kind+")", "INSERT INTO %t SELECT 2, CAST('2024-01-02 00:00:00' AS "+kind+")")
			b.want(2)
			b.exec("INSERT INTO %t SELECT 3, CAST('2024-01-02 00:00:00' AS "+kind+")", "INSERT INTO %t SELECT 4, CAST('2024-01-03 00:00:00' AS "+kind+")",
				"INSERT INTO %t SELECT 5, CAST('2024-01-01 00:00:00' AS "+kind+")")
			b.want(3, 4)
			b.want()
		})
	}
}

// A view has no versions: it is copied, and what was sent is remembered.
func TestAViewIsCopied(t *testing.T) {
	t.Parallel()
	for _, scratch := range []string{"", "main.scratch"} {
		t.Run("scratch="+scratch, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			b := newBed(t, s, threeColumns)
			b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + (id DIV 10) * 1000000) FROM range(5000)",
				"CREATE SCHEMA main.scratch", "CREATE VIEW main."+b.schema+".v AS SELECT id, name AS `odd name`, ts FROM %t WHERE id % 2 = 0")
			b.imp.Spec.Table, b.imp.Spec.ScratchSchema, b.imp.SliceRows = "v", scratch, 1000
			b.run()
			b.wantOnce(2500)
			b.exec("INSERT INTO %t VALUES (6000, 'late', timestamp_micros(1700000100000000)), (6002, 'new', timestamp_micros(1700000900000000)), (6001, 'odd', timestamp_micros(1700000900000000))")
			b.want(6000, 6002)
			b.want()
			if left := s.Query(t, "SHOW TABLES IN main.scratch"); len(left) > 0 {
				t.Errorf("left there: %v", left)
			}
		})
	}
}

// A copy that may not be made: the error names the grant.
func TestACopyThatIsRefused(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newBed(t, s, threeColumns)
	b.exec("CREATE VIEW main." + b.schema + ".v AS SELECT * FROM %t")
	b.imp.Spec.Table, b.imp.Spec.ScratchSchema = "v", "main.nowhere"
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "lytics_copy", Message: "[INSUFFICIENT_PERMISSIONS] User does not have CREATE TABLE on Schema. SQLSTATE: 42501"})
	err := b.try()
	if !jobs.IsCode(err, jobs.CodeForbidden) || !strings.Contains(err.Error(), "CREATE TABLE ON SCHEMA `main`.`nowhere`") {
		t.Fatal(err)
	}
	b.imp.Spec.ScratchSchema = ""
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "TEMPORARY TABLE", Message: "[PARSE_SYNTAX_ERROR] Syntax error at or near 'TABLE'. SQLSTATE: 42601"})
	if err := b.try(); !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "scratch_schema") {
		t.Fatal(err)
	}
}

func TestColumnsConditionsAndLimits(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t), "id BIGINT, ssn STRING, country STRING, line INT, ts TIMESTAMP")
	b.exec("INSERT INTO %t SELECT id, 'secret', if(id % 2 = 0, 'DE', 'FR'), CAST(100 - id AS INT), timestamp_micros(1700000000000000 + (id DIV 10) * 1000000) FROM range(40)")
	b.imp.Spec.ExcludeColumns, b.imp.Spec.Where, b.imp.Spec.KeyColumns = []string{"SSN"}, "country = 'DE' -- not others", []string{"line"}
	b.imp.Spec.RowLimit, b.imp.Spec.BatchSize = 7, 3
	b.want(8, 6, 4, 2, 0, 18, 16)
	b.want(14, 12, 10, 28, 26, 24, 22)
	b.want(20, 38, 36, 34, 32, 30)
	b.want()
	for _, e := range b.sink.events {
		if gjson.GetBytes(e.Data, "ssn").Exists() || !gjson.GetBytes(e.Data, "country").Exists() {
			t.Fatalf("%s", e.Data)
		}
	}
	for attribute, change := range map[string]func(*jobs.TableImport){
		"columns":         func(s *jobs.TableImport) { s.Columns = []string{"nope"} },
		"exclude_columns": func(s *jobs.TableImport) { s.ExcludeColumns = []string{"nope"} },
		"key_columns":     func(s *jobs.TableImport) { s.KeyColumns = []string{"nope"} },
		"where":           func(s *jobs.TableImport) { s.Where = "nope = 1" },
	} {
		wrong := *newBedOf(b)
		wrong.imp.Spec.ExcludeColumns = nil
		change(&wrong.imp.Spec)
		err := wrong.try()
		if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(fmt.Sprintf("%+v", err), "nope") || attributeOf(err) != attribute {
			t.Errorf("%s: %v", attribute, err)
		}
	}
	only := newBedOf(b)
	only.imp.Spec = jobs.TableImport{Catalog: "main", Database: b.schema, Table: "t", TimestampColumn: "ts", Stream: "s", Columns: []string{"line", "ID"}}
	only.run()
	if got := string(only.sink.events[0].Data); len(gjson.Parse(got).Map()) != 2 || !strings.HasPrefix(got, `{"id":`) {
		t.Errorf("event %s", got)
	}
}

func attributeOf(err error) string {
	if e, ok := err.(*jobs.Error); ok { //nolint:errorlint // the outermost is what a caller sees
		return e.Attribute
	}
	return ""
}

func TestAFullRefreshSendsEveryRowAgain(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00')")
	b.want(1)
	b.imp.Spec.FullRefresh = "new mapping"
	b.want(1)
	b.want()
	b.imp.Spec.FullRefresh = ""
	b.want()
	b.imp.Spec.FullRefresh = "again"
	b.want(1)
	ids := map[string]bool{}
	for _, e := range b.sink.events {
		ids[e.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("%d ids", len(ids))
	}
}

// checklist 12 13: columns are matched by name.
func TestTheSchemaChanges(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00')")
	b.want(1)
	b.exec("ALTER TABLE %t ADD COLUMNS (more STRING)", "INSERT INTO %t VALUES (2, 'b', TIMESTAMP '2024-01-01 00:00:00', 'x')")
	got := b.run()
	if len(got) != 1 || gjson.Get(got[0], "more").String() != "x" {
		t.Fatalf("after ADD COLUMN: %v", got)
	}
	// The same columns in another order, and one of another type.
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT ts, more, name, CAST(id AS DECIMAL(20,0)) AS id FROM %t")
	b.want()
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT ts, id, name AS title FROM %t", "INSERT INTO %t VALUES (TIMESTAMP '2024-01-01 01:00:00', 3, 'c')")
	got = b.run()
	if len(got) != 1 || gjson.Get(got[0], "title").String() != "c" {
		t.Fatalf("after a column was renamed: %v", got)
	}
	sent := len(b.sink.events)
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT id, title FROM %t")
	if err := b.try(); !jobs.IsCode(err, jobs.CodeInvalid) || attributeOf(err) != "timestamp_column" || len(b.sink.events) != sent {
		t.Fatal(err)
	}
}

// A column that is NULL is part of the event, as null, and not left
// out: the platform tells "no value" from "not sent".
func TestNullColumnsArePartOfTheEvent(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Shared(t), "id BIGINT, name STRING, amount DECIMAL(10,2), ts TIMESTAMP")
	b.exec("INSERT INTO %t VALUES (1, NULL, NULL, TIMESTAMP '2024-01-01 00:00:00')")
	want := []string{`{"id":1,"name":null,"amount":null,"ts":"2024-01-01T00:00:00.000000Z"}`}
	if got := b.run(); !slices.Equal(got, want) {
		t.Errorf("got the events %v, want %v", got, want)
	}
}
