package exporter_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/exporter"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// ofOneRun matches what differs between a dry run and a run: the load table, and where the
// files are.
var ofOneRun = regexp.MustCompile("lytics_load_[^`]+|FROM 's3:[^']*'( WITH \\(.*?\\)\\))?|FILES = \\([^)]*\\)|'\\\\\\\\N[^']*'")

// writes are the statements that change something, without what differs between runs.
func writes(statements []string) (out []string) {
	for _, s := range statements {
		if !strings.HasPrefix(s, "SELECT") && !strings.HasPrefix(s, "SHOW") && !strings.HasPrefix(s, "DESCRIBE") && !strings.HasPrefix(s, "SET") {
			out = append(out, ofOneRun.ReplaceAllString(s, "..."))
		}
	}
	return out
}

// A dry run shows the statements that a run sends, whichever way the table is replaced.
func TestDryRunShowsTheStatementsOfARun(t *testing.T) {
	t.Parallel()
	named := spec(func(s *jobs.AudienceExport) { s.Fields = []string{"id", "name", "email"} })
	for name, c := range map[string]struct {
		prepare func(*fixture)
		change  func(*exporter.Export)
		want    string
		inPlace bool
	}{
		"a new table":       {func(*fixture) {}, named, "CREATE OR REPLACE TABLE", false},
		"the same columns":  {func(b *fixture) { b.run(threeColumns) }, named, "INSERT OVERWRITE", true},
		"another column":    {func(b *fixture) { b.run(twoProfiles); b.addMetadata() }, named, "CREATE OR REPLACE TABLE", false},
		"a governed table":  {(*fixture).partition, named, "ADD COLUMN `email` STRING", true},
		"a table of others": {(*fixture).partition, func(e *exporter.Export) { named(e); e.JobID, e.Spec.OverwriteExisting = "jb_new", true }, "SET TBLPROPERTIES", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newFixture(t, sandboxtest.Start(t))
			c.prepare(b)
			p, err := b.export(threeColumns, c.change).DryRun(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			b.sandbox.ForgetStatements(t)
			b.run(threeColumns, c.change)
			var sent []string
			for _, s := range b.sandbox.Statements(t) {
				if s.Operation == "EXECUTE_STATEMENT" {
					sent = append(sent, s.Text)
				}
			}
			got, want := writes(p.Statements), writes(sent)
			// Where the engine drops the clustering, the run sets it again.
			want = slices.DeleteFunc(want, func(s string) bool { return strings.Contains(s, " CLUSTER BY (") && strings.HasPrefix(s, "ALTER") })
			if !slices.Equal(got, want) {
				t.Errorf("the dry run shows\n%s\nand the run sent\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			if !strings.Contains(strings.Join(got, "\n"), c.want) || p.Writes.InPlace != c.inPlace {
				t.Errorf("got %q, in place: %t; want %q and %t", got, p.Writes.InPlace, c.want, c.inPlace)
			}
		})
	}
}

// partition creates the target with partitions, which a replacement would drop.
func (b *fixture) partition() {
	b.sandbox.Exec(b.t, "CREATE TABLE "+b.table()+" (id BIGINT, name STRING) PARTITIONED BY (name) TBLPROPERTIES ('lytics.job_id' = 'jb_test')")
}

// A dry run reports what a run would leave out of a governed table, and fails where a run
// would.
func TestDryRunOfAGovernedTable(t *testing.T) {
	t.Parallel()
	b := governed(t)
	p, err := b.export(threeColumns).DryRun(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(p.Notes, "\n"); !strings.Contains(notes, "never replaced") || !strings.Contains(notes, "The fields email are new") {
		t.Errorf("got the notes %q, want the mask and the field that is left out", notes)
	}
	_, err = b.export(fakeAudience{fields: fields("id", "string", "name", "string")}).DryRun(t.Context())
	if !jobs.IsCode(err, jobs.CodeInvalid) || !strings.Contains(err.Error(), "the column mask on name") {
		t.Errorf("got the error %v, want the one of the run", err)
	}
}
