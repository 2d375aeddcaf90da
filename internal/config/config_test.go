package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func none(string) (string, bool) { return "", false }

func from(env map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func write(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "runner.yml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// The example configuration files are valid.
func TestExampleFilesAreValid(t *testing.T) {
	t.Parallel()
	examples := filepath.Join("..", "..", "examples", "runner")
	c, err := config.Read(filepath.Join(examples, "runner.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.Complete(none); err != nil || c.Staging.Volume.Volume == "" || c.Alerts.URL == "" || c.Listen == "" || c.MaxRuns == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	manifest, err := os.ReadFile(filepath.Join(examples, "kubernetes.yml"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for document := range strings.SplitSeq(string(manifest), "\n---\n") {
		var object struct {
			Kind string            `yaml:"kind"`
			Data map[string]string `yaml:"data"`
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind == "ConfigMap" {
			found = true
			c, err := config.Read(write(t, object.Data["runner.yml"], 0o600))
			if err != nil {
				t.Fatal(err)
			}
			env := map[string]string{"LYTICS_DATABASE_URL": "postgres://h/d", "LYTICS_EVENTS_VOLUME_CLIENT_SECRET": "canary-dose"}
			if c, err = c.Complete(from(env)); err != nil || c.DatabaseURL.Empty() || c.CheckEventStorage() != nil {
				t.Errorf("%+v, %v", c, err)
			}
		}
	}
	if !found {
		t.Error("the manifest has no configuration")
	}
}

// checklist 43: an error names the faulty key and its line, and quotes no secret.
func TestErrorsNameTheKeyAndNoSecret(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key":           {"database_url: canary\ndata_dirr: x\n", "data_dirr"},
		"an unknown key inside":    {"staging:\n  s3:\n    secret_access_key: canary\n    bucke: b\n", "bucke"},
		"a key twice":              {"data_dir: canary\ndata_dir: b\n", "data_dir"},
		"of another type":          {"database_url: canary\nmax_runs: many\n", "max_runs"},
		"a secret of another type": {"database_url: [canary]\n", "a secret must be a string"},
		"no YAML":                  {"database_url: canary\n\t{{", "runner.yml"},
		"a list":                   {"- canary\n", "runner.yml"},
	} {
		_, err := config.Read(write(t, c.text, 0o600))
		if !jobs.IsCode(err, jobs.CodeInvalid) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s gave %v", name, err)
		}
		if err != nil && c.want != "max_runs" && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s gave %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		text, want string
		env        map[string]string
	}{
		"format":    {"log: {format: xml}", "log.format", nil},
		"level":     {"log: {level: loud}", "log.level", nil},
		"an alert":  {"alerts: {format: sms}", "alerts.format", nil},
		"metrics":   {"metrics: {max_jobs: -1}", "metrics.max_jobs", nil},
		"per job":   {"", "LYTICS_RUNNER_METRICS_PER_JOB", map[string]string{"LYTICS_RUNNER_METRICS_PER_JOB": "some"}},
		"negative":  {"max_runs: -1", "max_runs", nil},
		"bounds":    {"quarantine: {max_rows: 5, keep_days: -1}", "quarantine", nil},
		"rows":      {"", "LYTICS_QUARANTINE_MAX_ROWS", map[string]string{"LYTICS_QUARANTINE_MAX_ROWS": "many"}},
		"bucket":    {"staging: {s3: {prefix: p}}", "bucket", nil},
		"volume":    {"staging: {volume: {catalog: c}}", "full name", nil},
		"half":      {"staging: {s3: {bucket: b, access_key_id: a}}", "Half of the staging credential", nil},
		"token":     {"platform: {lytics: {}}", "There is no API token", nil},
		"flag":      {"", "LYTICS_ALLOW_PRIVATE_HOSTS", map[string]string{"LYTICS_ALLOW_PRIVATE_HOSTS": "maybe"}},
		"number":    {"", "LYTICS_RUNNER_MAX_RUNS", map[string]string{"LYTICS_RUNNER_MAX_RUNS": "many"}},
		"a kind":    {"staging: {}", "staging is given without", nil},
		"a wait":    {"platform: {lytics: {token: t, profile_wait_minutes: -1}}", "profile_wait_minutes", nil},
		"minutes":   {"platform: {lytics: {token: t}}", "LYTICS_PROFILE_WAIT_MINUTES", map[string]string{"LYTICS_PROFILE_WAIT_MINUTES": "some"}},
		"two":       {"platform: {embedded: {}, lytics: {token: t}}", "Two platforms", nil},
		"none of 1": {"platform: {}", "platform is given without", nil},
	} {
		read, err := config.Read(write(t, c.text, 0o600))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := read.Complete(from(c.env)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s gave %v", name, err)
		}
	}
}

// The environment fills settings that the file leaves out, the file can be JSON,
// and a credential never comes from two sources.
func TestFileTakesPrecedenceOverTheEnvironment(t *testing.T) {
	t.Parallel()
	env := map[string]string{
		"LYTICS_DATA_DIR": "/env", "LYTICS_DATABASE_URL": " postgres://env \n", "LYTICS_ALLOW_PRIVATE_HOSTS": "true",
		"LYTICS_STAGING_S3_BUCKET": "env", "LYTICS_STAGING_S3_ACCESS_KEY_ID": "env", "LYTICS_STAGING_S3_SECRET_ACCESS_KEY": "env",
		"LYTICS_RUNNER_LISTEN": "127.0.0.1:1", "LYTICS_RUNNER_ALLOWED_HOSTS": "a,b", "LYTICS_RUNNER_MAX_RUNS": "7", "LYTICS_API_TOKEN": "env",
	}
	c, err := config.Read(write(t, `{"data_dir": "/file", "allow_private_hosts": false, "staging": {"s3": {"bucket": "file", "profile": "p"}}, "max_runs": 3, "platform": {"lytics": {}}}`, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if c, err = c.Complete(from(env)); err != nil {
		t.Fatal(err)
	}
	s := c.S3()
	if c.DataDir != "/file" || c.DatabaseURL.Reveal() != "postgres://env" || config.Bool(c.AllowPrivateHosts) || s.Bucket != "file" || s.Profile != "p" || s.AccessKeyID != "" ||
		c.Listen != "127.0.0.1:1" || len(c.AllowedHosts) != 2 || c.MaxRuns != 3 || c.LyticsAccount().Token.Reveal() != "env" {
		t.Errorf("%+v, staging %+v", c, s)
	}
	empty, err := config.Runner{}.Complete(none)
	if err != nil || filepath.Base(empty.DataDir) != ".lytics" || !filepath.IsAbs(empty.DataDir) || empty.Staging != nil {
		t.Errorf("%+v, %v", empty, err)
	}
}

// A shared store needs S3 for its events, and the error comes before anything runs.
func TestSharedStoreNeedsABucketForEvents(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"database_url: postgres://h/d": "staging.s3",
		"database_url: postgres://h/d\nstaging: {volume: {catalog: c, schema: s, volume: v}}":                   "staging.s3",
		"database_url: postgres://h/d\nstaging: {s3: {bucket: b}}":                                              "",
		"database_url: postgres://h/d\nplatform: {lytics: {token: t}}":                                          "",
		"database_url: postgres://h/d\nevents: {volume: {host: h, catalog: c, schema: s, volume: v, token: t}}": "",
		"data_dir: /d": "",
	} {
		c, err := config.Read(write(t, text, 0o600))
		if err != nil {
			t.Fatal(err)
		}
		if c, err = c.Complete(none); err != nil {
			t.Fatal(err)
		}
		err = c.CheckEventStorage()
		if e, ok := errors.AsType[*jobs.Error](err); ok != (want != "") || ok && (e.Attribute != want || e.Code != jobs.CodeInvalid) {
			t.Errorf("%s gave %v", text, err)
		}
	}
}
