package acceptance

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The guide leads from an empty directory to an exported audience.
func TestGuideOwnWorkspace(t *testing.T) {
	t.Parallel()
	const customers = 500
	s := sandboxtest.Start(t, sandboxtest.WithSeed(customers))
	g := openGuide(t, s, "own-workspace.md")
	s.ForgetStatements(t)
	g.run(0)
	if sent := s.Statements(t); len(sent) > 0 {
		t.Errorf("the first plan sent %q to the warehouse", sent[0].Text)
	}
	for range 3 {
		g.run(0)
	}
	g.dataDir = g.root + "/workspace/.lytics"
	if n := len(g.events("customers")); n != customers {
		t.Errorf("got %d events, want those of %d customers", n, customers)
	}
	want := s.Query(t, "SELECT count(*) FROM main.sales.customers WHERE lifetime_value >= 50000 AND email IS NOT NULL")
	got := s.Query(t, "SELECT count(*) FROM main.sales.lytics_user_best_customers")
	if fmt.Sprint(got) != fmt.Sprint(want) || got[0][0] == "0" {
		t.Errorf("got %v exported profiles, want %v", got, want)
	}
	g.run(0)
	g.run(0)
	g.end()
}

// The guide replaces the token and the encryption key, and neither is in a file.
func TestGuideSecrets(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(50))
	g := openGuide(t, s, "secrets.md")
	g.run(0)
	// "! grep" ends no shell with -e, so what it prints is looked at.
	if text := g.run(0); strings.Contains(text, s.Token) || strings.Contains(text, "matches") {
		t.Errorf("files of the guide have the token:\n%s", text)
	}
	const second = "dapi-the-second-token-of-the-guide"
	s.SetToken(t, second)
	g.set("TF_VAR_databricks_token", second)
	g.run(0)
	g.run(0)
	g.end()
	g.dataDir = filepath.Join(g.root, ".lytics")
	if n := len(g.runs()); n != 2 {
		t.Errorf("got %d runs, want the first one and that of the command line", n)
	}
}

// The objects of another state are imported with the configuration that Terraform writes.
func TestGuideAdopting(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(50))
	g := openGuide(t, s, "adopting.md")
	g.write("other/main.tf", customersHCL(s)+`
resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
}
resource "lytics_audience" "reachable" {
  name       = "Reachable"
  filter     = "FILTER EXISTS email"
  depends_on = [lytics_field.email]
}
`)
	g.dataDir = filepath.Join(g.root, "store")
	g.set("LYTICS_DATA_DIR", g.dataDir)
	if text, code := g.shell("(cd other && terraform init && terraform apply)\nrm -r other"); code != 0 {
		t.Fatal(text)
	}
	ran := len(g.runs())
	for range 3 {
		g.run(0)
	}
	g.end()
	if n := len(g.runs()); n != ran || n == 0 {
		t.Errorf("got %d runs, want the %d of before", n, ran)
	}
}

// A new version is taken with an empty plan, and a backup is the store of before.
func TestGuideUpgrading(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(50))
	g := openGuide(t, s, "upgrading.md")
	g.write("main.tf", customersHCL(s))
	if text, code := g.shell("terraform init\nterraform apply"); code != 0 {
		t.Fatal(text)
	}
	g.run(0)
	g.install(t, "0.0.2")
	if text := g.run(0); !strings.Contains(text, "v0.0.2") {
		t.Errorf("the upgrade printed\n%s\nwant the version 0.0.2", text)
	}
	g.run(0)
	g.end()
}

// customersHCL imports the customers of a sandbox, as a directory of Terraform by itself.
func customersHCL(s *sandboxtest.Sandbox) string {
	return fmt.Sprintf(`
terraform {
  required_providers {
    lytics = { source = "terraform-provider-lytics/lytics" }
  }
}
provider "lytics" {}
resource "lytics_databricks_authorization" "warehouse" {
  label     = "warehouse"
  host      = %q
  port      = %d
  http_path = %q
  token_env = "LYTICS_DATABRICKS_TOKEN"
}
resource "lytics_databricks_table_import" "customers" {
  label            = "customers"
  authorization_id = lytics_databricks_authorization.warehouse.id
  catalog          = "main"
  database         = "sales"
  table            = "customers"
  timestamp_column = "updated_at"
}
`, s.Host, s.Port, s.HTTPPath)
}
