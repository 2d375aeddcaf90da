package exporter_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// errKilled stands for the end of the process: nothing is cleaned up after it.
var errKilled = errors.New("killed")

// killableStaging fails once the process is dead.
type killableStaging struct {
	exporter.Staging
	dead *bool
}

func (m killableStaging) Create(ctx context.Context, key string) (exporter.Object, error) {
	if *m.dead {
		return nil, errKilled
	}
	return m.Staging.Create(ctx, key)
}

func (m killableStaging) List(ctx context.Context, prefix string) ([]staging.Object, error) {
	if *m.dead {
		return nil, errKilled
	}
	return m.Staging.List(ctx, prefix)
}

func (m killableStaging) RemovePrefix(ctx context.Context, prefix string) error {
	if *m.dead {
		return errKilled
	}
	return m.Staging.RemovePrefix(ctx, prefix)
}

// dieBeforeReplacing runs an export up to its replacement, and leaves the files
// and tables that a process killed there would leave.
func (b *fixture) dieBeforeReplacing(p fakeAudience, change ...func(*exporter.Export)) {
	b.t.Helper()
	dead := false
	change = append(change, func(e *exporter.Export) {
		e.Staging = killableStaging{b.staging, &dead}
		e.Fence = func(context.Context) error {
			dead = true
			// The session ends with the process.
			b.sandbox.SetFault(b.t, sandboxtest.Fault{Kind: "statement_error", On: "ExecuteStatement", Match: "^DROP TABLE", Times: 1,
				Message: "[INTERNAL_ERROR] killed", SQLState: "XX000"})
			return errKilled
		}
	})
	if err := b.export(p, change...).Run(b.t.Context()); !errors.Is(err, errKilled) {
		b.t.Fatalf("got the error %v, want %v", err, errKilled)
	}
}

// checklist 31: the next run of a job removes the leftovers of its dead runs,
// but not those of other jobs, whose runs may be active.
func TestLeftoversOfDeadRunsAreRemoved(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Start(t))
	another := func(e *exporter.Export) { e.JobID = "jb_other" }
	b.dieBeforeReplacing(twoProfiles, another)
	b.dieBeforeReplacing(twoProfiles)
	left := func() (files int, tables string) {
		objects, err := b.staging.List(t.Context(), "exports")
		if err != nil {
			t.Fatal(err)
		}
		return len(objects), fmt.Sprint(b.query("SHOW TABLES IN main." + b.database))
	}
	if files, tables := left(); files != 4 || strings.Count(tables, "lytics_load_") != 2 {
		t.Fatalf("got %d files and the tables %s, want 4 files and 2 load tables", files, tables)
	}
	if err := b.export(twoProfiles).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, tables := left(); files != 2 || strings.Count(tables, "lytics_load_") != 1 {
		t.Errorf("got %d files and the tables %s, want the 2 files and the load table of the other job", files, tables)
	}
	b.run(twoProfiles, func(e *exporter.Export) { e.Owners = []string{"jb_other"} })
}

// checklist 24: a session that is lost at any statement is opened again, and
// the export continues.
func TestALostSessionIsOpenedAgain(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	statements := []string{"^SHOW TBLPROPERTIES", "^CREATE TABLE", "^COPY INTO", "^SELECT count", "^INSERT OVERWRITE", "^DROP TABLE"}
	for _, statement := range statements {
		for _, form := range []string{"exception", "status"} {
			b := newFixture(t, s)
			b.run(fakeAudience{fields: twoProfiles.fields})
			s.ClearFaults(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "session_expired", On: "ExecuteStatement", Match: statement, Form: form, Times: 1})
			if err := b.export(twoProfiles).Run(t.Context()); err != nil {
				t.Errorf("%s, as %s: got the error %v, want none", statement, form, err)
				continue
			}
			b.wantTwoProfiles()
			b.wantNoLeftovers()
		}
	}
}

