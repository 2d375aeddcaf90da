package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// exampleWorkspace is a workspace with an example of the repository. The replacements are
// pairs of texts: what the example has, and what takes its place.
func exampleWorkspace(t *testing.T, s *sandboxtest.Sandbox, name string, replacements ...string) *workspace {
	t.Helper()
	only(t, "the examples start what they need themselves", embedded)
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", name, "main.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(string(text), replacements[i]) {
			t.Fatalf("the example %s has no %q", name, replacements[i])
		}
	}
	w := newWorkspace(t, s, strings.NewReplacer(replacements...).Replace(string(text)))
	if err := os.Remove(filepath.Join(w.dir, "versions.tf")); err != nil { // the example has its own
		t.Fatal(err)
	}
	return w
}

// purchasesSQL makes a table as that of the example of purchases.
const purchasesSQL = `CREATE TABLE main.retail.transactions AS SELECT customer_id AS household_id, total AS sales_value, 1 AS quantity,
	order_id AS product_id, order_id AS basket_id, ordered_at AS transaction_timestamp FROM main.sales.orders`

// The examples that no other test applies.
func TestExamplesApply(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(200))
	for _, statement := range []string{"CREATE SCHEMA main.retail", purchasesSQL, "CREATE SCHEMA main.marketing"} {
		s.Exec(t, statement)
	}
	t.Run("purchases", func(t *testing.T) {
		t.Parallel()
		w := exampleWorkspace(t, s, "purchases")
		w.apply()
		want := s.Query(t, "SELECT count(transaction_timestamp) FROM main.retail.transactions")[0][0]
		if n := fmt.Sprint(len(w.events("purchases"))); n != want || n == "0" {
			t.Errorf("got %s events, want %s", n, want)
		}
		w.wantNoChanges()
	})
	t.Run("kept-updated", func(t *testing.T) {
		t.Parallel()
		exampleWorkspace(t, s, "kept-updated").applyWithRunner()
	})
	t.Run("runner", func(t *testing.T) {
		t.Parallel()
		w := exampleWorkspace(t, s, "runner", `    url = "https://lytics-runner.example.com:8443"`, "",
			`host             = "dbc-a1b2c3d4-e5f6.cloud.databricks.com"`, "host = var.host\n  port = var.port",
			`"/sql/1.0/warehouses/0123456789abcdef"`, "var.http_path")
		w.declare("host", "port", "http_path")
		w.env["TF_VAR_databricks_token"] = s.Token
		w.applyWithRunner()
	})
	t.Run("managed-by-lytics", func(t *testing.T) {
		t.Parallel()
		account := lyticsAccount(t)
		w := exampleWorkspace(t, s, "managed-by-lytics")
		for name, value := range map[string]string{
			"LYTICS_API_URL": account.APIURL, "LYTICS_BULK_URL": account.BulkURL, "LYTICS_API_TOKEN": lyticsToken,
			"TF_VAR_databricks_token": warehouseCanary,
		} {
			w.env[name] = value
		}
		w.apply()
		w.wantNoChanges()
		if id := lyticsJob(t, account, "Customers")["id"]; id == "" {
			t.Error("the account has no job of the import")
		}
	})
	t.Run("github-actions", func(t *testing.T) {
		t.Parallel()
		own := sandboxtest.Start(t, sandboxtest.WithSeed(50)) // its policies are its own
		own.Exec(t, "CREATE SCHEMA main.marketing")
		w := exampleWorkspace(t, own, "github-actions", `  data_dir = "/var/lib/lytics"`, "",
			"host      = var.host", "host = var.host\n  port = var.port",
			`"/sql/1.0/warehouses/a1b2c3d4e5f6a7b8"`, "var.http_path", `schema  = "lytics"`, `schema  = "default"`,
			`audience  = "https://github.com/acme"`, `audience = "https://github.com/octo-org"`)
		w.declare("port", "http_path")
		w.env["TF_VAR_client_id"] = own.ClientID
		federated(t, w)
		w.apply()
		w.wantNoChanges()
	})
}

// declare declares variables, whose values are in the environment of the workspace.
func (w *workspace) declare(names ...string) {
	w.t.Helper()
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, "variable %q {}\n", name)
	}
	w.file("variables.tf", text.String())
}

// applyWithRunner applies a configuration whose jobs a runner executes.
func (w *workspace) applyWithRunner() {
	w.t.Helper()
	_, url := w.startRunner(w.dataDir, "127.0.0.1:0", "")
	settings := w.env
	w.env = map[string]string{"LYTICS_RUNNER_URL": url, "LYTICS_RUNNER_TOKEN": runnerToken}
	for name, value := range settings {
		if !strings.HasPrefix(name, "LYTICS_") {
			w.env[name] = value
		}
	}
	w.apply()
	w.wantNoChanges()
}
