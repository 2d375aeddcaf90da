package acceptance

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// lyticsToken is the token of the account. It must not appear in any file or
// output.
const lyticsToken = "canary-lytics-7d1e" // #nosec G101 -- a test's

// The quickstart runs against a Lytics account; only its provider block is
// different.
//
// checklist 64: an upload whose answer is lost is sent again, and the run
// reports it.
func TestQuickstartWithALyticsAccount(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	account, err := lyticstest.New(lyticstest.Options{Token: lyticsToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	const block = "provider \"lytics\" {}"
	if strings.Count(string(text), block) != 1 {
		t.Fatal("the quickstart has another provider block")
	}
	hcl, own := string(text), ""
	if deployment() != embedded {
		own = fmt.Sprintf("platform: {lytics: {api_url: %q, bulk_url: %q}}\n", account.APIURL, account.BulkURL)
	} else {
		hcl = strings.Replace(hcl, block, `provider "lytics" {
  platform = {
    lytics = {
      api_url  = "`+account.APIURL+`"
      bulk_url = "`+account.BulkURL+`"
    }
  }
}`, 1)
	}
	s := sandboxtest.Start(t, sandboxtest.WithSeed(2000))
	w := newWorkspace(t, s, hcl)
	w.runnerConfig = own
	if err := os.Remove(filepath.Join(w.dir, "versions.tf")); err != nil { // the quickstart has its own
		t.Fatal(err)
	}
	w.env["LYTICS_API_TOKEN"] = lyticsToken
	// Lytics stores the events, but its answer is lost.
	account.Inject(lyticstest.Fault{Method: "POST", Path: "/collect/", Cut: true, AfterEffect: true})
	w.apply()
	var doubled, written int64
	for _, r := range w.runs() {
		doubled += r.PossiblyDuplicated
		written += r.RowsWritten
		if r.Watermark != nil && r.RowsRead == 0 {
			t.Errorf("run %+v", r)
		}
	}
	if doubled == 0 {
		t.Error("no run reports possibly duplicated events")
	}
	sent := map[string]bool{}
	total := 0
	for stream, n := range map[string]int{"databricks_main_sales_customers": 2000, "databricks_main_sales_orders": 4000} {
		events, err := account.Events(t.Context(), stream)
		if err != nil {
			t.Fatal(err)
		}
		clear(sent)
		for _, e := range events {
			_, id, _ := strings.Cut(e, `"_event_id":"`)
			id, _, _ = strings.Cut(id, `"`)
			sent[id] = true
		}
		total += len(events)
		if len(sent) != n {
			t.Errorf("%s has %d different events of %d", stream, len(sent), n)
		}
	}
	if total != 6000+int(doubled) {
		t.Errorf("%d events arrived, and %d are said to be possibly doubled", total, doubled)
	}
	// The lifetime value uses the latest event, so duplicated events do not
	// change it.
	want := s.Query(t, `SELECT count(*) FROM main.sales.customers c
		JOIN (SELECT customer_id, max(ordered_at) AS last_order FROM main.sales.orders GROUP BY customer_id) o USING (customer_id)
		WHERE lifetime_value >= 90000 AND last_order > TIMESTAMP '2024-01-01 00:00:00'`)
	got := s.Query(t, "SELECT count(*) FROM main.sales.lytics_user_vip_customers")
	if got[0][0] != want[0][0] || got[0][0] == "0" {
		t.Errorf("the exported audience has %v profiles, the source says %v", got, want)
	}
	if text := w.apply(); !strings.Contains(text, "No changes") {
		t.Errorf("the second apply:\n%s", text)
	}
	if deployment() == embedded {
		otherAccount(t, w, account, func() string {
			return fmt.Sprint(s.Query(t, "SELECT count(*) FROM main.sales.lytics_user_vip_customers"))
		})
	}
	if wrong := account.Wrong(); len(wrong) != 0 {
		t.Errorf("requests that are not as documented: %v", wrong)
	}
	w.wantSecretNowhere(lyticsToken)
}

// Lytics builds profiles some time after it accepted the events. An export in the
// same apply waits for that, and has the profiles of the import.
func TestAnExportWaitsForTheProfilesOfItsImport(t *testing.T) {
	t.Parallel()
	account, err := lyticstest.New(lyticstest.Options{Token: lyticsToken, Switches: lyticstest.Switches{ProfileLag: 3}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 100)
	provider, own := providerHCL, ""
	if deployment() != embedded {
		own = fmt.Sprintf("platform: {lytics: {api_url: %q, bulk_url: %q}}\n", account.APIURL, account.BulkURL)
	} else {
		provider = fmt.Sprintf("provider \"lytics\" {\n  platform = { lytics = { api_url = %q, bulk_url = %q } }\n}\n", account.APIURL, account.BulkURL)
	}
	w := newWorkspace(t, s, provider+authorizationHCL+importHCL(db, "people", "depends_on = [lytics_mapping.m]")+
		fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}})+exportHCL(db, "everyone", "FILTER *", ""))
	w.runnerConfig = own
	w.env["LYTICS_API_TOKEN"] = lyticsToken
	w.apply()
	if got := s.Query(t, "SELECT count(*) FROM main."+db+".lytics_user_everyone")[0][0]; got != "100" {
		t.Errorf("the export has %s profiles, want the 100 of the import", got)
	}
	for _, r := range w.runs() {
		if r.EventsBehind != 0 {
			t.Errorf("run %s: %d events are not in profiles, want 0", r.ID, r.EventsBehind)
		}
	}
	if wrong := account.Wrong(); len(wrong) != 0 {
		t.Errorf("requests that are not as documented: %v", wrong)
	}
}

// otherAccount checks that plan and apply fail with the token of another
// account, and that neither the state nor the exported table changes.
//
// checklist 65
func otherAccount(t *testing.T, w *workspace, account *lyticstest.Server, exported func() string) {
	t.Helper()
	const own, other = "4f7b525bdba058fc096757a64f7b525b", "0123456789abcdef0123456789abcdef"
	before := exported()
	account.SetAccount(other)
	text, code := w.plan()
	if code != 1 {
		t.Errorf("plan with another account's token exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, own, other)
	// Apply only a replacement of the export, so that it would run.
	text, code = w.tryApply("-refresh=false", "-replace=lytics_databricks_audience_export.vip")
	if code != 1 {
		t.Errorf("apply with another account's token exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, own, other)
	if after := exported(); after != before {
		t.Errorf("the exported table has %s rows, before %s", after, before)
	}
	account.SetAccount(own)
	w.apply()
	w.wantNoChanges()
}

// wantSecretNowhere searches all files of a workspace.
func (w *workspace) wantSecretNowhere(secret string) {
	w.t.Helper()
	searched := 0
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		searched++
		if bytes.Contains(text, []byte(secret)) {
			w.t.Errorf("%s holds a secret", path)
		}
		return err
	})
	if err != nil || searched < 5 {
		w.t.Fatalf("the search saw too little: %d files, %v", searched, err)
	}
}
