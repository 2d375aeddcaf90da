package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// guideConfigurations are the configurations of a guide: the blocks that begin with a
// comment "# DIRECTORY/main.tf".
func guideConfigurations(t *testing.T, guide string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "templates", "guides", guide))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range regexp.MustCompile("(?s)```terraform\n# ([a-z-]+)/main.tf\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		out[m[1]] = m[2]
	}
	return out
}

// layer is a workspace with a configuration of a guide, which declares its variables
// itself.
func layer(t *testing.T, s *sandboxtest.Sandbox, hcl, db string) *workspace {
	t.Helper()
	if hcl == "" {
		t.Fatal("the guide has no such configuration")
	}
	w := newWorkspace(t, s, hcl)
	w.file("versions.tf", "terraform {\n  required_providers {\n    lytics = { source = \"terraform-provider-lytics/lytics\" }\n  }\n}\n")
	w.env["TF_VAR_database"] = db
	w.env["LYTICS_DATABRICKS_TOKEN"] = s.Token
	return w
}

// In an empty folder, one apply lists the tables of a schema and imports all of them.
// The list starts no warehouse, and makes no store.
func TestFirstApplyListsTheTablesAndImportsThem(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 7)
	for table, rows := range map[string]int{"visitors": 5, "members": 3} {
		s.Exec(t, fmt.Sprintf("CREATE TABLE main.%s.%s AS SELECT * FROM main.%s.people WHERE id < %d", db, table, db, rows))
	}
	s.ForgetStatements(t)
	w := layer(t, s, guideConfigurations(t, "two-layers.md")["first-apply"], db)
	if text, code := w.plan(); code != 2 || !strings.Contains(text, `lytics_databricks_table_import.all["visitors"]`) {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	if sent := s.Statements(t); len(sent) > 0 {
		t.Errorf("the plan sent %q", sent[0].Text)
	}
	if _, err := os.Stat(w.dataDir); deployment() == embedded && !os.IsNotExist(err) {
		t.Errorf("the plan made a store: %v", err)
	}
	w.apply()
	for table, want := range map[string]int{"people": 7, "visitors": 5, "members": 3} {
		if n := len(w.events("databricks_main_" + db + "_" + table)); n != want {
			t.Errorf("%d events of %s, want %d", n, table, want)
		}
	}
	w.wantNoChanges()
	w.wantSecretNowhere(s.Token)
}

// The layers of the guide, each with a state of its own, on one store.
func TestTwoLayers(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 9)
	guide := guideConfigurations(t, "two-layers.md")
	platform, team, reports := layer(t, s, guide["platform"], db), layer(t, s, guide["team"], db), layer(t, s, guide["reports"], db)
	for _, w := range []*workspace{team, reports} {
		w.dataDir = platform.dataDir
		w.env["LYTICS_ENCRYPTION_KEY_FILE"] = platform.env["LYTICS_ENCRYPTION_KEY_FILE"]
		w.env["LYTICS_DATA_DIR"] = platform.dataDir
	}
	platform.apply()
	team.apply()
	reports.apply()
	if got := reports.output("people"); got != "succeeded, 9 rows" {
		t.Errorf("the report is %q", got)
	}
	for _, w := range []*workspace{platform, team, reports} {
		w.wantNoChanges()
	}
	text, code := platform.terraform("destroy", "-auto-approve", "-input=false", "-no-color")
	if code != 1 {
		t.Fatalf("destroying the first layer gave %d:\n%s", code, text)
	}
	wantError(t, text, "people")
	w := reports
	w.file("main.tf", strings.Replace(guide["reports"], `label = "people"`, `label = "poeple"`, 1))
	if text, code = w.plan(); code != 1 {
		t.Fatalf("a wrong label gave %d:\n%s", code, text)
	}
	wantError(t, text, `no job with the label "poeple"`, `"people"`)
}

