package importer_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 71: a source whose history the warehouse refuses to read, for whatever
// reason, is copied. The classes are those of Databricks' documentation for masked,
// shared and foreign tables; the last message has none.
func TestSourceWhoseHistoryIsRefusedIsCopied(t *testing.T) {
	t.Parallel()
	for _, message := range []string{
		"[ROW_LEVEL_SECURITY_COLUMN_MASK_FEATURE_NOT_SUPPORTED.DESCRIBE_HISTORY] Reading commit history is not supported. SQLSTATE: 0A000",
		"[DELTA_CANNOT_DESCRIBE_VIEW_HISTORY] Cannot describe the history of a view. SQLSTATE: 42809",
		"[DS_TIME_TRAVEL_NOT_PERMITTED] Time travel query is not permitted. SQLSTATE: 0AKDC",
		"[UC_COMMAND_NOT_SUPPORTED.WITHOUT_RECOMMENDATION] The command is not supported in Unity Catalog. SQLSTATE: 0AKUC",
		"[COMMAND_NOT_APPLICABLE_TO_TABLE] The command cannot be applied to this table. SQLSTATE: 42809",
		"this relation keeps no versions",
	} {
		t.Run(strings.FieldsFunc(message, func(r rune) bool { return r == '[' || r == ']' })[0], func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t)
			b := newFixture(t, s, threeColumns)
			b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000000) FROM range(100)")
			s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "DESCRIBE HISTORY", Message: message, Times: -1})
			b.run()
			b.wantEachRowOnce(100)
			b.exec("INSERT INTO %t VALUES (100, 'late', timestamp_micros(1700000050000000)), (101, 'new', timestamp_micros(1700000500000000))")
			b.wantEvents(100, 101)
			b.wantEvents()
		})
	}
}

// A missing permission and a missing table are errors, and no reason for a copy.
func TestRefusedPermissionIsNoReasonForACopy(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s, threeColumns)
	b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id) FROM range(3)")
	s.SetFault(t, sandboxtest.Fault{Kind: "statement_error", Match: "DESCRIBE HISTORY",
		Message: "[INSUFFICIENT_PERMISSIONS] User does not have SELECT on Table. SQLSTATE: 42501"})
	if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeForbidden) {
		t.Errorf("got the error %v, want one with code %s", err, jobs.CodeForbidden)
	}
	b.exec("DROP TABLE %t")
	if err := b.runOnce(); !jobs.IsCode(err, jobs.CodeInvalid) {
		t.Errorf("a missing table: got the error %v, want one with code %s", err, jobs.CodeInvalid)
	}
}

// checklist 71: a table that gets a mask between two runs, or while a version of it is
// pinned, is copied from then on; no row is sent twice.
func TestTableThatGetsAMaskIsCopiedFromThenOn(t *testing.T) {
	if sandboxtest.Spark() {
		t.Skip("LEFT OUT: Spark has no masks; make test runs it")
	}
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s, threeColumns)
	b.exec("INSERT INTO %t SELECT id, 'x', timestamp_micros(1700000000000000 + id * 1000000) FROM range(100)")
	b.run()
	b.exec("ALTER TABLE %t ALTER COLUMN name SET MASK main.policies.hide",
		"INSERT INTO %t VALUES (100, 'late', timestamp_micros(1700000050000000)), (101, 'new', timestamp_micros(1700000500000000))")
	b.wantEvents(100, 101)
	b.wantEvents()
	b.exec("ALTER TABLE %t ALTER COLUMN name DROP MASK", "INSERT INTO %t VALUES (102, 'new', timestamp_micros(1700000600000000))")
	b.wantEvents(102)

	// A run dies after it pinned a version; the mask comes before its next attempt.
	other := newFixtureOf(b)
	other.sink.before = func() error { return errors.New("stopped") }
	if err := other.runOnce(); err == nil {
		t.Fatal("got no error, want the one of the sink")
	}
	other.sink.before = nil
	b.exec("ALTER TABLE %t ALTER COLUMN name SET MASK main.policies.hide")
	other.run()
	other.wantEachRowOnce(103)
}
