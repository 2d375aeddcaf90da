package importer_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 6: the policies for rows without a timestamp.
func TestRowsWithoutATimestampFollowThePolicy(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00'), (2, 'b', NULL), (3, 'c', NULL)")
	b.imp.Spec.NullTimestamps = jobs.NullError
	if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeFailed) || !strings.Contains(err.Error(), "2 rows") || len(b.sink.events) != 0 {
		t.Fatalf("null_timestamps = error: got the error %v and %d events, want one that counts 2 rows and no events", err, len(b.sink.events))
	}
	b.imp.Spec.NullTimestamps = jobs.NullSkip
	b.wantEvents(1)
	if b.counts.RowsNull != 2 {
		t.Errorf("got %d rows without a timestamp, want 2", b.counts.RowsNull)
	}
	b.imp.Spec.NullTimestamps = jobs.NullIncludeOnce
	if got := b.run(); len(got) != 2 {
		t.Fatalf("got the events %v, want those of 2 rows without a timestamp", got)
	}
	b.exec("INSERT INTO %t VALUES (2, 'b', NULL), (4, 'd', NULL)")
	if got := b.run(); len(got) != 2 {
		t.Fatalf("got the events %v, want those of a second identical row and of a new one", got)
	}
	b.wantEvents()
	b.wantWatermark(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
}

// checklist 10: rows later than the warehouse's clock wait, or are sent and
// remembered. The watermark stays behind the clock.
func TestFutureRowsFollowThePolicy(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00'), (2, 'b', TIMESTAMP '2999-01-01 00:00:00')")
	b.wantEvents(1)
	if b.counts.RowsFuture != 1 {
		t.Errorf("got %d future rows, want 1", b.counts.RowsFuture)
	}
	b.imp.Spec.FutureTimestamps = jobs.FutureInclude
	b.wantEvents(2)
	b.exec("INSERT INTO %t VALUES (3, 'c', TIMESTAMP '2998-01-01 00:00:00'), (4, 'd', TIMESTAMP '2024-01-02 00:00:00'), " +
		"(2, 'b', TIMESTAMP '2999-01-01 00:00:00')")
	b.wantEvents(4, 3, 2)
	b.exec("INSERT INTO %t VALUES (5, 'e', TIMESTAMP '2024-01-01 12:00:00')")
	b.imp.Spec.FutureTimestamps = jobs.FutureDefer
	b.wantEvents(5)
	b.wantWatermark(time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC))
}

// checklist 7 8: DATE and TIMESTAMP_NTZ columns order rows too, and
// since_timestamp excludes rows at it.
func TestDatesAndTimestampsWithoutAZoneOrderRows(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"DATE", "TIMESTAMP_NTZ"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, sandboxtest.Shared(t), "id BIGINT, ts "+kind)
			since := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
			b.imp.Spec.Since = &since
			insert := func(id int, day string) {
				b.exec(fmt.Sprintf("INSERT INTO %%t SELECT %d, CAST('%s 00:00:00' AS %s)", id, day, kind))
			}
			insert(1, "2024-01-01")
			insert(2, "2024-01-02")
			b.wantEvents(2)
			insert(3, "2024-01-02")
			insert(4, "2024-01-03")
			insert(5, "2024-01-01")
			b.wantEvents(3, 4)
			b.wantEvents()
		})
	}
}

// A view has no versions: it is copied, and compared with the remembered rows.
func TestAViewIsCopiedAndSentOnce(t *testing.T) {
	t.Parallel()
	for _, scratch := range []string{"", "main.scratch"} {
		t.Run("scratch="+scratch, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			b := newFixture(t, s, threeColumns)
			b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + (id DIV 10) * 1000000) FROM range(5000)",
				"CREATE SCHEMA main.scratch", "CREATE VIEW main."+b.schema+".v AS SELECT id, name AS `odd name`, ts FROM %t WHERE id % 2 = 0")
			b.imp.Spec.Table, b.imp.Spec.ScratchSchema, b.imp.SliceRows = "v", scratch, 1000
			b.run()
			b.wantEachRowOnce(2500)
			b.exec("INSERT INTO %t VALUES (6000, 'late', timestamp_micros(1700000100000000)), " +
				"(6002, 'new', timestamp_micros(1700000900000000)), (6001, 'odd', timestamp_micros(1700000900000000))")
			b.wantEvents(6000, 6002)
			b.wantEvents()
			if left := s.Query(t, "SHOW TABLES IN main.scratch"); len(left) > 0 {
				t.Errorf("got the tables %v in the scratch schema, want none", left)
			}
		})
	}
}

