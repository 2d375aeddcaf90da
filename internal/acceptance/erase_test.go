package acceptance

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// A user who was erased on the command line is in no stream and no later
// export, and does not return when the row changes in Databricks.
func TestErasedUserDoesNotReturn(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	table := people(t, s, db, 100)
	hcl := func(n string) string {
		triggers := `triggers = { n = "` + n + `" }`
		return providerHCL + authorizationHCL + importHCL(db, "people", triggers+"\n  depends_on = [lytics_mapping.m]") +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}, "email": {"string", "email"}}) + exportHCL(db, "everyone", "FILTER *", triggers)
	}
	w := newWorkspace(t, s, hcl("1"))
	w.apply()
	count := func(where string) string {
		return s.Query(t, "SELECT count(*) FROM main."+db+".lytics_user_everyone WHERE "+where)[0][0]
	}
	if n := count("id = '5'"); n != "1" {
		t.Fatalf("exported %s times before", n)
	}

	binary, err := providerBinary()
	if err != nil {
		t.Fatal(err)
	}
	erase := func(more ...string) string {
		cmd := exec.CommandContext(t.Context(), binary, append([]string{"erase", "--data-dir", w.dataDir, "--identifier", "id=5"}, more...)...)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return string(text)
	}
	if text := erase(); !strings.Contains(text, "s: 1 events") || !strings.Contains(text, "Nothing was removed") {
		t.Errorf("the dry run says\n%s", text)
	}
	if text := erase("--yes"); !strings.Contains(text, "Erased") {
		t.Errorf("erase says\n%s", text)
	}
	if n := len(w.events("s")); n != 99 {
		t.Errorf("%d events", n)
	}
	w.wantNoChanges()

	// The rows of the erased user and of another user change, and all jobs run
	// again.
	s.Exec(t, "UPDATE "+table+" SET email = concat('new', id), ts = timestamp_micros(1710000000000000) WHERE id IN (5, 6)")
	w.file("main.tf", hcl("2"))
	w.apply()
	if got := count("true") + " " + count("id = '5'") + " " + count("email = 'new6'"); got != "99 0 1" {
		t.Errorf("exported, of the user, of another: %s", got)
	}
	job, _ := w.state("lytics_databricks_table_import.i")["id"].(string)
	runs, err := w.api().ListRuns(t.Context(), jobs.RunFilter{JobID: job, Limit: 1})
	if err != nil || len(runs) != 1 || runs[0].RowsErased != 1 || runs[0].RowsWritten != 1 {
		t.Errorf("the run says %+v, %v", runs, err)
	}
	if n := len(w.events("s")); n != 100 {
		t.Errorf("%d events", n)
	}
}
