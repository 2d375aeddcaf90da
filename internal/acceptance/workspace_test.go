package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// providerBinary returns the provider under test: LYTICS_PROVIDER_BINARY, or a
// new build.
var providerBinary = sync.OnceValues(func() (string, error) {
	if binary := os.Getenv("LYTICS_PROVIDER_BINARY"); binary != "" {
		return binary, nil
	}
	root, err := sandboxtest.RepositoryRoot()
	if err != nil {
		return "", err
	}
	binary := filepath.Join(root, "build", "acceptance", "terraform-provider-lytics")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Dir = root
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the provider: %w\n%s", err, text)
	}
	return binary, nil
})

// workspace is a directory with a Terraform configuration.
type workspace struct {
	t       *testing.T
	sandbox *sandboxtest.Sandbox
	dir     string
	// dataDir is the data directory of the store. Two workspaces can share it.
	dataDir string
	// runnerConfig is the content of the runners' configuration file.
	runnerConfig string
	env          map[string]string
	rc           string
	// client is the command: terraform, or the path of another client.
	client string
}

func newWorkspace(t *testing.T, sandbox *sandboxtest.Sandbox, hcl string) *workspace {
	t.Helper()
	binary, err := providerBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	w := &workspace{t: t, sandbox: sandbox, dir: dir, dataDir: filepath.Join(dir, ".lytics"), rc: filepath.Join(dir, "terraform.rc"),
		client: "terraform"}
	w.env = map[string]string{
		"TF_CLI_CONFIG_FILE": w.rc, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": filepath.Join(dir, ".terraform"),
		"LYTICS_ALLOW_PRIVATE_HOSTS": "true",
		// Terraform collects its garbage less often, which saves a fifth of the CPU time of
		// these tests.
		"GOGC":                       "400",
		"LYTICS_ENCRYPTION_KEY_FILE": filepath.Join(dir, "key", "encryption.key"),
	}
	w.reach(sandbox)
	w.file("terraform.rc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n", filepath.ToSlash(filepath.Dir(binary))))
	w.file("versions.tf", `terraform {
  required_providers {
    lytics = { source = "terraform-provider-lytics/lytics" }
  }
}
variable "host" { type = string }
variable "port" { type = number }
variable "http_path" { type = string }
variable "token" {
  type      = string
  ephemeral = true
  sensitive = true
}
`)
	w.file("main.tf", hcl)
	return w
}

// reach sets the variables of the configuration for a sandbox.
func (w *workspace) reach(s *sandboxtest.Sandbox) {
	w.sandbox = s
	for k, v := range map[string]string{
		"TF_VAR_host": s.Host, "TF_VAR_port": fmt.Sprint(s.Port), "TF_VAR_http_path": s.HTTPPath, "TF_VAR_token": s.Token,
		"LYTICS_STAGING_S3_BUCKET": s.S3Bucket, "LYTICS_STAGING_S3_REGION": s.S3Region, "LYTICS_STAGING_S3_ENDPOINT": s.S3Endpoint,
		"LYTICS_STAGING_S3_USE_PATH_STYLE": "true", "LYTICS_STAGING_S3_ACCESS_KEY_ID": s.S3AccessKey, "LYTICS_STAGING_S3_SECRET_ACCESS_KEY": s.S3SecretKey,
	} {
		w.env[k] = v
	}
}

func (w *workspace) file(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// terraform runs a command and returns its output and exit code.
func (w *workspace) terraform(args ...string) (string, int) {
	w.t.Helper()
	ctx, cancel := beforeTimeout(w.t.Context(), w.t)
	defer cancel()
	cmd := w.command(ctx, args...)
	cmd.WaitDelay = 30 * time.Second // before the time-out of the test binary
	return w.run(cmd)
}

// command returns a Terraform command that is interrupted, as by Ctrl-C, when ctx
// ends.
func (w *workspace) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.client, args...)
	cmd.Dir = w.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Env = w.providerEnv()
	return cmd
}

func (w *workspace) run(cmd *exec.Cmd) (string, int) {
	w.t.Helper()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), exit.ExitCode()
	}
	if err != nil {
		w.t.Fatalf("terraform: %v\n%s", err, out.String())
	}
	return out.String(), 0
}

func (w *workspace) apply(args ...string) string {
	w.t.Helper()
	text, code := w.tryApply(args...)
	if code != 0 {
		w.t.Fatalf("terraform apply failed:\n%s", text)
	}
	return text
}

