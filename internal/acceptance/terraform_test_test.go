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
	binary, err := providerBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "examples", example))); err != nil {
		t.Fatal(err)
	}
	rc := filepath.Join(t.TempDir(), "terraform.rc")
	overrides := fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"terraform-provider-lytics/lytics\" = %q\n  }\n  direct {}\n}\n",
		filepath.ToSlash(filepath.Dir(binary)))
	if err := os.WriteFile(rc, []byte(overrides), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, func() (string, int) {
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
