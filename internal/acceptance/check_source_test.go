package acceptance

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

const dailyHCL = `schedule = {
    frequency         = "daily"
    start_immediately = false
  }`

// A scheduled import whose table does not exist is an error of the apply, at the attribute,
// and leaves nothing. Unity Catalog answers: no statement reaches the warehouse. The plan
// asks nothing. Where the warehouse is asked, the error is the same.
func TestAScheduledImportIsCheckedAtApply(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 10)
	authorization := strings.Replace(authorizationHCL, "  token_wo ", "  check_connection = false\n  token_wo ", 1)
	misspelt := importHCL(db, "poeple", dailyHCL)
	w := newWorkspace(t, s, providerHCL+authorization+misspelt)
	s.ForgetStatements(t)
	if text, code := w.terraform("plan", "-no-color"); code != 0 {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	refused := func() {
		t.Helper()
		text, code := w.tryApply()
		if code != 1 {
			t.Fatalf("apply gave %d, want 1:\n%s", code, text)
		}
		wantError(t, text, "lytics_databricks_table_import.i", `table = "poeple"`, `Did you mean "people"?`, "check_source = false")
	}
	refused()
	if runs := w.runs(); len(runs) != 0 {
		t.Errorf("got %d runs, want none", len(runs))
	}
	if sent := s.Statements(t); len(sent) > 0 {
		t.Errorf("the check sent %d statements, the first one is %q", len(sent), sent[0].Text)
	}
	w.file("main.tf", providerHCL+authorization+importHCL(db, "people", dailyHCL))
	w.apply()
	w.wantNoChanges()
	if sent := s.Statements(t); len(sent) > 0 {
		t.Errorf("the check of a table that is there sent %d statements, the first one is %q", len(sent), sent[0].Text)
	}

	// By the warehouse.
	bySQL := strings.Replace(authorizationHCL, "  token_wo ", "  catalog_api = \"sql\"\n  token_wo ", 1)
	w.file("main.tf", providerHCL+bySQL)
	w.apply()
	w.file("main.tf", providerHCL+bySQL+misspelt)
	refused()
	s.ForgetStatements(t)
	w.file("main.tf", providerHCL+bySQL+importHCL(db, "people", dailyHCL))
	w.apply()
	var asked []string
	for _, sent := range s.Statements(t) {
		if strings.Contains(sent.Text, "information_schema") {
			asked = append(asked, sent.Text)
		}
	}
	if len(asked) != 1 {
		t.Errorf("the check asked the warehouse %q, want one statement", asked)
	}
	w.wantNoChanges()
}

// A scheduled export into a table of others is an error of the apply; without the check it
// is saved.
func TestAScheduledExportIsCheckedAtApply(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 10)
	s.Exec(t, "CREATE TABLE main."+db+".lytics_user_everyone (a INT)")
	hcl := func(more string) string {
		return providerHCL + authorizationHCL + importHCL(db, "people", "") +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", dailyHCL+more)
	}
	w := newWorkspace(t, s, hcl(""))
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "lytics_databricks_audience_export.everyone", "was not created by this export", "overwrite_existing = true", "table_name")
	w.file("main.tf", hcl("\n  check_source = false"))
	w.apply()
	w.wantNoChanges()
	w.file("main.tf", hcl("\n  overwrite_existing = true"))
	w.apply()
}