func (w *workspace) tryApply(args ...string) (string, int) {
	w.t.Helper()
	return w.terraform(append([]string{"apply", "-auto-approve", "-input=false", "-no-color"}, args...)...)
}

// plan returns the exit code of plan -detailed-exitcode: 0 for no changes, 2
// for changes, 1 for an error.
func (w *workspace) plan(args ...string) (string, int) {
	w.t.Helper()
	return w.terraform(append([]string{"plan", "-detailed-exitcode", "-input=false", "-no-color"}, args...)...)
}

func (w *workspace) wantNoChanges() {
	w.t.Helper()
	if text, code := w.plan(); code != 0 {
		w.t.Fatalf("plan -detailed-exitcode gave %d:\n%s", code, text)
	}
}

// wantError asserts that an output contains every part, ignoring the line
// breaks that Terraform adds.
func wantError(t *testing.T, text string, parts ...string) {
	t.Helper()
	flat := flatten(text)
	for _, p := range parts {
		if !strings.Contains(flat, flatten(p)) {
			t.Errorf("the error does not say %q:\n%s", p, text)
		}
	}
}

func flatten(text string) string {
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(text)), " ")
}

// state returns the attributes of a resource in the state file.
func (w *workspace) state(address string) map[string]any {
	w.t.Helper()
	text, code := w.terraform("show", "-json")
	if code != 0 {
		w.t.Fatal(text)
	}
	var s struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string         `json:"address"`
					Values  map[string]any `json:"values"`
				} `json:"resources"`
			} `json:"root_module"`
		} `json:"values"`
	}
	// Warnings of the development override come before the document.
	_, document, _ := strings.Cut(text, "{")
	if err := json.Unmarshal([]byte("{"+document), &s); err != nil {
		w.t.Fatalf("%v\n%s", err, text)
	}
	for _, r := range s.Values.RootModule.Resources {
		if r.Address == address {
			return r.Values
		}
	}
	return nil
}

// api opens the jobs.API of the store until the test ends.
func (w *workspace) api() jobs.API {
	w.t.Helper()
	api, err := w.open()
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if err := api.Close(); err != nil {
			w.t.Error(err)
		}
	})
	return api
}

func (w *workspace) runs() []jobs.Run {
	w.t.Helper()
	runs, err := w.api().ListRuns(w.t.Context(), jobs.RunFilter{})
	if err != nil {
		w.t.Fatal(err)
	}
	return runs
}

// events reads all events of a stream, and fails the test if two have the same
// id.
func (w *workspace) events(stream string) []jobs.Event {
	w.t.Helper()
	api := w.api()
	var all []jobs.Event
	seen := map[string]bool{}
	for e, err := range jobstest.Events(api.EventLines(w.t.Context(), stream)) {
		if err != nil {
			w.t.Fatal(err)
		}
		if seen[e.ID] {
			w.t.Fatalf("event %s is there twice", e.ID)
		}
		seen[e.ID] = true
		e.Data = bytes.Clone(e.Data)
		all = append(all, e)
	}
	return all
}

// The parts of the configuration that most tests use.
const (
	providerHCL = `
provider "lytics" {}
`
	authorizationHCL = `
resource "lytics_databricks_authorization" "w" {
  label            = "warehouse"
  host             = var.host
  port             = var.port
  http_path        = var.http_path
  token_wo         = var.token
  token_wo_version = 1
}
`
)

// importHCL imports main.DATABASE.TABLE by its column ts.
func importHCL(database, table, extra string) string {
	return fmt.Sprintf(`
resource "lytics_databricks_table_import" "i" {
  label            = "import"
  authorization_id = lytics_databricks_authorization.w.id
  catalog          = "main"
  database         = %q
  table            = %q
  timestamp_column = "ts"
  stream           = "s"
  %s
}
`, database, table, extra)
}

// database creates a schema for the test.
func database(t *testing.T, s *sandboxtest.Sandbox) string {
	t.Helper()
	name := "t_" + strings.ToLower(store.NewID("x"))
	s.Exec(t, "CREATE SCHEMA main."+name)
	return name
}

// output returns an output value of the last apply.
func (w *workspace) output(name string) string {
	w.t.Helper()
	text, code := w.terraform("output", "-raw", name)
	if code != 0 {
		w.t.Fatalf("terraform output gave %d:\n%s", code, text)
	}
	return strings.TrimSpace(text)
}
