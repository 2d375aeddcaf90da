package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The guide's module is fed by data sources in the first apply, and moved without a run.
func TestGuideModulesAndDataSources(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(200))
	g := openGuide(t, s, "modules-and-data-sources.md")
	s.Exec(t, "CREATE TABLE main.sales.without_time AS SELECT customer_id FROM main.sales.customers")
	g.run(0)
	g.dataDir = filepath.Join(g.root, ".lytics")
	before := len(g.runs())
	text, err := os.ReadFile(filepath.Join(g.root, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	g.write("main.tf", strings.NewReplacer(`module "sales"`, `module "tables"`, "module.sales", "module.tables").Replace(string(text)))
	g.run(0)
	g.run(0)
	g.end()
	if after := len(g.runs()); after != before || before == 0 {
		t.Errorf("got %d runs before and %d after the move, want the same ones", before, after)
	}
	g.emptyPlan(".")
}

// The guide's pipeline plans and applies with an ephemeral token, and a worker with an
// empty disk goes on with the store in PostgreSQL.
func TestGuideStagingAndProduction(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(150))
	g := openGuide(t, s, "staging-and-production.md")
	for database, rows := range map[string]int{"sales_staging": 40} {
		s.Exec(t, "CREATE SCHEMA main."+database)
		s.Exec(t, fmt.Sprintf("CREATE TABLE main.%s.customers AS SELECT * FROM main.sales.customers WHERE customer_id <= %d", database, rows))
	}
	// Secrets of the environment "staging" of CI. The events are in the bucket of the sandbox.
	g.set("LYTICS_DATABASE_URL", pgtest.URL(t))
	g.run(0)
	for _, file := range []string{"staging.plan", "terraform.tfstate"} {
		text, err := os.ReadFile(filepath.Join(g.root, "environments", "staging", file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), s.Token) {
			t.Errorf("%s has the token", file)
		}
	}
	g.run(0)
	g.run(0)
	g.run(0)
	g.end()

	// Production, with a store of its own.
	g.set("LYTICS_DATABASE_URL", pgtest.URL(t))
	if text, code := g.shell("cd ../production\nterraform init\nterraform apply"); code != 0 || !strings.Contains(text, "4 added") {
		t.Errorf("production ended with %d:\n%s", code, text)
	}
	g.emptyPlan("environments/production")
}

// What the forms of Lytics made is imported as the guide's configuration, and Lytics goes
// on executing the same job.
func TestGuideFromTheLyticsUI(t *testing.T) {
	t.Parallel()
	account := lyticsAccount(t)
	g := openGuide(t, &sandboxtest.Sandbox{Token: warehouseCanary}, "from-the-lytics-ui.md")
	for name, value := range map[string]string{
		"LYTICS_API_URL": account.APIURL, "LYTICS_BULK_URL": account.BulkURL, "LYTICS_API_TOKEN": lyticsToken,
	} {
		g.set(name, value)
	}
	// The forms: another store made the same objects, and is gone.
	for _, b := range g.blocks {
		if m := namedFile.FindStringSubmatch(b.text); m != nil && m[1] == "main.tf" {
			g.write("forms/main.tf", b.text)
		}
	}
	forms := "(cd forms && terraform init && TF_VAR_databricks_token=\"$LYTICS_DATABRICKS_TOKEN\" terraform apply)\nrm -r forms"
	if text, code := g.shell(forms); code != 0 {
		t.Fatal(text)
	}
	job := fmt.Sprint(lyticsJob(t, account, "Customers")["id"])
	g.run(0)
	g.run(0)
	for id := range account.AuthConfigs() {
		g.set("TF_VAR_authorization_in_lytics", id)
	}
	g.set("TF_VAR_job_in_lytics", job)
	g.run(0)
	g.run(0)
	g.end()
	after := lyticsJob(t, account, "Customers")
	if config := after["config"].(map[string]any); after["id"] != job || config["since_date"] != "2026-01-02 03:04:05" ||
		config["run_frequency"] != "weekly" || config["stream"] != "customers" {
		t.Errorf("got the job %v, want the same one as before, with what its form has", after)
	}
}

// The commands of the guide to troubleshooting are those of the command line.
func TestGuideTroubleshooting(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(50))
	g := openGuide(t, s, "troubleshooting.md")
	g.write("main.tf", customersHCL(s))
	if text, code := g.shell("terraform init\nterraform apply"); code != 0 {
		t.Fatal(text)
	}
	g.run(0)
	g.end()
}
