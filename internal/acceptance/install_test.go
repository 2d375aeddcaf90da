package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// make install puts the provider where "terraform init" finds it without a registry, and
// the command line, on a machine that has neither. A configuration outside of the
// repository applies.
func TestMakeInstall(t *testing.T) {
	t.Parallel()
	s := sandboxtest.Start(t, sandboxtest.WithSeed(300))
	g := openGuide(t, s, "installing.md")
	root, err := sandboxtest.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(root, filepath.Join(g.root, "terraform-provider-lytics")); err != nil {
		t.Fatal(err)
	}
	home := filepath.Join(g.dir, "home")
	// Nothing of the machine but Go and git as they are set up for this checkout, and no
	// configuration of Terraform.
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOENV"} {
		value, err := exec.Command("go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		g.env[name] = strings.TrimSpace(string(value))
	}
	for name, value := range map[string]string{"TF_CLI_CONFIG_FILE": "", "XDG_DATA_HOME": home, "PATH": os.Getenv("PATH"), "MAKEFLAGS": ""} {
		g.env[name] = value
	}

	if user, err := os.UserHomeDir(); err == nil && os.Getenv("GIT_CONFIG_GLOBAL") == "" {
		g.env["GIT_CONFIG_GLOBAL"] = filepath.Join(user, ".gitconfig") // it may trust a checkout of another user
	}

	installed := g.run(0)
	version := strings.TrimSpace(installed[strings.LastIndex(strings.TrimSpace(installed), "\n")+1:])
	g.run(0)
	g.emptyPlan("first")
	lock, err := os.ReadFile(filepath.Join(g.root, "first", ".terraform.lock.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	_, number, _ := strings.Cut(string(lock), `version = "`)
	if number, _, _ = strings.Cut(number, `"`); number == "" || !strings.Contains(version, number) {
		t.Errorf("the command line says %q, and the lock file has the version %q, want the same", version, number)
	}

	g.run(0)
	g.end()
	for _, rest := range []string{".terraform.d/plugins/*/*/*", ".local/bin/*"} {
		if left, err := filepath.Glob(filepath.Join(home, filepath.FromSlash(rest))); err != nil || len(left) > 0 {
			t.Errorf("make uninstall left %q, %v", left, err)
		}
	}
}
