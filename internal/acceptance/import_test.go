package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// people creates a table of n rows, of which up to seven have the same
// timestamp.
func people(t *testing.T, s *sandboxtest.Sandbox, db string, n int) string {
	t.Helper()
	table := "main." + db + ".people"
	s.Exec(t, "CREATE TABLE "+table+" (id BIGINT, email STRING, ts TIMESTAMP)",
		fmt.Sprintf("INSERT INTO %s SELECT id, concat('p', id, '@example.com'), timestamp_micros(1700000000000000 + (id DIV 7) * 1000001) FROM range(%d)", table, n))
	return table
}

func ids(t *testing.T, events []jobs.Event) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, e := range events {
		var row struct {
			ID json.Number `json:"id"`
		}
		if err := json.Unmarshal(e.Data, &row); err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		out[row.ID.String()]++
	}
	return out
}

func wantEach(t *testing.T, events []jobs.Event, n int) {
	t.Helper()
	got := ids(t, events)
	if len(got) != n || len(events) != n {
		t.Fatalf("got %d events of %d rows, want each of %d rows once", len(events), len(got), n)
	}
}

// checklist 1 47
func TestSecondApplyDoesNothingAndChangedTriggerImportsNewRows(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := people(t, s, db, 1000)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", `triggers = { n = "1" }`))
	w.apply()
	wantEach(t, w.events("s"), 1000)
	w.wantNoChanges()
	if text := w.apply(); !strings.Contains(text, "No changes") {
		t.Fatalf("the second apply:\n%s", text)
	}

	// Two of the five rows have the timestamp of the last row that was sent, and
	// one of the two equals a row that was sent.
	s.Exec(t, fmt.Sprintf(`INSERT INTO %s
		SELECT 1000, 'new@example.com', max(ts) FROM %[1]s UNION ALL
		SELECT 999, 'p999@example.com', max(ts) FROM %[1]s UNION ALL
		SELECT 1001, 'new@example.com', max(ts) + INTERVAL 1 MICROSECOND FROM %[1]s UNION ALL
		SELECT 1002, NULL, max(ts) + INTERVAL 1 SECOND FROM %[1]s UNION ALL
		SELECT 1003, '', max(ts) + INTERVAL 1 SECOND FROM %[1]s`, table))
	w.wantNoChanges()
	w.file("main.tf", providerHCL+authorizationHCL+importHCL(db, "people", `triggers = { n = "2" }`))
	w.apply()
	events := w.events("s")
	if len(events) != 1005 || ids(t, events)["999"] != 2 {
		t.Fatalf("%d events, row 999 %d times", len(events), ids(t, events)["999"])
	}
	last := w.state("lytics_databricks_table_import.i")["last_run"].(map[string]any)
	if last["status"] != "succeeded" || fmt.Sprint(last["rows_written"]) != "5" {
		t.Fatalf("last_run %v", last)
	}
	w.wantNoChanges()
}

// checklist 62: a table that dbt rebuilt with the same rows is not sent again.
func TestRebuiltTableIsNotSentAgain(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := people(t, s, db, 200)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", `triggers = { n = "1" }`))
	w.apply()
	s.Exec(t, "CREATE OR REPLACE TABLE "+table+" AS SELECT * FROM "+table, "INSERT OVERWRITE "+table+" SELECT * FROM "+table)
	w.file("main.tf", providerHCL+authorizationHCL+importHCL(db, "people", `triggers = { n = "2" }`))
	w.apply()
	wantEach(t, w.events("s"), 200)
}

// checklist 6 10 11
func TestNullAndFutureTimestampsAreCounted(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := "main." + db + ".people"
	s.Exec(t, "CREATE TABLE "+table+" (id BIGINT, ts TIMESTAMP)")
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", `triggers = { n = "1" }`))
	w.apply()
	if r := w.runs()[0]; r.Status != jobs.StatusSucceeded || r.RowsRead != 0 || r.Watermark != nil {
		t.Fatalf("an empty table: %+v", r)
	}
	s.Exec(t, "INSERT INTO "+table+" VALUES (1, TIMESTAMP '2024-01-01 00:00:00'), (2, NULL), (3, NULL), (4, TIMESTAMP '2999-01-01 00:00:00')")
	w.file("main.tf", providerHCL+authorizationHCL+importHCL(db, "people", `triggers = { n = "2" }`))
	w.apply()
	wantEach(t, w.events("s"), 1)
	if r := w.runs()[0]; r.RowsNull != 2 || r.RowsFuture != 1 || r.RowsWritten != 1 {
		t.Fatalf("%+v", r)
	}
}

