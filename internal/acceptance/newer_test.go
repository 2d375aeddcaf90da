package acceptance

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/clienttest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// The tests of this file need a Terraform that is newer than the oldest that the provider
// supports: package clienttest finds one. What they test is tested over the plugin protocol,
// too, in package provider.

// sixApplied is a workspace with an object of each resource, which the client applied.
func sixApplied(t *testing.T, client clienttest.Client) *workspace {
	t.Helper()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 20)
	w := newWorkspace(t, s, sixHCL(db))
	w.client = client.Path
	w.apply()
	return w
}

func (w *workspace) forget(addresses ...string) {
	w.t.Helper()
	if text, code := w.terraform(append([]string{"state", "rm"}, addresses...)...); code != 0 {
		w.t.Fatalf("state rm gave %d:\n%s", code, text)
	}
}

// checklist 47: an import block of Terraform 1.12 finds each object by its identity. The
// plan after the import is empty, and no job runs again.
func TestNewerTerraformImportsByIdentity(t *testing.T) {
	t.Parallel()
	w := sixApplied(t, clienttest.Terraform(t, clienttest.ImportByIdentity))
	runs := len(w.runs())
	text := func(address, attribute string) string {
		value, ok := w.state(address)[attribute].(string)
		if !ok || value == "" {
			t.Fatalf("%s has no %s in %v", address, attribute, w.state(address))
		}
		return value
	}
	db := text("lytics_databricks_table_import.i", "database")
	identities := map[string]map[string]string{
		"lytics_databricks_authorization.w":   {"id": text("lytics_databricks_authorization.w", "id")},
		"lytics_databricks_table_import.i":    {"catalog": "main", "database": db, "table": "people"},
		"lytics_databricks_audience_export.e": {"catalog": "main", "database": db},
		"lytics_field.email":                  {"id": "email"},
		"lytics_mapping.email":                {"stream": "s", "field": "email"},
		"lytics_audience.all":                 {"slug": text("lytics_audience.all", "slug")},
	}
	var blocks strings.Builder
	for _, address := range six {
		fmt.Fprintf(&blocks, "import {\n  to = %s\n  identity = {\n", address)
		for _, name := range slices.Sorted(maps.Keys(identities[address])) {
			fmt.Fprintf(&blocks, "    %s = %q\n", name, identities[address][name])
		}
		blocks.WriteString("  }\n}\n")
	}
	w.forget(six...)
	w.file("imports.tf", blocks.String())
	if text := w.apply(); !strings.Contains(text, "6 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("the apply of the imports:\n%s", text)
	}
	w.wantNoChanges()
	if got := len(w.runs()); got != runs {
		t.Errorf("got %d runs, want the %d of the first apply", got, runs)
	}
}

