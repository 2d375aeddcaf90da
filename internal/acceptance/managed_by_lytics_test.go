package acceptance

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// lyticsAccount is a stand-in for Lytics whose jobs do their work at once.
func lyticsAccount(t *testing.T) *lyticstest.Server {
	t.Helper()
	account, err := lyticstest.New(lyticstest.Options{Token: lyticsToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
		if wrong := account.Wrong(); len(wrong) != 0 {
			t.Errorf("requests that are not as documented: %v", wrong)
		}
	})
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
			}
			for id, j := range account.Jobs() {
				if j["status"] != "running" {
					continue
				}
				end, wake := "completed", time.Time{}
				if config := j["config"].(map[string]any); config["continuous_update"] == true {
					end, wake = "sleeping", time.Now().Add(time.Hour)
				}
				account.FinishRun(id, end, wake)
			}
		}
	}()
	return account
}

// newLyticsWorkspace is a workspace whose platform is an account.
func newLyticsWorkspace(t *testing.T, s *sandboxtest.Sandbox, account *lyticstest.Server, hcl string) *workspace {
	t.Helper()
	block, own := providerHCL, fmt.Sprintf("platform: {lytics: {api_url: %q, bulk_url: %q}}\n", account.APIURL, account.BulkURL)
	if deployment() == embedded {
		block, own = fmt.Sprintf("provider \"lytics\" {\n  platform = {\n    lytics = {\n      api_url  = %q\n      bulk_url = %q\n    }\n  }\n}\n",
			account.APIURL, account.BulkURL), ""
	}
	w := newWorkspace(t, s, hcl)
	w.file("provider.tf", block)
	w.runnerConfig = own
	w.env["LYTICS_API_TOKEN"] = lyticsToken
	return w
}

const (
	warehouseCanary = "canary-warehouse-51aa" // #nosec G101 -- a test's

	lyticsAuthorizationHCL = `
resource "lytics_databricks_authorization" "lytics" {
  label            = "warehouse in Lytics"
  host             = "dbc-1.cloud.databricks.com"
  http_path        = "/sql/1.0/warehouses/1"
  token_wo         = var.token
  token_wo_version = 1
  managed_by       = "lytics"
}
`
	lyticsJobsHCL = `
resource "lytics_databricks_table_import" "customers" {
  label            = "customers"
  description      = "%s"
  authorization_id = lytics_databricks_authorization.lytics.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
  since_timestamp  = "2026-01-02 03:04:05"
  managed_by       = "lytics"
  %s
}

resource "lytics_audience" "vip" {
  name   = "VIP"
  slug   = "vip"
  filter = "FILTER *"
}

resource "lytics_databricks_audience_export" "vip" {
  label            = "vip"
  authorization_id = lytics_databricks_authorization.lytics.id
  audience_id      = lytics_audience.vip.id
  catalog          = "main"
  database         = "sales"
  managed_by       = "lytics"

  schedule = {
    frequency   = "weekly"
    day_of_week = "friday"
    time_of_day = "06:00"
    timezone    = "Europe/Berlin"
  }
}

data "lytics_jobs" "all" {
  depends_on = [lytics_databricks_table_import.customers, lytics_databricks_audience_export.vip]
}

output "statuses" {
  value = join(" ", [for j in data.lytics_jobs.all.jobs : "${j.label}:${j.managed_by}:${j.lytics_log == null ? 0 : length(j.lytics_log)}"])
}
`
)

// lyticsJob gives the only job of a name that is not killed.
func lyticsJob(t *testing.T, account *lyticstest.Server, name string) map[string]any {
	t.Helper()
	var found map[string]any
	for _, j := range account.Jobs() {
		if j["name"] == name && j["deleted"] != true {
			if found != nil {
				t.Fatalf("got two jobs %q, want one", name)
			}
			found = j
		}
	}
	if found == nil {
		t.Fatalf("got no job %q, want one", name)
	}
	return found
}

