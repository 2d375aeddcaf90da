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

// errKilled stands for the end of the process: nothing is tidied up after it.
var errKilled = errors.New("killed")

// mortal is a staging that stops working.
type mortal struct {
	exporter.Staging
	dead *bool
}

func (m mortal) Create(ctx context.Context, key string) (exporter.Object, error) {
	if *m.dead {
		return nil, errKilled
	}
	return m.Staging.Create(ctx, key)
}

func (m mortal) List(ctx context.Context, prefix string) ([]staging.Object, error) {
	if *m.dead {
		return nil, errKilled
	}
	return m.Staging.List(ctx, prefix)
}

func (m mortal) RemovePrefix(ctx context.Context, prefix string) error {
	if *m.dead {
		return errKilled
	}
	return m.Staging.RemovePrefix(ctx, prefix)
}

// abandon runs an export up to its replacement, as a process does that is
// killed there.
func (b *bed) abandon(p people, change ...func(*exporter.Export)) {
	b.t.Helper()
	dead := false
	change = append(change, func(e *exporter.Export) {
		e.Staging = mortal{b.staging, &dead}
		e.Fence = func(context.Context) error {
			dead = true
			// The session is gone with the process.
			b.sandbox.SetFault(b.t, sandboxtest.Fault{Kind: "statement_error", On: "ExecuteStatement", Match: "^DROP TABLE", Times: 1, Message: "[INTERNAL_ERROR] killed", SQLState: "XX000"})
			return errKilled
		}
	})
	if err := b.export(p, change...).Run(b.t.Context()); !errors.Is(err, errKilled) {
		b.t.Fatalf("got %v", err)
	}
}

// checklist 31: what a dead run left is swept by the next of the same job, and
// by nobody else: another store's job may be alive.
func TestLeftOversOfDeadRunsAreSwept(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Start(t))
	another := func(e *exporter.Export) { e.JobID = "jb_other" }
	b.abandon(two, another)
	b.abandon(two)
	left := func() (files int, tables string) {
		objects, err := b.staging.List(t.Context(), "exports")
		if err != nil {
			t.Fatal(err)
		}
		return len(objects), fmt.Sprint(b.query("SHOW TABLES IN main." + b.database))
	}
	if files, tables := left(); files != 4 || strings.Count(tables, "lytics_load_") != 2 {
		t.Fatalf("%d files, tables %s", files, tables)
	}
	if err := b.export(two).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if files, tables := left(); files != 2 || strings.Count(tables, "lytics_load_") != 1 {
		t.Errorf("%d files, tables %s", files, tables)
	}
	b.run(two, func(e *exporter.Export) { e.Owners = []string{"jb_other"} })
}

// checklist 24: a session that is lost is opened again, wherever it happens, and
// the export goes on.
func TestALostSessionIsOpenedAgain(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for _, statement := range []string{"^SHOW TBLPROPERTIES", "^CREATE TABLE", "^COPY INTO", "^SELECT count", "^INSERT OVERWRITE", "^DROP TABLE"} {
		for _, form := range []string{"exception", "status"} {
			b := newBed(t, s)
			b.run(people{fields: two.fields})
			s.ClearFaults(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "session_expired", On: "ExecuteStatement", Match: statement, Form: form, Times: 1})
			if err := b.export(two).Run(t.Context()); err != nil {
				t.Errorf("%s, as %s: %v", statement, form, err)
				continue
			}
			b.wantTwo()
			b.wantNothingLeft()
		}
	}
}

// checklist 22: the answer to the replacement is lost after it took effect: the
// table's history says so, and it is not sent again. Lost before: it is.
func TestALostAnswerToTheReplacementIsLookedUp(t *testing.T) {
	t.Parallel()
	// However slow the engine: an answer that is lost after the statement took
	// effect is not one that is lost while it is at work.
	s := sandboxtest.Start(t, sandboxtest.WithArgs("-direct-wait", "2m"))
	for name, c := range map[string]struct {
		first people
		match string
	}{
		"INSERT OVERWRITE":  {people{fields: two.fields}, "^INSERT OVERWRITE"},
		"CREATE OR REPLACE": {people{fields: fields("other", "string")}, "^CREATE OR REPLACE"},
		"a new table":       {people{}, "^CREATE OR REPLACE"},
	} {
		for form, sent := range map[string]int{"after": 1, "before": 2} {
			b := newBed(t, s)
			if c.first.fields != nil {
				b.run(c.first)
			}
			s.ForgetStatements(t)
			s.SetFault(t, sandboxtest.Fault{Kind: "unavailable", On: "ExecuteStatement", Match: c.match, Form: form, Times: 1})
			b.run(two)
			b.wantTwo()
			var executed int
			for _, st := range s.Statements(t) {
				if strings.HasPrefix(st.Text, c.match[1:]) && st.Outcome != "REJECTED" {
					executed++
				}
			}
			if executed != 1 {
				t.Errorf("%s, %s: executed %d times, of %d sent", name, form, executed, sent)
			}
			writes := 0
			for _, op := range b.told().operations {
				if op == "WRITE" || strings.HasSuffix(op, "AS SELECT") {
					writes++
				}
			}
			want := 1
			if c.first.fields != nil {
				want = 2
			}
			if writes != want {
				t.Errorf("%s, %s: %d replacements in the history, want %d", name, form, writes, want)
			}
		}
	}
}

// checklist 22 29: a COPY INTO whose answer is lost is sent again, and loads
// nothing twice.
func TestACopyThatIsSentTwiceLoadsOnce(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	for _, form := range []string{"after", "before"} {
		b := newBed(t, s)
		s.SetFault(t, sandboxtest.Fault{Kind: "unavailable", On: "ExecuteStatement", Match: "^COPY INTO", Form: form, Times: 2})
		b.run(two)
		b.wantTwo()
	}
}

// checklist 28 30: a file that disappears, a row that is not loaded: the old
// table stays.
func TestAPartialLoadReplacesNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t, sandboxtest.Start(t))
	b.run(two)
	lossy := func(e *exporter.Export) {
		e.Staging = mintWatch{b.staging, func(staging.CopyCredential) {
			// A file of the run's with a row too many, as a writer that lost count
			// would leave.
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
	err := b.export(two, lossy).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "2 profiles were written to staging and 1 rows were loaded") {
		t.Errorf("got %v", err)
	}
	b.wantTwo()
	b.wantNothingLeft()
}

// A session whose end the warehouse does not acknowledge fails no run: the table
// is in place.
func TestASessionThatCannotBeClosedFailsNothing(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	b := newBed(t, s)
	s.SetFault(t, sandboxtest.Fault{Kind: "unavailable", On: "CloseSession", Times: -1})
	err := b.export(two).Run(t.Context())
	s.ClearFaults(t)
	if err != nil {
		t.Fatal(err)
	}
	b.wantTwo()
	b.wantNothingLeft()
}
