package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// Schemathesis makes requests from the OpenAPI description of a real runner, valid ones
// and invalid ones, in sequences that follow the ids of earlier answers. No answer is an
// error of the runner itself, and the runner's log has none.
func TestNoRequestOfTheDescriptionIsAServerError(t *testing.T) {
	t.Parallel()
	only(t, "the API is the same", embedded)
	tool := os.Getenv("LYTICS_SCHEMATHESIS")
	if tool == "" {
		t.Skip("LEFT OUT: requests made from the OpenAPI description; make test-api runs them")
	}
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, 100)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	url, token := w.startRunnerWithTokenFile()
	w.apply()
	examples := os.Getenv("LYTICS_SCHEMATHESIS_EXAMPLES")
	if examples == "" {
		examples = "10"
	}
	// A followed run is a stream that ends with the run. One worker, because Python 3.11 parses
	// source in two threads at once into "AST constructor recursion depth mismatch"
	// (https://github.com/python/cpython/issues/106905), and Hypothesis parses lambdas.
	run := exec.CommandContext(t.Context(), tool, "run", url+"/openapi.json", "--header", "Authorization: Bearer "+token,
		"--checks", "not_a_server_error", "--max-examples", examples, "--workers", "1", "--seed", "1", "--no-color",
		"--request-timeout", "120", "--suppress-health-check", "all", "--exclude-path-regex", "/(follow|events|catalogs|databases|tables|columns|dry-run)$")
	run.Dir = t.TempDir()
	// What asks a warehouse answers 502 or 504 where a request named its host: a new
	// authorization, a job whose source is checked, a catalog.
	checks := "[checks.not_a_server_error]\nexpected-statuses = [\"2xx\", \"3xx\", \"4xx\", \"502\", \"504\"]\n"
	if err := os.WriteFile(filepath.Join(run.Dir, "schemathesis.toml"), []byte(checks), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run.CombinedOutput()
	if text := strings.ReplaceAll(string(out), token, "(the token)"); err != nil || !strings.Contains(text, "generated") {
		t.Errorf("got %v:\n%s", err, text)
	}
	for line := range strings.Lines(readText(t, w.runnerLog())) {
		// A run fails if another request changed its job, its authorization or its mappings.
		if strings.Contains(line, "level=ERROR") && !strings.Contains(line, `msg="run ended or was handed over"`) {
			t.Errorf("the runner's log has an error: %s", line)
		}
	}
}
