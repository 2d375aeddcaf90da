package acceptance

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 59: of two concurrent applies of the same job on one store, one is
// refused.
func TestConcurrentAppliesOnOneDataDir(t *testing.T) {
	t.Parallel()
	const rows = 20_000
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, rows)
	hcl := providerHCL + authorizationHCL + importHCL(db, "people", "")
	a, b := newWorkspace(t, s, hcl), newWorkspace(t, s, hcl)
	b.dataDir, b.env["LYTICS_ENCRYPTION_KEY_FILE"] = a.dataDir, a.env["LYTICS_ENCRYPTION_KEY_FILE"]
	var texts [2]string
	var codes [2]int
	var wg sync.WaitGroup
	for i, w := range []*workspace{a, b} {
		w.env["LYTICS_DATA_DIR"] = a.dataDir
		wg.Go(func() { texts[i], codes[i] = w.tryApply() })
	}
	wg.Wait()
	if codes[0]+codes[1] != 1 {
		t.Fatalf("want one apply refused because the other one has the job; got %d and %d:\n%s\n%s", codes[0], codes[1], texts[0], texts[1])
	}
	for i, text := range texts {
		if codes[i] == 1 {
			wantError(t, text, "already", "import")
		}
	}
	wantEach(t, a.events("s"), rows)
	all, err := a.api().Jobs(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%d jobs, %v", len(all), err)
	}
	if runs := a.runs(); len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
}

// checklist 48 59: two aliases are two processes on one store, and ten
// concurrent jobs respect the limit of runs of one authorization.
func TestTwoAliasesAndTenJobsInOneApply(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 500)
	hcl := providerHCL + "provider \"lytics\" {\n  alias = \"other\"\n}\n" + authorizationHCL
	for i := range 10 {
		alias := ""
		if i%2 == 1 {
			alias = "provider = lytics.other"
		}
		one := strings.Replace(importHCL(db, "people", alias), `"i" {`, fmt.Sprintf(`"i%d" {`, i), 1)
		hcl += strings.Replace(one, `= "s"`, fmt.Sprintf(`= "s%d"`, i), 1)
	}
	w := newWorkspace(t, s, hcl)
	w.apply()
	runs := w.runs()
	if len(runs) != 10 {
		t.Fatalf("%d runs", len(runs))
	}
	for i := range 10 {
		wantEach(t, w.events(fmt.Sprintf("s%d", i)), 500)
	}
	for _, r := range runs {
		if r.Status != jobs.StatusSucceeded {
			t.Errorf("%+v", r)
		}
		beside := 0
		for _, o := range runs {
			if o.StartedAt.Before(*r.FinishedAt) && r.StartedAt.Before(*o.FinishedAt) && !o.StartedAt.After(*r.StartedAt) {
				beside++
			}
		}
		if beside > 2 {
			t.Errorf("%d runs were active when %s started", beside, r.ID)
		}
	}
	w.wantNoChanges()
}

// checklist 47: after an import block the plan has no changes and no job runs.
func TestImportBlocksChangeAndRunNothing(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 100)
	hcl := providerHCL + authorizationHCL + importHCL(db, "people", "triggers = { n = \"1\" }\n  depends_on = [lytics_mapping.m]") +
		fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", `triggers = { n = "1" }`)
	w := newWorkspace(t, s, hcl)
	w.apply()
	before := len(w.runs())
	var blocks strings.Builder
	for _, address := range []string{
		"lytics_databricks_authorization.w", "lytics_databricks_table_import.i", "lytics_databricks_audience_export.everyone",
		`lytics_field.f["id"]`, `lytics_mapping.m["id"]`, "lytics_audience.everyone",
	} {
		fmt.Fprintf(&blocks, "import {\n  to = %s\n  id = %q\n}\n", address, w.state(address)["id"])
	}
	again := newWorkspace(t, s, hcl)
	again.dataDir = w.dataDir
	again.env["LYTICS_DATA_DIR"], again.env["LYTICS_ENCRYPTION_KEY_FILE"] = w.dataDir, w.env["LYTICS_ENCRYPTION_KEY_FILE"]
	again.file("imports.tf", blocks.String())
	text := again.apply()
	if !strings.Contains(text, "6 imported, 0 added, 0 changed, 0 destroyed") {
		t.Fatalf("the import's apply:\n%s", text)
	}
	again.wantNoChanges()
	if after := len(again.runs()); after != before {
		t.Fatalf("the import ran %d jobs", after-before)
	}
}

// checklist 61: plan and refresh of a hundred jobs start no warehouse.
func TestPlanAndRefreshSendNothingToTheWarehouse(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 10)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", "")+fmt.Sprintf(`
resource "lytics_databricks_table_import" "many" {
  count            = %d
  label            = "import ${count.index}"
  authorization_id = lytics_databricks_authorization.w.id
  catalog          = "main"
  database         = %q
  table            = "people"
  timestamp_column = "ts"
  stream           = "s${count.index}"
  schedule         = { frequency = "daily", time_of_day = "02:30", timezone = "UTC", start_immediately = false }
}
`, manyObjects(), db))
	w.apply()
	before := len(s.Statements(t))
	if before == 0 {
		t.Fatal("the sandbox received no statement of the apply")
	}
	w.wantNoChanges()
	w.apply("-refresh-only")
	if after := len(s.Statements(t)); after != before {
		t.Fatalf("plan and refresh sent %d statements", after-before)
	}
}

// checklist 36 40: a schedule is registered and shown, and apply warns if no
// runner will execute it.
func TestScheduleIsRegisteredAndWarnsWithoutARunner(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 10)
	schedule := `schedule = {
    frequency         = "daily"
    time_of_day       = "02:30"
    timezone          = "America/New_York"
    start_immediately = false
  }`
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", schedule)+`
data "lytics_jobs" "all" {
  depends_on = [lytics_databricks_table_import.i]
}
output "next" { value = data.lytics_jobs.all.jobs[0].next_run_at }
`)
	text := w.apply()
	if deployment() == embedded {
		wantError(t, text, "Warning", "execute")
	} else if strings.Contains(text, "Nothing will execute") {
		t.Errorf("a runner is alive, and apply says\n%s", text)
	}
	if len(w.runs()) != 0 {
		t.Fatal("apply ran a scheduled job")
	}
	next, code := w.terraform("output", "-raw", "next")
	if code != 0 || !(strings.Contains(next, "T06:30:00Z") || strings.Contains(next, "T07:30:00Z")) {
		t.Fatalf("next_run_at is %q", next)
	}
	w.wantNoChanges()
}

// Destroy keeps the events and the Databricks table.
func TestDestroyKeepsEventsAndTheTable(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 100)
	hcl := providerHCL + authorizationHCL + importHCL(db, "people", "depends_on = [lytics_mapping.m]") +
		fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", "")
	w := newWorkspace(t, s, hcl)
	w.apply()
	if text, code := w.terraform("destroy", "-auto-approve", "-input=false", "-no-color"); code != 0 {
		t.Fatal(text)
	}
	wantEach(t, w.events("s"), 100)
	if n := s.Query(t, "SELECT count(*) FROM main."+db+".lytics_user_everyone"); n[0][0] != "100" {
		t.Fatalf("the table has %v rows", n)
	}
	// The same import continues where it stopped, and the export still owns the
	// table.
	w.apply()
	wantEach(t, w.events("s"), 100)
}
