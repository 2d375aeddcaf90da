package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// sixHCL declares one resource of each type.
func sixHCL(database string) string {
	return providerHCL + authorizationHCL + importHCL(database, "people", "") + fmt.Sprintf(`
resource "lytics_field" "email" {
  id            = "email"
  type          = "string"
  is_identifier = true
}
resource "lytics_mapping" "email" {
  stream     = "s"
  field      = lytics_field.email.id
  expression = "email"
}
resource "lytics_audience" "all" {
  name       = "All"
  filter     = "EXISTS email"
  depends_on = [lytics_field.email]
}
resource "lytics_databricks_audience_export" "e" {
  label            = "export"
  authorization_id = lytics_databricks_authorization.w.id
  audience_id      = lytics_audience.all.id
  catalog          = "main"
  database         = %q
  depends_on       = [lytics_databricks_table_import.i, lytics_mapping.email]
}
`, database)
}

// six are the addresses of its resources.
var six = []string{
	"lytics_databricks_authorization.w", "lytics_databricks_table_import.i", "lytics_databricks_audience_export.e",
	"lytics_field.email", "lytics_mapping.email", "lytics_audience.all",
}

// checklist 9 47: plan -detailed-exitcode is 0 after an apply, after an upgrade from state
// of an earlier release, and after an import of all six types of resources into another
// state. Neither runs a job.
func TestPlanAfterApplyUpgradeAndImportIsEmpty(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 20)
	w := newWorkspace(t, s, sixHCL(db))
	w.apply()
	w.wantNoChanges()
	runs := len(w.runs())
	if runs != 2 {
		t.Errorf("the apply made %d runs, want one of each job", runs)
	}

	if upgraded := w.writeStateOfVersion0(); upgraded != 2 {
		t.Fatalf("%d resources of the state were written in version 0, want both jobs", upgraded)
	}
	w.wantNoChanges()
	if text := w.apply(); !strings.Contains(text, "0 added, 0 changed, 0 destroyed") {
		t.Errorf("the apply after the upgrade:\n%s", text)
	}
	w.wantNoChanges()

	var blocks strings.Builder
	for _, address := range six {
		id, ok := w.state(address)["id"].(string)
		if !ok || id == "" {
			t.Fatalf("%s has no id in %v", address, w.state(address))
		}
		fmt.Fprintf(&blocks, "import {\n  to = %s\n  id = %q\n}\n", address, id)
	}
	if text, code := w.terraform(append([]string{"state", "rm"}, six...)...); code != 0 {
		t.Fatalf("state rm gave %d:\n%s", code, text)
	}
	w.file("imports.tf", blocks.String())
	if text := w.apply(); !strings.Contains(text, "6 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("the apply of the imports:\n%s", text)
	}
	w.wantNoChanges()
	if got := len(w.runs()); got != runs {
		t.Errorf("got %d runs, want the %d of the first apply", got, runs)
	}
}

// writeStateOfVersion0 writes the jobs in the state file as the first schema had them: with
// the attributes of the fixture of that schema, and no others. It returns their number.
func (w *workspace) writeStateOfVersion0() (n int) {
	w.t.Helper()
	file := filepath.Join(w.dir, "terraform.tfstate")
	var state map[string]any
	w.readJSON(file, &state)
	resources, _ := state["resources"].([]any)
	for _, r := range resources {
		resource, _ := r.(map[string]any)
		fixture := filepath.Join("..", "provider", "testdata", "state", fmt.Sprintf("%v.v0.json", resource["type"]))
		var before map[string]any
		w.readJSON(fixture, &before)
		instances, _ := resource["instances"].([]any)
		for _, i := range instances {
			instance, _ := i.(map[string]any)
			if fmt.Sprint(instance["schema_version"]) == "0" {
				continue // the first schema is the present one
			}
			attributes, _ := instance["attributes"].(map[string]any)
			instance["schema_version"] = 0
			for name := range attributes {
				if _, had := before[name]; !had {
					delete(attributes, name)
				}
			}
			attributes["triggers"] = nil
			run, _ := attributes["last_run"].(map[string]any)
			runBefore, _ := before["last_run"].(map[string]any)
			for name, value := range runBefore {
				if _, has := run[name]; !has {
					run[name] = value
				}
			}
			n++
		}
	}
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *workspace) readJSON(file string, out any) {
	w.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(out); err != nil {
		w.t.Fatalf("%s: %v", file, err)
	}
}
