package acceptance

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// terraformTests copies an example, and returns its directory and a function that runs
// the real "terraform test" in it: it returns what that printed, and its exit code.
func terraformTests(t *testing.T, example string) (dir string, run func() (string, int)) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", example))); err != nil {
		t.Fatal(err)
	}
	return dir, terraformTestIn(t, dir)
}

// terraformTestIn returns a function that runs the real "terraform test" in a directory.
func terraformTestIn(t *testing.T, dir string) func() (string, int) {
	t.Helper()
	binary, err := providerBinary()
	if err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(t.TempDir(), "terraform.rc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n",
		filepath.ToSlash(filepath.Dir(binary)))
	if err := os.WriteFile(rc, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() (string, int) {
		cmd := exec.CommandContext(t.Context(), "terraform", "test", "-no-color")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+rc, "CHECKPOINT_DISABLE=1", "TF_DATA_DIR="+filepath.Join(dir, ".terraform"))
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return out.String(), exit.ExitCode()
		}
		if err != nil {
			t.Fatalf("terraform test: %v\n%s", err, out.String())
		}
		return out.String(), 0
	}
}

// The example of tests passes under the real "terraform test", without a
// warehouse, an account or a store, and fails when a mapping is broken.
func TestExampleOfTestingMappings(t *testing.T) {
	t.Parallel()
	dir, terraformTest := terraformTests(t, "testing-mappings")
	text, code := terraformTest()
	if code != 0 || !strings.Contains(text, "3 passed, 0 failed") {
		t.Fatalf("terraform test exits with %d, want 0 and three runs that pass:\n%s", code, text)
	}
	if _, err := os.Stat(filepath.Join(dir, ".lytics")); !os.IsNotExist(err) {
		t.Errorf("got %v, want no store: the tests need none", err)
	}
	main := filepath.Join(dir, "main.tf")
	hcl, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(hcl, []byte("oneof(shipping_country, billing_country)"), []byte("shipping_country"), 1)
	if err := os.WriteFile(main, broken, 0o600); err != nil || bytes.Equal(hcl, broken) {
		t.Fatalf("the example cannot be broken: %v", err)
	}
	text, code = terraformTest()
	if code != 1 {
		t.Errorf("with a broken mapping, terraform test exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "Without a shipping country, the billing country counts.")
}

// A module with every type of resource passes its tests under the real "terraform test"
// with a mocked provider, and fails when the module is broken.
func TestExampleOfTestingModules(t *testing.T) {
	t.Parallel()
	dir, terraformTest := terraformTests(t, "testing-modules")
	text, code := terraformTest()
	if code != 0 || !strings.Contains(text, "2 passed, 0 failed") {
		t.Fatalf("terraform test exits with %d, want 0 and two runs that pass:\n%s", code, text)
	}
	if _, err := os.Stat(filepath.Join(dir, ".lytics")); !os.IsNotExist(err) {
		t.Errorf("got %v, want no store: the provider is mocked", err)
	}
	main := filepath.Join(dir, "main.tf")
	hcl, err := os.ReadFile(main)
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Replace(hcl, []byte("= each.value.stream"), []byte("= each.key"), 1)
	if err := os.WriteFile(main, broken, 0o600); err != nil || bytes.Equal(hcl, broken) {
		t.Fatalf("the example cannot be broken: %v", err)
	}
	text, code = terraformTest()
	if code != 1 {
		t.Errorf("with a broken module, terraform test exits with %d, want 1:\n%s", code, text)
	}
	wantError(t, text, "Each mapping reads the stream of its import.")
}

// The examples of all resources and data sources are applied with a mocked provider.
// Terraform mocks no ephemeral resources and no actions.
func TestEveryTypeIsMocked(t *testing.T) {
	t.Parallel()
	var hcl strings.Builder
	for pattern, want := range map[string]int{
		"provider/provider.tf": 1, "resources/*/resource.tf": 6, "data-sources/*/data-source.tf": 14,
	} {
		files, err := filepath.Glob(filepath.Join("..", "..", "examples", filepath.FromSlash(pattern)))
		if err != nil || len(files) != want {
			t.Fatalf("got the examples %q, %v; want %d of %s", files, err, want, pattern)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			hcl.Write(text)
			hcl.WriteString("\n")
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.tf": hcl.String(),
		// A mocked map is empty, and the example of the profile takes a value from it.
		"mocks.tftest.hcl": `
mock_provider "lytics" {
  mock_data "lytics_profile" {
    defaults = { values = { lifetime_value = "0.10" } }
  }
}
run "all" {
  variables {
    databricks_token = "not a token"
  }
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if text, code := terraformTestIn(t, dir)(); code != 0 || !strings.Contains(text, "1 passed, 0 failed") {
		t.Errorf("terraform test exits with %d, want 0 and one run that passes:\n%s", code, text)
	}
}
