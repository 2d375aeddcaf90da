package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// A CI job does not create the encryption key of a store that outlives the job in its home
// directory, which ends with the job. Everywhere else the key is created as before.
func TestANewKeyInTheHomeOfACIJobIsRefused(t *testing.T) {
	base := t.TempDir()
	home, work := filepath.Join(base, "home"), filepath.Join(base, "work")
	for _, dir := range []string{home, work, filepath.Join(base, "tmp")} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("TMPDIR", filepath.Join(base, "tmp"))
	t.Chdir(work)
	github := map[string]string{"CI": "true"}
	own := map[string]string{"CI": "true", "LYTICS_ENCRYPTION_KEY": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}
	for _, c := range []struct { //nolint:paralleltest // the environment is that of the process
		name, dataDir string
		env           map[string]string
		change        func(*engine.Options)
		refused       bool
	}{
		{name: "GitHub, GitLab and others", dataDir: filepath.Join(base, "srv", "a"), env: github, refused: true},
		{name: "Azure Pipelines", dataDir: filepath.Join(base, "srv", "b"), env: map[string]string{"TF_BUILD": "True"}, refused: true},
		{name: "a laptop", dataDir: filepath.Join(base, "srv", "c"), env: nil},
		{name: "CI=false", dataDir: filepath.Join(base, "srv", "d"), env: map[string]string{"CI": "false"}},
		{name: "the store is in the checkout", dataDir: filepath.Join(work, ".lytics"), env: github},
		{name: "the store is in the home", dataDir: filepath.Join(home, "lytics"), env: github},
		{name: "the store is temporary", dataDir: filepath.Join(base, "tmp", "lytics"), env: github},
		{name: "the key is given", dataDir: filepath.Join(base, "srv", "e"), env: own},
		{name: "its file is named", dataDir: filepath.Join(base, "srv", "f"), env: github, change: func(o *engine.Options) {
			o.EncryptionKeyFile = filepath.Join(base, "keys", "key")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.RemoveAll(filepath.Join(home, ".config")); err != nil {
				t.Fatal(err)
			}
			checkNewKey(t, engine.Options{DataDir: c.dataDir}, c.env, c.change, c.refused)
		})
	}
	t.Run("the key is there already", func(t *testing.T) {
		if _, err := os.Stat(filepath.Join(home, ".config")); err != nil {
			checkNewKey(t, engine.Options{DataDir: filepath.Join(home, "first")}, nil, nil, false) // creates it
		}
		checkNewKey(t, engine.Options{DataDir: filepath.Join(base, "srv", "g")}, github, nil, false)
	})
}

// checkNewKey stores a secret in a new store, and checks whether that is refused.
func checkNewKey(t *testing.T, o engine.Options, env map[string]string, change func(*engine.Options), refused bool) {
	t.Helper()
	o.Getenv = func(name string) string { return env[name] }
	if change != nil {
		change(&o)
	}
	e := engine.New(o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	_, err := e.CreateAuthorization(t.Context(), spec("dbc-1.cloud.databricks.com"))
	if !refused {
		if err != nil {
			t.Error(err)
		}
		return
	}
	f := jobs.FailureOf(orNone(err))
	if f.Attribute != "encryption_key_file" || !strings.Contains(f.Summary, "home directory of a CI job") ||
		!strings.Contains(f.Detail, filepath.Join(os.Getenv("HOME"), ".config")) || !strings.Contains(f.Next, "LYTICS_ENCRYPTION_KEY") {
		t.Errorf("got %+v, want an error at encryption_key_file with the path and the way out", f)
	}
	if _, err := os.Stat(filepath.Join(os.Getenv("HOME"), ".config", "terraform-provider-lytics")); err == nil {
		t.Error("the refused key was created")
	}
}
