package config_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

// checklist 75: every variable that the product reads is one of its own.
func TestEveryVariableOfTheSourceIsAnOwnOne(t *testing.T) {
	t.Parallel()
	quoted := regexp.MustCompile(`"((?:LYTICS|AWS)_[A-Z0-9_]+)"`)
	found := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "sandbox" || d.Name() == "build" || strings.HasPrefix(d.Name(), ".") && d.Name() != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		for _, m := range quoted.FindAllStringSubmatch(string(text), -1) {
			found[m[1]] = !strings.HasPrefix(m[1], "LYTICS_DATABRICKS_") // these are for warehouses
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LYTICS_ENCRYPTION_KEY", "LYTICS_RUNNER_TOKEN", "LYTICS_DATABASE_URL", "LYTICS_API_TOKEN", "LYTICS_ALERTS_SECRET"} {
		if !found[name] {
			t.Errorf("%s was not found in the source: the search is broken", name)
		}
	}
	for _, name := range []string{
		"LYTICS_STAGING_S3_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "PGPASSWORD",
		"HTTPS_PROXY", "https_proxy", "lytics_api_token",
	} {
		found[name] = true
	}
	for name, own := range found {
		if own && !config.IsOwnVariable(name) {
			t.Errorf("%s may be read as the token of a warehouse", name)
		}
	}
	for _, name := range []string{"LYTICS_DATABRICKS_TOKEN", "DATABRICKS_TOKEN", "REPORTING_TOKEN", "PGTOKEN"} {
		if config.IsOwnVariable(name) {
			t.Errorf("%s counts as a variable of the product", name)
		}
	}
}

// checklist 75: the list of the runner's configuration.
func TestAllowedTokenEnv(t *testing.T) {
	t.Parallel()
	c, err := config.Read(write(t, "allowed_token_env: [LYTICS_DATABRICKS_*, REPORTING_TOKEN]", 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.Complete(none); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"LYTICS_DATABRICKS_": true, "LYTICS_DATABRICKS_EU": true, "REPORTING_TOKEN": true,
		"REPORTING_TOKEN_2": false, "LYTICS_API_TOKEN": false, "": false, "reporting_token": false,
	} {
		if got := config.Variables(c.AllowedTokenEnv).Contain(name); got != want {
			t.Errorf("%q: got %t, want %t", name, got, want)
		}
	}
	c, err = config.Runner{}.Complete(from(map[string]string{"LYTICS_RUNNER_ALLOWED_TOKEN_ENV": "A, B_*", "LYTICS_PRIVATE_HOSTS": "127.0.0.1, a.internal"}))
	if err != nil || !config.Variables(c.AllowedTokenEnv).Contain("A") || !config.Variables(c.AllowedTokenEnv).Contain("B_1") || len(c.PrivateHosts) != 2 || c.PrivateHosts[1] != "a.internal" {
		t.Errorf("from the environment: got %v, %v, %v", c.AllowedTokenEnv, c.PrivateHosts, err)
	}
	if c, err := (config.Runner{}).Complete(none); err != nil || c.AllowedTokenEnv != nil {
		t.Errorf("without a list: got %v, %v; want none, so that it can be told from an empty one", c.AllowedTokenEnv, err)
	}
	for text, attribute := range map[string]string{
		"allowed_token_env: ['A-B']": "allowed_token_env", "allowed_token_env: ['*A']": "allowed_token_env", "private_hosts: ['http://a']": "private_hosts", "ca_file: /nowhere/ca.pem": "CA file",
	} {
		c, err := config.Read(write(t, text, 0o600))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Complete(none); err == nil || !strings.Contains(err.Error(), attribute) {
			t.Errorf("%s: got %v, want an error of %s", text, err, attribute)
		}
	}
}