// checklist 22: when the answer to the replacement is lost after it took effect, the
// table's history shows it, and it is not sent again. When it did not take effect, it
// is sent again.
func TestAReplacementWhoseAnswerIsLostIsCommittedOnce(t *testing.T) {
	t.Parallel()
	// The sandbox waits for the statement's end before it loses the answer, however
	// slow the engine is.
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-direct-wait", "2m"))
	for name, c := range map[string]struct {
		first fakeAudience
		match string
	}{
		"INSERT OVERWRITE":  {fakeAudience{fields: twoProfiles.fields}, "^INSERT OVERWRITE"},
		"CREATE OR REPLACE": {fakeAudience{fields: fields("other", "string")}, "^CREATE OR REPLACE"},
		"a new table":       {fakeAudience{}, "^CREATE OR REPLACE"},
	} {
		for form, sent := range map[string]int{"after": 1, "before": 2} {
			b := newFixture(t, s)
			if c.first.fields != nil {
				b.run(c.first)
			}
			s.ForgetStatements(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "unavailable", On: "ExecuteStatement", Match: c.match, Form: form, Times: 1})
			b.run(twoProfiles)
			b.wantTwoProfiles()
			var executed int
			for _, st := range s.Statements(t) {
				if strings.HasPrefix(st.Text, c.match[1:]) && st.Outcome != "REJECTED" {
					executed++
				}
			}
			if executed != 1 {
				t.Errorf("%s, answer lost %s it: got %d executions of %d statements, want 1", name, form, executed, sent)
			}
			writes := 0
			for _, op := range b.metadata().operations {
				if op == "WRITE" || strings.HasSuffix(op, "AS SELECT") {
					writes++
				}
			}
			want := 1
			if c.first.fields != nil {
				want = 2
			}
			if writes != want {
				t.Errorf("%s, answer lost %s it: got %d replacements in the history, want %d", name, form, writes, want)
			}
		}
	}
}

// checklist 22: where the version of the table could not be read, an older replacement with as
// many rows is not taken for the one whose answer is lost: that is sent again.
func TestAnOlderReplacementIsNotTakenForTheLostOne(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-direct-wait", "2m"))
	for _, form := range []string{"before", "after"} {
		b := newFixture(t, s)
		b.run(fakeAudience{fields: twoProfiles.fields, rows: [][]jobs.Value{row("8", "eight"), row("9", "nine")}})
		s.SetFault(t,
			sandboxtest.Fault{Kind: "statement_error", Match: "^DESCRIBE HISTORY", Times: 1,
				Message: "[UC_COMMAND_NOT_SUPPORTED] DESCRIBE HISTORY is not supported. SQLSTATE: 0AKUC"},
			sandboxtest.Fault{Kind: "unavailable", On: "ExecuteStatement", Match: "^INSERT OVERWRITE", Form: form, Times: 1})
		b.run(twoProfiles)
		b.wantTwoProfiles()
	}
}

// checklist 22 29: a COPY INTO whose answer is lost is sent again, and loads each file
// once.
func TestACopyIntoThatIsSentTwiceLoadsOnce(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for _, form := range []string{"after", "before"} {
		b := newFixture(t, s)
		s.SetFault(t, sandboxtest.Fault{Kind: "unavailable", On: "ExecuteStatement", Match: "^COPY INTO", Form: form, Times: 2})
		b.run(twoProfiles)
		b.wantTwoProfiles()
	}
}

// checklist 28 30: when the number of loaded rows is wrong, the old table stays.
func TestAPartialLoadReplacesNothing(t *testing.T) {
	t.Parallel()
	b := newFixture(t, sandboxtest.Start(t))
	b.run(twoProfiles)
	lossy := func(e *exporter.Export) {
		e.Staging = credentialWatch{b.staging, func(staging.CopyCredential) {
			// Another row count than the run has written.
			objects, err := b.staging.List(t.Context(), "exports")
			if err != nil {
				t.Error(err)
			}
			for _, o := range objects {
				if strings.Contains(o.Key, "part-") {
					w, err := b.staging.Create(t.Context(), o.Key)
					if err != nil {
						t.Error(err)
						return
					}
					if _, err = w.Write([]byte("\"7\",\"seven\"\n")); err != nil || w.Close() != nil {
						t.Error("the file could not be changed", err)
					}
				}
			}
		}}
		e.Spec.Compression = jobs.CompressionNone
	}
	err := b.export(twoProfiles, lossy).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "2 profiles were written to staging and 1 rows were loaded") {
		t.Errorf("got the error %v, want one that names both row counts", err)
	}
	b.wantTwoProfiles()
	b.wantNoLeftovers()
}

// A run succeeds when the warehouse does not acknowledge the end of its session: the
// table is replaced.
func TestFailedSessionCloseDoesNotFailTheRun(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newFixture(t, s)
	s.SetFault(t, sandboxtest.Fault{Kind: "unavailable", On: "CloseSession", Times: -1})
	err := b.export(twoProfiles).Run(t.Context())
	s.ClearFaults(t)
	if err != nil {
		t.Fatal(err)
	}
	b.wantTwoProfiles()
	b.wantNoLeftovers()
}
