package acceptance

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// commandLine runs a command line on the store, in the configuration's
// environment.
func (w *workspace) commandLine(args ...string) (string, int) {
	w.t.Helper()
	binary, err := providerBinary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := w.command(w.t.Context())
	by := exec.CommandContext(w.t.Context(), binary, append(args, "-data-dir", w.dataDir)...)
	by.Dir, by.Env = w.dir, cmd.Env
	return w.run(by)
}

// dryRun returns the dry run of a job from the command line.
func (w *workspace) dryRun(job string) jobs.DryRun {
	w.t.Helper()
	text, code := w.commandLine("run", "--dry-run", "-json", job)
	var d jobs.DryRun
	if err := json.Unmarshal([]byte(text), &d); code != 0 || err != nil {
		w.t.Fatalf("run --dry-run %s gave %d, %v:\n%s", job, code, err, text)
	}
	return d
}

// stateOf returns what a dry run must not change: the cursor, the events, the
// runs and the tables.
func (w *workspace) stateOf(key, db string) any {
	w.t.Helper()
	opened, err := store.Open(w.t.Context(), store.Location{Dir: w.dataDir}, false)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = opened.Close() }()
	cursor, err := opened.CursorDocument(w.t.Context(), key)
	if err != nil || cursor == nil {
		w.t.Fatalf("no cursor of %q: %v", key, err)
	}
	return []any{string(cursor), len(w.events("s")), len(w.runs()), w.sandbox.Query(w.t, "SHOW TABLES IN main."+db)}
}

var readsOnly = regexp.MustCompile(`(?i)^\s*(SELECT|SHOW|DESCRIBE|DESC|SET|USE)\b`)

func TestDryRunPredictsTheRunAndChangesNothing(t *testing.T) {
	t.Parallel()
	only(t, "the store is not a directory that the test can read", embedded, oneRunner)
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := people(t, s, db, 700)
	s.Exec(t, fmt.Sprintf("CREATE VIEW main.%s.seen AS SELECT * FROM %s", db, table))
	hcl := providerHCL + authorizationHCL + importHCL(db, "people", "depends_on = [lytics_mapping.m]") +
		fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}, "email": {"string", "email"}}) + exportHCL(db, "everyone", "FILTER *", "")
	view := strings.NewReplacer(`"i" {`, `"v" {`, `= "s"`, `= "of_view"`, `"import"`, `"view"`).Replace(importHCL(db, "seen", ""))
	w := newWorkspace(t, s, hcl+view)
	w.apply()

	// Three new rows, one late row, one row without a timestamp, one future row.
	const latest = "timestamp_micros(1700000099000099)" // the last timestamp of people with 700 rows
	s.Exec(t, fmt.Sprintf(`INSERT INTO %s
		SELECT 1000 + id, 'new', %[2]s + INTERVAL 1 HOUR FROM range(3) UNION ALL
		SELECT 2000, 'late', %[2]s - INTERVAL 1 SECOND UNION ALL
		SELECT 2001, 'never', CAST(NULL AS TIMESTAMP) UNION ALL
		SELECT 2002, 'someday', current_timestamp() + INTERVAL 1 DAY`, table, latest))
	all, err := w.api().Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := ""
	for _, j := range all {
		if j.Label == "import" {
			key = jobs.Key(s.Host, j.JobSpec)
		}
	}
	before := w.stateOf(key, db)
	imported, viewed, exported := w.dryRun("import"), w.dryRun("view"), w.dryRun("export")
	if after := w.stateOf(key, db); !reflect.DeepEqual(before, after) {
		t.Errorf("a dry run changed\n%v to\n%v", before, after)
	}
	asked := 0
	for _, st := range s.Statements(t) {
		if strings.Contains(st.Tags, "dry-run") && strings.Contains(st.Text, db) {
			asked++
			if !readsOnly.MatchString(st.Text) {
				t.Errorf("a dry run sent %s", st.Text)
			}
		}
	}
	if asked == 0 {
		t.Error("the sandbox received no statement of a dry run")
	}

	if r := imported.Reads; r.Rows != 3 || r.RowsNull != 1 || r.RowsFuture != 1 || !strings.HasPrefix(r.Snapshot, "version ") || r.Late == nil || r.Late.New == nil || *r.Late.New != 1 {
		t.Errorf("the import would read %+v", r)
	}
	if imported.Writes.Stream != "s" || imported.Writes.Rows != 4 || len(imported.Notes) != 2 {
		t.Errorf("the import would write %+v, %q", imported.Writes, imported.Notes)
	}
	if len(viewed.Statements) == 0 || !strings.HasPrefix(viewed.Statements[0], "CREATE TEMPORARY TABLE") || viewed.Reads.Rows != 3 {
		t.Errorf("the import of a view would read %+v by %q", viewed.Reads, viewed.Statements)
	}
	rows := int64(700)
	want := jobs.DryRunWrites{Table: "main." + db + ".lytics_user_everyone", Staging: exported.Writes.Staging, Exists: true, Ours: true,
		InPlace: true, Rows: rows, RowsBefore: &rows,
		Columns: []jobs.DryRunColumn{{Name: "email", Type: "STRING"}, {Name: "id", Type: "STRING"}}}
	if !reflect.DeepEqual(exported.Writes, want) || exported.Reads.Rows != 700 {
		t.Errorf("the export would write\n%+v, want\n%+v", exported.Writes, want)
	}
	for _, d := range []jobs.DryRun{imported, viewed, exported} {
		if text := strings.Join(append(d.Statements, d.Notes...), "\n"); strings.Contains(text, s.S3SecretKey) || strings.Contains(text, s.Token) {
			t.Errorf("a secret is in\n%s", text)
		}
	}

	if text, code := w.commandLine("run", "import"); code != 0 {
		t.Fatalf("the run gave %d:\n%s", code, text)
	}
	run := w.runs()[0]
	if run.RowsWritten != imported.Writes.Rows || run.Snapshot != imported.Reads.Snapshot {
		t.Errorf("the run wrote %d of %s, the dry run said %d of %s", run.RowsWritten, run.Snapshot, imported.Writes.Rows, imported.Reads.Snapshot)
	}
	if again := w.dryRun("import"); again.Reads.Rows != 0 || again.Writes.Rows != 0 || again.Reads.Late != nil && again.Reads.Late.New != nil && *again.Reads.Late.New != 0 {
		t.Errorf("after the run: %+v", again)
	}
}
