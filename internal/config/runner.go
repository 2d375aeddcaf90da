package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Runner is the content of a runner's configuration file. Its first part has
// the keys of the provider block.
type Runner struct {
	Engine `yaml:",inline"`

	// Listen is HOST:PORT; TLSCert and TLSKey are files.
	Listen  string `yaml:"listen"`
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`
	// TokenFile holds the API's token. The runner creates the file if there is
	// none.
	TokenFile string `yaml:"token_file"`
	// AllowedHosts are further host names that requests to the API may use.
	AllowedHosts []string `yaml:"allowed_hosts"`
	// MaxRuns limits the runs that this process executes at a time.
	MaxRuns int `yaml:"max_runs"`
	// MaxRunsPerAuthorization limits the runs that use one warehouse at a time.
	MaxRunsPerAuthorization int `yaml:"max_runs_per_authorization"`
	// RetentionDays is how long finished runs are kept.
	RetentionDays int    `yaml:"retention_days"`
	Alerts        Alerts `yaml:"alerts"`
	Log           Log    `yaml:"log"`
}

// Alerts configures the webhook that is called when runs fail.
type Alerts struct {
	URL string `yaml:"url"`
	// Secret signs the requests.
	Secret Secret `yaml:"secret"`
	// StalePeriods is the number of missed periods after which a job is stale.
	StalePeriods int `yaml:"stale_periods"`
}

// Log configures the runner's log.
type Log struct {
	// Format is text or json; Level is debug, info, warn or error.
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

// Read reads a configuration file: YAML, or JSON. An empty name gives an empty
// configuration.
func Read(file string) (Runner, error) {
	var c Runner
	if file == "" {
		return c, nil
	}
	bad := func(why, next string) error {
		return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "config", Summary: "The configuration file cannot be " +
			"used", Detail: file + ": " + why, Next: next}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return c, bad(err.Error()+".", "Give the path of a file that this user can read")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.DisallowUnknownField())
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		// The error is formatted without the source, because a line next to the
		// mistake may hold a secret.
		return c, bad(strings.TrimSpace(yaml.FormatError(err, false, false))+".", "Correct it; examples/runner has a file with all keys")
	}
	info, err := os.Stat(file)
	if err != nil {
		return c, bad(err.Error()+".", "Give the path of a file that this user can read")
	}
	if mode := info.Mode().Perm(); c.hasSecret() && runtime.GOOS != "windows" && mode&0o007 != 0 {
		return c, bad(fmt.Sprintf("it holds a secret, and its mode %#o lets every user read it.", mode),
			"Run chmod 640 on it, or give the secrets in the environment")
	}
	return c, nil
}

func (c Runner) hasSecret() bool {
	secrets := []Secret{c.DatabaseURL, c.Alerts.Secret}
	if s := c.S3(); s != nil {
		secrets = append(secrets, s.SecretAccessKey)
	}
	if a := c.LyticsAccount(); a != nil {
		secrets = append(secrets, a.Token)
	}
	return slices.ContainsFunc(secrets, func(s Secret) bool { return !s.Empty() })
}

// Complete fills unset settings from the environment, makes paths absolute, and
// checks the result.
func (c Runner) Complete(lookup func(string) (string, bool)) (Runner, error) {
	e := environment{lookup: lookup}
	c.Engine = e.engine(c.Engine)
	e.text(&c.Listen, "LYTICS_RUNNER_LISTEN")
	e.text(&c.TLSCert, "LYTICS_RUNNER_TLS_CERT")
	e.text(&c.TLSKey, "LYTICS_RUNNER_TLS_KEY")
	e.text(&c.TokenFile, "LYTICS_RUNNER_TOKEN_FILE")
	if hosts, _ := lookup("LYTICS_RUNNER_ALLOWED_HOSTS"); hosts != "" && c.AllowedHosts == nil {
		c.AllowedHosts = strings.Split(hosts, ",")
	}
	e.number(&c.MaxRuns, "max_runs", "LYTICS_RUNNER_MAX_RUNS")
	e.number(&c.MaxRunsPerAuthorization, "max_runs_per_authorization", "LYTICS_RUNNER_MAX_RUNS_PER_AUTHORIZATION")
	e.number(&c.RetentionDays, "retention_days", "LYTICS_RUNNER_RETENTION_DAYS")
	e.text(&c.Alerts.URL, "LYTICS_ALERTS_URL")
	e.secret(&c.Alerts.Secret, "LYTICS_ALERTS_SECRET")
	e.number(&c.Alerts.StalePeriods, "alerts.stale_periods", "LYTICS_ALERTS_STALE_PERIODS")
	e.text(&c.Log.Format, "LYTICS_RUNNER_LOG_FORMAT")
	e.text(&c.Log.Level, "LYTICS_RUNNER_LOG_LEVEL")
	e.absolute("tls_cert", &c.TLSCert)
	e.absolute("tls_key", &c.TLSKey)
	e.absolute("token_file", &c.TokenFile)
	return c, errors.Join(append(e.errs, c.check()...)...)
}

func (c Runner) check() []error {
	errs := c.Engine.check()
	oneOf := func(name, value string, of ...string) {
		if value != "" && !slices.Contains(of, value) {
			errs = append(errs, jobs.Invalid(name, "A setting has an unknown value", fmt.Sprintf("%s is %q.", name, value),
				"Set it to one of "+strings.Join(of, ", ")))
		}
	}
	oneOf("log.format", c.Log.Format, "text", "json")
	oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	for _, n := range []struct {
		name  string
		value int
	}{
		{"max_runs", c.MaxRuns}, {"max_runs_per_authorization", c.MaxRunsPerAuthorization},
		{"retention_days", c.RetentionDays}, {"alerts.stale_periods", c.Alerts.StalePeriods},
	} {
		if n.value < 0 {
			errs = append(errs, jobs.Invalid(n.name, "A setting is negative", fmt.Sprintf("%s is %d.", n.name, n.value),
				"Set it to a positive number, or leave it out"))
		}
	}
	return errs
}
