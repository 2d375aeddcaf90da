package acceptance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The attributes of an export reach the warehouse, and change in place.
// checklist 34
func TestExportFormatTypesAndScratchSchema(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 50)
	s.Exec(t, "CREATE SCHEMA main."+db+"_scratch")
	hcl := func(n int, extra string) string {
		return providerHCL + authorizationHCL + importHCL(db, "people", "depends_on = [lytics_mapping.m]") +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}, "email": {"string", "email"}}) +
			exportHCL(db, "everyone", "FILTER *", fmt.Sprintf("triggers = { n = %d }\n  fields = [\"id\", \"email\"]\n  %s", n, extra))
	}
	target := "main." + db + ".lytics_user_everyone"
	w := newWorkspace(t, s, hcl(1, ""))
	w.apply()
	for n, step := range []struct{ attributes, statement, idType string }{
		{"", "FILEFORMAT = CSV FILES = ('part-00000.csv.gz')", "STRING"},
		{`compression = "none"`, "FILEFORMAT = CSV FILES = ('part-00000.csv')", "STRING"},
		{`format = "parquet"`, "FILEFORMAT = PARQUET FILES = ('part-00000.parquet')", "STRING"},
		{"format = \"parquet\"\n  compression = \"gzip\"\n  scratch_schema = \"main." + db + "_scratch\"", "COPY INTO `main`.`" + db + "_scratch`.`lytics_load_", "STRING"},
		{`column_types = "inferred"`, "'inferSchema' = 'true'", "INT"},
		{"", "FILEFORMAT = CSV FILES = ('part-00000.csv.gz')", "STRING"},
	} {
		s.ForgetStatements(t)
		w.file("main.tf", hcl(n+2, step.attributes))
		w.apply()
		w.wantNoChanges()
		found := false
		for _, st := range s.Statements(t) {
			found = found || strings.HasPrefix(st.Text, "COPY INTO") && strings.Contains(st.Text, step.statement)
		}
		if !found {
			t.Errorf("%q: no statement with %s", step.attributes, step.statement)
		}
		got := s.Query(t, fmt.Sprintf("SELECT full_data_type FROM main.information_schema.columns WHERE table_schema = '%s' AND table_name = 'lytics_user_everyone' AND column_name = 'id'", db))
		if count := s.Query(t, "SELECT count(*) FROM "+target); count[0][0] != "50" || strings.ToUpper(got[0][0]) != step.idType {
			t.Errorf("%q: %s rows, id is %s", step.attributes, count[0][0], got[0][0])
		}
		wantNothingLeft(t, s, db)
	}
	// Contradicting settings are refused at plan time, at the attribute.
	for attributes, part := range map[string]string{
		`compression = "zstd"`:                                "compression",
		"format = \"parquet\"\n  column_types = \"inferred\"": "column_types",
		`format = "xlsx"`:                                     "format",
		`scratch_schema = "scratch"`:                          "catalog.database",
	} {
		w.file("main.tf", hcl(7, attributes))
		if text, code := w.plan(); code != 1 || !strings.Contains(flatten(text), part) {
			t.Errorf("%q: plan gave %d:\n%s", attributes, code, text)
		}
	}
}

// An export without a bucket stages its files in a Unity Catalog volume, with
// the token of the authorization.
func TestAnExportThroughAVolume(t *testing.T) {
	t.Parallel()
	only(t, "the runner's configuration file sets the staging, and package config tests it", embedded)
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 50)
	hcl := func(volume string) string {
		return strings.Replace(providerHCL, "{}", "{\n  staging = { volume = { catalog = \"main\", schema = \"default\", volume = \""+volume+"\" } }\n}", 1) +
			authorizationHCL + importHCL(db, "people", "depends_on = [lytics_mapping.m]") +
			fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}}) + exportHCL(db, "everyone", "FILTER *", "")
	}
	w := newWorkspace(t, s, hcl("nowhere"))
	for name := range w.env {
		if strings.HasPrefix(name, "LYTICS_STAGING_S3_") {
			delete(w.env, name)
		}
	}
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply gave %d:\n%s", code, text)
	}
	wantError(t, text, "The staging volume was not found", "create the volume")
	w.file("main.tf", hcl("staging"))
	w.apply()
	if got := s.Query(t, "SELECT count(*) FROM main."+db+".lytics_user_everyone"); got[0][0] != "50" {
		t.Errorf("%v rows", got)
	}
	w.wantNoChanges()
	wantNothingLeft(t, s, db)
}