// since_timestamp is exclusive; record_timestamp_column is the event's time.
func TestSinceIsExclusiveAndRecordTimestampIsTheEventTime(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := "main." + db + ".people"
	s.Exec(t, "CREATE TABLE "+table+" (id BIGINT, ts TIMESTAMP, made TIMESTAMP_NTZ)",
		`INSERT INTO `+table+` VALUES (1, TIMESTAMP '2024-01-01 00:00:00', NULL), (2, TIMESTAMP '2024-01-01 00:00:00.000001', TIMESTAMP_NTZ '2020-02-02 02:02:02.123456'), (3, TIMESTAMP '2024-01-02 00:00:00', NULL)`)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", `
  since_timestamp         = "2024-01-01 00:00:00"
  record_timestamp_column = "made"`))
	w.apply()
	events := w.events("s")
	wantEach(t, events, 2)
	if got := events[0].Time.Format("2006-01-02 15:04:05.000000"); got != "2020-02-02 02:02:02.123456" {
		t.Errorf("time %s", got)
	}
	if got := events[1].Time.Format("2006-01-02"); got != "2024-01-02" {
		t.Errorf("time %s", got)
	}
}

// A view has no history: the import reads a temporary copy instead of a pinned
// version.
func TestAViewIsImportedWithoutHistory(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := people(t, s, db, 50)
	s.Exec(t, fmt.Sprintf("CREATE VIEW main.%s.seen AS SELECT * FROM %s WHERE id < 40", db, table))
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "seen", ""))
	w.apply()
	wantEach(t, w.events("s"), 40)
}

// checklist 44 57: a tainted import continues from its cursor.
func TestTaintedImportContinuesFromItsCursor(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 40_000)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	s.SetFault(t, sandboxtest.Fault{Kind: "fetch_error", On: "FetchResults", Match: "lytics_digest", After: 2, Times: -1})
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("the apply succeeded:\n%s", text)
	}
	before := len(w.events("s"))
	if before == 0 || before == 40_000 {
		t.Fatalf("%d events before the failure; the test wants some", before)
	}
	s.ClearFaults(t)
	if text, code := w.plan(); code != 2 || !strings.Contains(text, "tainted") {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	w.apply()
	wantEach(t, w.events("s"), 40_000)
	if r := w.runs()[0]; r.RowsWritten != int64(40_000-before) {
		t.Errorf("the second run sent %d rows again", r.RowsWritten-int64(40_000-before))
	}
	w.wantNoChanges()
}

// checklist 58
func TestLostDataDirectoryIsAnErrorWithNextSteps(t *testing.T) {
	t.Parallel()
	only(t, "TestRunnerWithAnotherStoreIsAnError", embedded)
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 10)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	w.apply()
	before, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	away := w.dataDir + ".away"
	if err := os.Rename(w.dataDir, away); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"-refresh=false"}} {
		text, code := w.tryApply(args...)
		if len(args) == 0 && code != 1 {
			t.Fatalf("apply %v gave %d:\n%s", args, code, text)
		}
		if code != 0 {
			wantError(t, text, w.dataDir, "data_dir")
		}
	}
	after, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if err != nil || string(after) != string(before) {
		t.Fatalf("the state changed (%v)", err)
	}
	// The store of another workspace is an error too.
	other := newWorkspace(t, s, providerHCL+authorizationHCL)
	other.apply()
	if err := os.Rename(other.dataDir, w.dataDir); err != nil {
		t.Fatal(err)
	}
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply on a different store gave %d:\n%s", code, text)
	}
	wantError(t, text, "data_dir")
	if err := os.Rename(w.dataDir, w.dataDir+".other"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, w.dataDir); err != nil {
		t.Fatal(err)
	}
	w.wantNoChanges()
	wantEach(t, w.events("s"), 10)
}
