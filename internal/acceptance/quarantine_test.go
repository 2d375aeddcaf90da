package acceptance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// checklist 66: of 10,000 rows one is rejected by Lytics without a reason. The others
// are sent once each, the run fails after its cursor has moved, and three more runs
// change nothing. Then the row is accepted, and is sent again on request.
func TestOneRejectedRowOfTenThousand(t *testing.T) {
	t.Parallel()
	only(t, "the platform is part of the runner's configuration; make test runs it embedded", embedded)
	account, err := lyticstest.New(lyticstest.Options{Token: lyticsToken})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	const poison = "canary-poison-5b1"
	account.RejectEventsWith(poison)
	s := sandboxtest.Shared(t)
	db := database(t, s)
	s.Exec(t, "CREATE TABLE main."+db+".rows (id BIGINT, text STRING, ts TIMESTAMP)",
		"INSERT INTO main."+db+".rows SELECT id, CASE WHEN id = 7000 THEN '"+poison+"' ELSE 'a' END, timestamp_micros(1700000000000000 + id) FROM range(10000)")
	hcl := func(extra string) string {
		return `provider "lytics" {
  platform = {
    lytics = {
      api_url  = "` + account.APIURL + `"
      bulk_url = "` + account.BulkURL + `"
    }
  }
}
` + authorizationHCL + importHCL(db, "rows", `key_columns = ["id"]`+"\n  "+extra)
	}
	w := newWorkspace(t, s, hcl(""))
	w.env["LYTICS_API_TOKEN"], w.env["LYTICS_API_URL"], w.env["LYTICS_BULK_URL"] = lyticsToken, account.APIURL, account.BulkURL
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "The platform rejected 1 row of this run, and max_rejected is 0", "Lytics rejected the event and gives no reason", "quarantine list --job")
	if strings.Contains(text, poison) {
		t.Errorf("the error has customer data:\n%s", text)
	}
	wantArrived := func(when string, want int) {
		t.Helper()
		events, err := account.Events(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, e := range events {
			_, id, _ := strings.Cut(e, `"_event_id":"`)
			id, _, _ = strings.Cut(id, `"`)
			ids[id] = true
		}
		if len(events) != want || len(ids) != want {
			t.Errorf("%s: %d events with %d ids arrived, want %d", when, len(events), len(ids), want)
		}
	}
	wantQuarantine := func(when string) {
		t.Helper()
		list, code := w.commandLine("quarantine", "list", "--json", "--data")
		if code != 0 || strings.Count(list, "\n") != 1 || !strings.Contains(list, `"key":"{\"id\":7000}"`) || !strings.Contains(list, poison) {
			t.Errorf("%s: quarantine list exits with %d:\n%s", when, code, list)
		}
	}
	wantArrived("after the first run", 9999)
	wantQuarantine("after the first run")
	for n := range 3 {
		w.file("main.tf", hcl(fmt.Sprintf("triggers = { run = \"%d\" }", n)))
		w.apply()
	}
	wantArrived("after three more runs", 9999)
	wantQuarantine("after three more runs")
	runs := w.runs()
	if len(runs) != 4 || runs[3].RowsRejected != 1 || runs[3].RowsWritten != 9999 {
		t.Fatalf("the runs are %+v, want 4", runs)
	}
	for _, r := range runs[:3] {
		if r.RowsWritten != 0 || r.RowsRejected != 0 || r.PossiblyDuplicated != 0 {
			t.Errorf("a later run counts %+v, want nothing written or rejected", r.Counts)
		}
	}
	w.wantNoChanges()

	if text, code := w.commandLine("quarantine", "resend", "--job", "import"); code != 1 || !strings.Contains(text, "another platform") {
		t.Errorf("without the Lytics account, resend exits with %d: %s", code, text)
	}
	for _, c := range []struct{ says, when string }{{"1 rejected again", "while Lytics rejects it"}, {"1 accepted", "when Lytics accepts it"}} {
		if text, code := w.commandLine("quarantine", "resend", "--job", "import", "--lytics"); code != 0 || !strings.Contains(text, c.says) {
			t.Errorf("%s, resend exits with %d: %s", c.when, code, text)
		}
		account.RejectEventsWith("")
	}
	wantArrived("after the row was sent again", 10000)
	if list, code := w.commandLine("quarantine", "list"); code != 0 || !strings.Contains(list, "0 rejected rows are in quarantine") {
		t.Errorf("at the end, quarantine list exits with %d: %s", code, list)
	}
	if wrong := account.Wrong(); len(wrong) != 0 {
		t.Errorf("requests that are not as documented: %v", wrong)
	}
}