// A plan of the quickstart shows its counts; with a mistake it fails, at the attribute.
func TestPlanOfTheQuickstartIsChecked(t *testing.T) {
	t.Parallel()
	hcl, err := os.ReadFile(filepath.Join("..", "..", "examples", "quickstart", "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	s := sandboxtest.Start(t, sandboxtest.WithSeed(2000))
	config := strings.Replace(string(hcl), `provider "lytics" {}`, "provider \"lytics\" {\n  plan_check = true\n}", 1)
	w := newWorkspace(t, s, config)
	if err := os.Remove(filepath.Join(w.dir, "versions.tf")); err != nil {
		t.Fatal(err)
	}
	text, code := w.plan()
	if code != 2 {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	wantError(t, text, "First import of main.sales.customers into stream databricks_main_sales_customers: about 2,000 rows",
		"First import of main.sales.orders into stream databricks_main_sales_orders: about 4,000 rows", "Export of a new audience into main.sales")

	noStaging := map[string]string{}
	for k := range w.env {
		if strings.HasPrefix(k, "LYTICS_STAGING_") {
			noStaging[k] = ""
		}
	}
	for name, m := range map[string]struct {
		from, to string
		env      map[string]string
		want     []string
	}{
		"table":   {"table            = each.key", "table            = \"${each.key}x\"", nil, []string{"table = ", `"customersx"`}},
		"column":  {`timestamp_column = "updated_at"`, `timestamp_column = "changed_at"`, nil, []string{"timestamp_column = ", `"changed_at"`}},
		"staging": {"", "", noStaging, []string{"No staging is configured", "The attribute at fault is staging"}},
		"bucket":  {"", "", map[string]string{"LYTICS_STAGING_S3_BUCKET": "there-is-none"}, []string{"there-is-none", "The attribute at fault is staging"}},
		"field":   {"lifetime_value >= 90000", "lifetme_value >= 90000", nil, []string{"filter = ", `"lifetme_value"`}},
	} {
		if m.env != nil && deployment() != embedded {
			continue // the runner was started with its staging
		}
		before := map[string]string{}
		for k, v := range m.env {
			before[k] = w.env[k]
			w.env[k] = v
		}
		w.file("main.tf", strings.Replace(config, m.from, m.to, 1))
		text, code := w.plan()
		if code != 1 {
			t.Errorf("%s: plan gave %d:\n%s", name, code, text)
		}
		wantError(t, text, m.want...)
		for k, v := range before {
			w.env[k] = v
		}
	}

	w.file("main.tf", config)
	w.apply()
	w.wantNoChanges()
	s.Exec(t, "UPDATE main.sales.orders SET status = 'shipped', updated_at = TIMESTAMP'2024-05-02 08:00:00Z' WHERE order_id <= 10")
	w.file("main.tf", strings.Replace(config, "  stream           = each.value\n", "  stream           = each.value\n  triggers         = { n = 1 }\n", 1))
	text, code = w.plan()
	if code != 2 {
		t.Fatalf("plan gave %d:\n%s", code, text)
	}
	wantError(t, text, "Import of main.sales.orders into stream databricks_main_sales_orders goes on from ", "about 10 rows")
	wantFewLines(t, text)
}

// wantFewLines asserts that a changed trigger shows a handful of lines.
func wantFewLines(t *testing.T, plan string) {
	t.Helper()
	block := regexp.MustCompile(`(?s)# lytics_databricks_table_import.this\["orders"\] will be updated in-place\n(.*?)\n    }\n`).FindStringSubmatch(plan)
	if block == nil {
		t.Fatalf("the import is not updated:\n%s", plan)
	}
	if n := strings.Count(block[1], "\n"); n > 20 {
		t.Errorf("the change has %d lines:\n%s", n, block[1])
	}
}

// A preview shows the rows, the statements and the samples with the values that the
// mappings make of them, and changes nothing.
func TestPreviewShowsSamplesAndTheirProfiles(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 20)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+fieldsHCL(map[string][2]string{"id": {"string", "tostring(id)"}, "email": {"string", "toupper(email)"}})+
		fmt.Sprintf(`
data "lytics_job_preview" "p" {
  databricks = {
    host      = var.host
    port      = var.port
    http_path = var.http_path
    token_env = "LYTICS_DATABRICKS_TOKEN"
  }
  import = {
    catalog          = "main"
    database         = %q
    table            = "people"
    timestamp_column = "ts"
    stream           = "s"
  }
  sample_rows = 2
  depends_on  = [lytics_mapping.m]
}
output "preview" {
  value = nonsensitive(join("; ", concat([data.lytics_job_preview.p.summary, length(data.lytics_job_preview.p.statements) > 0 ? "SQL" : "none"],
    data.lytics_job_preview.p.columns[*].name, [for r in data.lytics_job_preview.p.samples : "${jsondecode(r.row).email} ${r.profile.id}"])))
}
`, db))
	w.env["LYTICS_DATABRICKS_TOKEN"] = s.Token
	w.apply()
	got := w.output("preview")
	if !strings.HasPrefix(got, "First import of main."+db+".people into stream s: about 20 rows; SQL; id; email; ts; ") || strings.Count(got, "; ") != 6 {
		t.Errorf("the preview is %q", got)
	}
	if runs := w.runs(); len(runs) != 0 {
		t.Errorf("%d runs", len(runs))
	}
	w.wantNoChanges()
}