// A copy has the texts, digests and times of the definition by which it was made. A run that goes
// on with it by another definition sends its rows once all the same.
func TestACopyOfAnotherDefinitionIsSentOnce(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s, threeColumns)
	b.exec("CREATE SCHEMA main.scratch", "CREATE VIEW main."+b.schema+".v AS SELECT id, name, ts, ts + INTERVAL 1 DAY AS seen FROM %t",
		"INSERT INTO %t VALUES (0, 'x', timestamp_micros(1700000000000000))")
	b.imp.Spec.Table, b.imp.Spec.ScratchSchema, b.imp.Spec.Columns = "v", "main.scratch", []string{"id"}
	b.wantEvents(0)
	b.exec("INSERT INTO %t SELECT id, 'y', timestamp_micros(1700000000000000 + id * 1000000) FROM range(1, 11)")

	b.imp.Spec.Columns, b.imp.Spec.RecordTimestampColumn = []string{"id", "name"}, "seen"
	b.sink.before = func() error { return errors.New("stopped") }
	if err := b.runOnce(); err == nil {
		t.Fatal("got no error, want the one of the sink")
	}
	b.sink.before = nil
	b.imp.Spec.Columns, b.imp.Spec.RecordTimestampColumn = []string{"id"}, ""
	b.wantEvents(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	if got, want := b.sink.events[1].Time, time.UnixMicro(1700000001000000).Add(24*time.Hour); !got.Equal(want) {
		t.Errorf("got an event of %v, want the time that the copy has, %v", got, want)
	}
	b.exec("INSERT INTO %t VALUES (11, 'z', timestamp_micros(1700000011000000))")
	b.wantEvents(11)
	b.wantEachRowOnce(12)
}

// Where the warehouse refuses the copy, the error names the missing grant.
func TestARefusedCopyNamesTheGrant(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s, threeColumns)
	b.exec("CREATE VIEW main." + b.schema + ".v AS SELECT * FROM %t")
	b.imp.Spec.Table, b.imp.Spec.ScratchSchema = "v", "main.nowhere"
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "lytics_copy",
		Message: "[INSUFFICIENT_PERMISSIONS] User does not have CREATE TABLE on Schema. SQLSTATE: 42501"})
	err := b.runOnce()
	if !jobs.IsCode(err, jobs.CodeForbidden) || !strings.Contains(err.Error(), "CREATE TABLE ON SCHEMA `main`.`nowhere`") {
		t.Fatalf("got the error %v, want one that names the grant on main.nowhere", err)
	}
	b.imp.Spec.ScratchSchema = ""
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "TEMPORARY TABLE",
		Message: "[PARSE_SYNTAX_ERROR] Syntax error at or near 'TABLE'. SQLSTATE: 42601"})
	if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "scratch_schema") {
		t.Fatalf("got the error %v, want one that names scratch_schema", err)
	}
}

