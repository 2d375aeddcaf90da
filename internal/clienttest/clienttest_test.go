package clienttest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/clienttest"
)

// This binary is a fake client under another name: it answers "version -json" with the
// content of the file NAME.answer beside it, and fails if there is none.
func TestMain(m *testing.M) {
	if slices.Equal(os.Args[1:], []string{"version", "-json"}) {
		answer, err := os.ReadFile(os.Args[0] + ".answer")
		if err != nil {
			fmt.Fprintln(os.Stderr, "this client is broken")
			os.Exit(1)
		}
		fmt.Print(string(answer))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// machine makes a PATH of one directory for each map, whose clients say the given versions.
// A client with an empty version is broken.
func machine(t *testing.T, path ...map[string]string) (dirs []string, getenv func(string) string) {
	t.Helper()
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, clients := range path {
		dir := t.TempDir()
		for name, version := range clients {
			client := filepath.Join(dir, name)
			if err := os.Symlink(binary, client); err != nil {
				t.Skipf("this machine has no symbolic links: %v", err)
			}
			if version == "" {
				continue
			}
			answer := fmt.Sprintf(`{"terraform_version": %q, "platform": "linux_amd64", "provider_selections": {}}`, version)
			if err := os.WriteFile(client+".answer", []byte(answer), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		dirs = append(dirs, dir)
	}
	env := map[string]string{"PATH": strings.Join(append([]string{filepath.Join(t.TempDir(), "none")}, dirs...), string(os.PathListSeparator))}
	return dirs, func(name string) string { return env[name] }
}

// The newest Terraform of PATH is found by its name and by the version that it says, and
// OpenTofu by its name. What does not work is passed over.
func TestFind(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path            []map[string]string
		terraform, tofu string
	}{
		"nothing": {nil, "", ""},
		"one":     {[]map[string]string{{"terraform": "1.11.4"}}, "terraform 1.11.4", ""},
		"a newer name": {[]map[string]string{{"terraform": "1.11.4", "terraform-1.14": "1.14.3", "terraform-1.12": "1.12.2"}},
			"terraform-1.14 1.14.3", ""},
		"a newer one elsewhere": {[]map[string]string{{"terraform": "1.11.4"}, {"terraform-1.15": "1.15.0-beta1"}},
			"terraform-1.15 1.15.0-beta1", ""},
		"numbers, not texts":  {[]map[string]string{{"terraform-1.9": "1.9.8", "terraform-1.14": "1.14.0"}}, "terraform-1.14 1.14.0", ""},
		"the first of equals": {[]map[string]string{{"terraform": "1.14.0"}, {"terraform-1.14": "1.14.9"}}, "terraform 1.14.0", ""},
		"a broken one":        {[]map[string]string{{"terraform": "1.11.4", "terraform-1.14": ""}}, "terraform 1.11.4", ""},
		"no version":          {[]map[string]string{{"terraform": "latest"}}, "", ""},
		"other names": {[]map[string]string{{"terraform-ls": "1.20.0", "terraform-1.14-old": "1.14.0", "terraform-1.14.bak": "1.14.0"}},
			"", ""},
		"OpenTofu": {[]map[string]string{{"tofu": "1.11.1"}, {"tofu": "1.12.0"}}, "", "tofu 1.11.1"},
		"a broken OpenTofu": {[]map[string]string{{"tofu": ""}, {"tofu": "1.12.0", "terraform": "1.11.0"}},
			"terraform 1.11.0", "tofu 1.12.0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, getenv := machine(t, test.path...)
			found, err := clienttest.Find(t.Context(), getenv)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []struct {
				got  clienttest.Client
				want string
			}{{found.Terraform, test.terraform}, {found.OpenTofu, test.tofu}} {
				got := ""
				if c.got.Path != "" {
					got = filepath.Base(c.got.Path) + " " + c.got.Version
				}
				if got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
		})
	}
}

// The variable goes before PATH, also with an older version. What it names has to work.
func TestFindTheNamedOne(t *testing.T) {
	t.Parallel()
	dirs, getenv := machine(t, map[string]string{"terraform-1.14": "1.14.3", "mine": "1.13.0", "broken": ""})
	find := func(path string) (clienttest.Found, error) {
		return clienttest.Find(t.Context(), func(name string) string {
			if name == clienttest.NewerEnv {
				return path
			}
			return getenv(name)
		})
	}
	found, err := find(filepath.Join(dirs[0], "mine"))
	if err != nil || found.Terraform.Version != "1.13.0" {
		t.Errorf("got %v, %v; want the named one", found.Terraform, err)
	}
	for path, says := range map[string]string{"broken": "this client is broken", "none": "no such file"} {
		if _, err := find(filepath.Join(dirs[0], path)); err == nil || !strings.Contains(err.Error(), says) ||
			!strings.Contains(err.Error(), clienttest.NewerEnv) {
			t.Errorf("%s: got %v, want an error with the variable and %q", path, err, says)
		}
	}
}

// What make test prints: with which client tests ran, and what was left out for want of one.
func TestReport(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		clients map[string]string
		want    []string
	}{
		"none": {nil, []string{
			"LEFT OUT: import by identity with the real Terraform, because there is no Terraform 1.12 or newer: set LYTICS_TEST_TERRAFORM_NEWER",
			"LEFT OUT: terraform query, actions",
			"LEFT OUT: the quickstart with OpenTofu, because there is no OpenTofu 1.11 or newer: put tofu on PATH",
		}},
		"old": {map[string]string{"terraform": "1.11.4", "tofu": "1.10.0"}, []string{
			"Terraform 1.12 or newer, only Terraform 1.11.4 (", "Terraform 1.14 or newer, only Terraform 1.11.4 (",
			"OpenTofu 1.11 or newer, only OpenTofu 1.10.0 (",
		}},
		"between": {map[string]string{"terraform-1.13": "1.13.5"}, []string{
			"with Terraform 1.13.5 (", "LEFT OUT: terraform query", "LEFT OUT: the quickstart",
		}},
		"new": {map[string]string{"terraform-1.15": "1.15.0", "tofu": "1.11.0"}, []string{
			"with Terraform 1.15.0 (", "with Terraform 1.15.0 (", "with OpenTofu 1.11.0 (",
		}},
	} {
		_, getenv := machine(t, test.clients)
		found, err := clienttest.Find(t.Context(), getenv)
		if err != nil {
			t.Fatal(err)
		}
		got := clienttest.Report(found)
		if len(got) != len(test.want) {
			t.Errorf("%s: got %q, want %d lines", name, got, len(test.want))
			continue
		}
		for i, line := range got {
			if !strings.Contains(line, test.want[i]) {
				t.Errorf("%s: got %q, want %q", name, line, test.want[i])
			}
		}
	}
}