// checklist 47: command terraform query lists all six resources. The configuration that it
// generates imports them, and the plan after that is empty, also once the authorization has
// its credential, which nothing can generate.
func TestNewerTerraformQueriesAndGeneratesConfiguration(t *testing.T) {
	t.Parallel()
	w := sixApplied(t, clienttest.Terraform(t, clienttest.QueryAndActions))
	runs := len(w.runs())
	query := func(more ...string) string {
		text, code := w.terraform(append([]string{"query", "-no-color"}, more...)...)
		if code != 0 {
			t.Fatalf("terraform query gave %d:\n%s", code, text)
		}
		return text
	}
	list := func(addresses []string) string {
		var blocks strings.Builder
		for _, address := range addresses {
			resource, _, _ := strings.Cut(address, ".")
			fmt.Fprintf(&blocks, "list %q \"all\" {\n  provider         = lytics\n  include_resource = true\n}\n", resource)
		}
		return blocks.String()
	}
	const file = "all.tfquery.hcl"
	w.file(file, list(six))
	listed := query()
	for _, address := range six {
		resource, _, _ := strings.Cut(address, ".")
		if !strings.Contains(listed, "list."+resource+".all") {
			t.Errorf("terraform query lists no %s:\n%s", resource, listed)
		}
	}

	w.forget(six...)
	w.file("main.tf", providerHCL)
	const generated = "generated.tf"
	query("-generate-config-out=" + generated)
	if err := os.Remove(filepath.Join(w.dir, file)); err != nil {
		t.Fatal(err)
	}
	if text := w.apply(); !strings.Contains(text, "6 imported, 0 added, 0 changed, 0 destroyed") {
		t.Errorf("the apply of the generated configuration:\n%s", text)
	}
	w.wantNoChanges()
	hcl, err := os.ReadFile(filepath.Join(w.dir, generated))
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?m)^  token_wo += null.*$`).ReplaceAllString(string(hcl), "  token_wo = var.token")
	if given == string(hcl) {
		t.Fatalf("the generated authorization has no place for its token:\n%s", hcl)
	}
	w.file(generated, given)
	w.wantNoChanges()
	if got := len(w.runs()); got != runs {
		t.Errorf("got %d runs, want the %d of the first apply", got, runs)
	}

	// The examples of the documentation.
	examples, err := filepath.Glob(filepath.Join("..", "..", "examples", "list-resources", "*", "*.tfquery.hcl"))
	if err != nil || len(examples) != len(six) {
		t.Fatalf("got the examples %q, %v; want one of each resource", examples, err)
	}
	for _, example := range examples {
		w.copyFile(example, filepath.Base(filepath.Dir(example))+".tfquery.hcl")
	}
	query()
}

func (w *workspace) copyFile(from, to string, replacements ...string) {
	w.t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		w.t.Fatal(err)
	}
	w.file(to, strings.NewReplacer(replacements...).Replace(string(text)))
}

// The examples of all actions are applied together: by the change of another resource, and
// one by one with -invoke.
func TestNewerTerraformAppliesTheExamplesOfActions(t *testing.T) {
	t.Parallel()
	only(t, "a runner executes the first run of the schedule at once", embedded)
	client := clienttest.Terraform(t, clienttest.QueryAndActions)
	s := sandboxtest.Start(t, sandboxtest.WithSeed(200))
	w := newWorkspace(t, s, providerHCL+strings.Replace(authorizationHCL, `"w"`, `"warehouse"`, 1))
	w.client = client.Path
	examples, err := filepath.Glob(filepath.Join("..", "..", "examples", "actions", "*", "action.tf"))
	if err != nil || len(examples) != 4 {
		t.Fatalf("got the examples %q, %v; want those of four actions", examples, err)
	}
	const changed = "lytics_run_job"
	for _, example := range examples {
		w.copyFile(example, filepath.Base(filepath.Dir(example))+".tf")
	}
	invoke := func(address string) {
		t.Helper()
		w.apply("-invoke=action." + address)
	}
	paused := func() bool {
		t.Helper()
		all, err := w.api().Jobs(t.Context())
		if err != nil || len(all) != 1 {
			t.Fatalf("got the jobs %v, %v; want one", all, err)
		}
		return all[0].Paused
	}
	events := func(want int) {
		t.Helper()
		if got := len(w.events("databricks_main_sales_customers")); got != want {
			t.Errorf("got %d events, want %d", got, want)
		}
	}

	w.apply()
	w.wantNoChanges()
	if runs := w.runs(); len(runs) > 0 {
		t.Errorf("the first apply made the runs %v, want none: no resource was updated", runs)
	}
	w.copyFile(filepath.Join("..", "..", "examples", "actions", changed, "action.tf"), changed+".tf", "version 7", "version 8")
	w.apply()
	if runs := w.runs(); len(runs) != 1 || runs[0].Status != jobs.StatusSucceeded || runs[0].Reason != jobs.ReasonManual {
		t.Errorf("the change of the other resource made the runs %v, want one that succeeded", runs)
	}
	events(200)
	invoke("lytics_run_job.again")
	events(400)
	invoke("lytics_pause_job.customers")
	if !paused() {
		t.Error("the job is not paused")
	}
	w.wantNoChanges()
	invoke("lytics_resume_job.customers")
	if paused() {
		t.Error("the job is still paused")
	}
	invoke("lytics_cancel_run.customers")
	w.wantNoChanges()
}