func TestColumnsConditionsAndLimits(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), "id BIGINT, ssn STRING, country STRING, line INT, ts TIMESTAMP")
	b.exec("INSERT INTO %t SELECT id, 'secret', if(id % 2 = 0, 'DE', 'FR'), CAST(100 - id AS INT), " +
		"timestamp_micros(1700000000000000 + (id DIV 10) * 1000000) FROM range(40)")
	b.imp.Spec.ExcludeColumns, b.imp.Spec.Where, b.imp.Spec.KeyColumns = []string{"SSN"}, "country = 'DE'", []string{"line"}
	b.imp.Spec.RowLimit, b.imp.Spec.BatchSize = 7, 3
	b.wantEvents(8, 6, 4, 2, 0, 18, 16)
	b.wantEvents(14, 12, 10, 28, 26, 24, 22)
	b.wantEvents(20, 38, 36, 34, 32, 30)
	b.wantEvents()
	for _, e := range b.sink.events {
		if gjson.GetBytes(e.Data, "ssn").Exists() || !gjson.GetBytes(e.Data, "country").Exists() {
			t.Fatalf("got the event %s, want one with country and without ssn", e.Data)
		}
	}
	for attribute, change := range map[string]func(*jobs.TableImport){
		"columns":         func(s *jobs.TableImport) { s.Columns = []string{"nope"} },
		"exclude_columns": func(s *jobs.TableImport) { s.ExcludeColumns = []string{"nope"} },
		"key_columns":     func(s *jobs.TableImport) { s.KeyColumns = []string{"nope"} },
		"where":           func(s *jobs.TableImport) { s.Where = "nope = 1" },
	} {
		wrong := *newFixtureOf(b)
		wrong.imp.Spec.ExcludeColumns = nil
		change(&wrong.imp.Spec)
		err := wrong.runOnce()
		if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(fmt.Sprintf("%+v", err), "nope") || attributeOf(err) != attribute {
			t.Errorf("got the error %v, want one of the attribute %s that names the column nope", err, attribute)
		}
	}
	only := newFixtureOf(b)
	only.imp.Spec = jobs.TableImport{Catalog: "main", Database: b.schema, Table: "t", TimestampColumn: "ts", Stream: "s",
		Columns: []string{"line", "ID"}}
	only.run()
	if got := string(only.sink.events[0].Data); len(gjson.Parse(got).Map()) != 2 || !strings.HasPrefix(got, `{"id":`) {
		t.Errorf("got the event %s, want one of id and line, in the table's order", got)
	}
}

func attributeOf(err error) string {
	if e, ok := err.(*jobs.Error); ok { //nolint:errorlint // callers see the outermost error
		return e.Attribute
	}
	return ""
}

func TestAFullRefreshSendsEveryRowAgain(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00')")
	b.wantEvents(1)
	b.imp.Spec.FullRefresh = "new mapping"
	b.wantEvents(1)
	b.wantEvents()
	b.imp.Spec.FullRefresh = ""
	b.wantEvents()
	b.imp.Spec.FullRefresh = "again"
	b.wantEvents(1)
	ids := map[string]bool{}
	for _, e := range b.sink.events {
		ids[e.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("got %d event ids, want 3", len(ids))
	}
}

// checklist 12 13: columns are matched by name when the schema changes.
func TestASchemaChangeSendsNoRowTwice(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.exec("INSERT INTO %t VALUES (1, 'a', TIMESTAMP '2024-01-01 00:00:00')")
	b.wantEvents(1)
	b.exec("ALTER TABLE %t ADD COLUMNS (more STRING)", "INSERT INTO %t VALUES (2, 'b', TIMESTAMP '2024-01-01 00:00:00', 'x')")
	got := b.run()
	if len(got) != 1 || gjson.Get(got[0], "more").String() != "x" {
		t.Fatalf("after ADD COLUMN: got the events %v, want one with more = x", got)
	}
	// The same columns in another order, and one of another type.
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT ts, more, name, CAST(id AS DECIMAL(20,0)) AS id FROM %t")
	b.wantEvents()
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT ts, id, name AS title FROM %t",
		"INSERT INTO %t VALUES (TIMESTAMP '2024-01-01 01:00:00', 3, 'c')")
	got = b.run()
	if len(got) != 1 || gjson.Get(got[0], "title").String() != "c" {
		t.Fatalf("after a column was renamed: got the events %v, want one with title = c", got)
	}
	sent := len(b.sink.events)
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT id, title FROM %t")
	if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeInvalid) || attributeOf(err) != "timestamp_column" || len(b.sink.events) != sent {
		t.Fatalf("without the timestamp column: got the error %v and %d events, want one of timestamp_column and no event",
			err, len(b.sink.events)-sent)
	}
}

// A column that is NULL is part of the event, as null, and not left
// out: the platform tells "no value" from "not sent".
func TestNullColumnsArePartOfTheEvent(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Shared(t), "id BIGINT, name STRING, amount DECIMAL(10,2), ts TIMESTAMP")
	b.exec("INSERT INTO %t VALUES (1, NULL, NULL, TIMESTAMP '2024-01-01 00:00:00')")
	want := []string{`{"id":1,"name":null,"amount":null,"ts":"2024-01-01T00:00:00.000000Z"}`}
	if got := b.run(); !slices.Equal(got, want) {
		t.Errorf("got the events %v, want %v", got, want)
	}
}