// The authorization, the import and the export of the forms of Lytics, from their
// creation to their end.
func TestLyticsExecutesWhatTerraformDeclares(t *testing.T) {
	t.Parallel()
	account := lyticsAccount(t)
	hcl := func(description, more string) string {
		return lyticsAuthorizationHCL + fmt.Sprintf(lyticsJobsHCL, description, more)
	}
	w := newLyticsWorkspace(t, &sandboxtest.Sandbox{}, account, hcl("first", ""))
	w.env["TF_VAR_token"] = warehouseCanary

	w.file("main.tf", hcl("first", `where = "id > 5"`))
	text, code := w.plan()
	if code != 1 {
		t.Fatalf("plan with where exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "Lytics has no where", `where = "id > 5"`)

	w.file("main.tf", hcl("first", ""))
	w.apply()
	run, _ := w.state("lytics_databricks_table_import.customers")["last_run"].(map[string]any)
	if run["status"] != string(jobs.StatusSucceeded) {
		t.Errorf("got last run %v, want it to have succeeded", run)
	}
	// The export has a schedule, so that the apply starts it and does not wait for its end.
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for lyticsJob(t, account, "vip")["status"] != "sleeping" {
		<-tick.C
	}
	w.apply()
	if got, want := w.output("statuses"), "customers:lytics:2 vip:lytics:2"; got != want {
		t.Errorf("got statuses %q, want %q", got, want)
	}
	w.wantNoChanges()
	for _, config := range account.AuthConfigs() {
		if config["token"] != warehouseCanary {
			t.Errorf("got config %v in Lytics, want the token", config)
		}
	}

	// Somebody changes the import in Lytics.
	id := fmt.Sprint(lyticsJob(t, account, "customers")["id"])
	account.ChangeJob(id, func(attributes, config map[string]any) {
		attributes["tag"], config["database"], attributes["description"] = "mine", "sales", "changed by hand"
	})
	if text, code := w.plan(); code != 2 || !strings.Contains(text, "changed by hand") {
		t.Errorf("plan exits with %d, want 2 and the change in Lytics:\n%s", code, text)
	}
	w.file("main.tf", hcl("second", `record_timestamp_column = "seen_at"`))
	w.apply()
	after := lyticsJob(t, account, "customers")
	if config := after["config"].(map[string]any); after["description"] != "second" || after["tag"] != "mine" || after["id"] != id ||
		config["record_timestamp"] != "seen_at" || config["since_date"] != "2026-01-02 03:04:05" {
		t.Errorf("got job %v, want the same job with the new definition and its tag", after)
	}
	w.wantNoChanges()

	// The state forgets the import, and takes it over again.
	const address = "lytics_databricks_table_import.customers"
	if text, code := w.terraform("state", "rm", address); code != 0 {
		t.Fatal(text)
	}
	if text, code := w.terraform("import", "-input=false", address, jobs.LyticsIDPrefix+id); code != 0 {
		t.Fatal(text)
	}
	w.wantNoChanges()

	if text, code := w.terraform("destroy", "-auto-approve", "-input=false", "-no-color"); code != 0 {
		t.Fatal(text)
	}
	for _, j := range account.Jobs() {
		if j["deleted"] != true {
			t.Errorf("got job %v after destroy, want it killed", j)
		}
	}
	if got := len(account.AuthConfigs()); got != 0 {
		t.Errorf("got %d authorizations in Lytics after destroy, want none", got)
	}
	w.wantSecretNowhere(lyticsToken)
	w.wantSecretNowhere(warehouseCanary)
}

// An import of this provider moves to Lytics and back, as an update in place.
func TestAnImportMovesToLyticsAndBack(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	account := lyticsAccount(t)
	db := database(t, s)
	people(t, s, db, 100)
	common := authorizationHCL + lyticsAuthorizationHCL
	in := func(authorization, more string) string {
		return common + strings.Replace(importHCL(db, "people", more), "lytics_databricks_authorization.w.id",
			"lytics_databricks_authorization."+authorization+".id", 1)
	}
	w := newLyticsWorkspace(t, s, account, in("w", ""))
	w.apply()
	const address = "lytics_databricks_table_import.i"
	id := w.state(address)["id"]

	w.file("main.tf", in("lytics", `managed_by = "lytics"`))
	text := w.apply()
	// The watermark is the timestamp of the last row, 1700000000 + 14 s + 14 µs.
	wantError(t, text, "moves from this provider to Lytics", "2023-11-14 22:13:34", "0 added, 1 changed, 0 destroyed")
	if config := lyticsJob(t, account, "import")["config"].(map[string]any); config["since_date"] != "2023-11-14 22:13:34" {
		t.Errorf("got config %v, want since_date at the watermark's second", config)
	}
	w.wantNoChanges()

	w.file("main.tf", in("w", ""))
	text, code := w.plan()
	if code != 1 {
		t.Errorf("plan without since_timestamp exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "since_timestamp is missing for the move from Lytics")
	w.file("main.tf", in("w", "since_timestamp = \"2023-11-14 22:13:33\"\n  triggers = { moved = \"back\" }"))
	wantError(t, w.apply(), "moves from Lytics to this provider", "0 added, 1 changed, 0 destroyed")
	w.wantNoChanges()
	if now := w.state(address)["id"]; now != id {
		t.Errorf("got id %v after the moves, want %v", now, id)
	}
	run, _ := w.state(address)["last_run"].(map[string]any)
	if fmt.Sprint(run["rows_written"]) != "9" { // 91 to 99 are later than 22:13:33
		t.Errorf("got %v rows written by the run after the move, want 9", run["rows_written"])
	}
	for _, j := range account.Jobs() {
		if j["deleted"] != true {
			t.Errorf("got job %v after the move back, want it killed", j)
		}
	}
}
