package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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
	// Tokens are named tokens with a role, beside those that the store keeps.
	Tokens []Token `yaml:"tokens"`
	// AuditDays is how long the audit log is kept.
	AuditDays int `yaml:"audit_days"`
	// AllowedHosts are further host names that requests to the API may use.
	AllowedHosts []string `yaml:"allowed_hosts"`
	// AllowedTokenEnv are the Variables that token_env may name. Nil means
	// DefaultTokenEnv.
	AllowedTokenEnv []string `yaml:"allowed_token_env"`
	// AllowedLogins are the Logins that definitions may use, beside stored secrets and
	// token_env.
	AllowedLogins []string `yaml:"allowed_logins"`
	// MaxRuns limits the runs that this process executes at a time.
	MaxRuns int `yaml:"max_runs"`
	// MaxRunsPerAuthorization limits the runs that use one warehouse at a time.
	MaxRunsPerAuthorization int `yaml:"max_runs_per_authorization"`
	// WorkerMemoryMB limits the memory of each worker process, which executes one run
	// at a time, in MB.
	WorkerMemoryMB int `yaml:"worker_memory_mb"`
	// RetentionDays is how long finished runs are kept.
	RetentionDays int     `yaml:"retention_days"`
	Alerts        Alerts  `yaml:"alerts"`
	Metrics       Metrics `yaml:"metrics"`
	Log           Log     `yaml:"log"`
}

// Token is a named token, by its hash. Two of one name overlap during a rotation.
type Token struct {
	Name string `yaml:"name"`
	// Role is read, operate or admin.
	Role string `yaml:"role"`
	// SHA256 is the hash of the token's text, in hexadecimal.
	SHA256 string `yaml:"sha256"`
}

// Hash decodes SHA256, which check has accepted.
func (t Token) Hash() (hash jobs.TokenHash) {
	if b, err := hex.DecodeString(t.SHA256); err == nil && len(b) == len(hash) {
		copy(hash[:], b)
	}
	return hash
}

func (t Token) check() error {
	b, err := hex.DecodeString(t.SHA256)
	switch {
	case t.Name == "" || t.Name == jobs.DefaultTokenName || t.Name == jobs.ActorSchedule:
		return jobs.Invalid("tokens", "A token of the configuration has no name of its own",
			fmt.Sprintf("Its name is %q.", t.Name), "Give it another name: the audit log tells who it is by the name")
	case jobs.Role(t.Role).Allows(jobs.RoleRead) && err == nil && len(b) == sha256.Size:
		return nil
	case err != nil || len(b) != sha256.Size:
		// The text may be the token itself, so it is not shown.
		return jobs.Invalid("tokens", fmt.Sprintf("The hash of token %q cannot be used", t.Name),
			"sha256 is not a SHA-256 hash in hexadecimal: 64 digits.", "Make it with: printf %s \"$TOKEN\" | sha256sum")
	}
	return jobs.Invalid("tokens", fmt.Sprintf("The token %q has no such role", t.Name), fmt.Sprintf("Its role is %q.", t.Role),
		"Set it to read, operate or admin")
}

// Alerts configures the webhook that is called when runs fail.
type Alerts struct {
	// URL of a webhook of Slack is a secret.
	URL string `yaml:"url"`
	// Format is json, slack or pagerduty.
	Format string `yaml:"format"`
	// RoutingKey is that of a service of PagerDuty.
	RoutingKey Secret `yaml:"routing_key"`
	// Secret signs the requests.
	Secret Secret `yaml:"secret"`
	// StalePeriods is the number of missed periods after which a job is stale.
	StalePeriods int `yaml:"stale_periods"`
}

// Metrics configures what the runner shows to Prometheus.
type Metrics struct {
	// PerJob says whether jobs have metrics of their own; nil means true.
	PerJob *bool `yaml:"per_job"`
	// MaxJobs is the largest number of jobs that have them. Zero means the default.
	MaxJobs int `yaml:"max_jobs"`
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
	if err := decode(text, &c); err != nil && !errors.Is(err, io.EOF) {
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

// decode parses YAML. The parser of go-yaml v1.19.2 panics on some invalid texts, such as
// a list with a tag and a text as its value; that is an error here.
func decode(text []byte, c *Runner) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is not valid YAML")
		}
	}()
	return yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.DisallowUnknownField()).Decode(c)
}

func (c Runner) hasSecret() bool {
	secrets := []Secret{c.DatabaseURL, c.Alerts.Secret, c.Alerts.RoutingKey}
	if c.Alerts.Format == "slack" {
		secrets = append(secrets, NewSecret(c.Alerts.URL))
	}
	if s := c.S3(); s != nil {
		secrets = append(secrets, s.SecretAccessKey)
	}
	if v := c.EventsVolume(); v != nil {
		for _, s := range v.Secrets() {
			secrets = append(secrets, *s)
		}
	}
	if a := c.LyticsAccount(); a != nil {
		secrets = append(secrets, a.Token)
	}
	return slices.ContainsFunc(secrets, func(s Secret) bool { return !s.Empty() })
}

// Override replaces settings by those of the environment, so that one deployment can
// change what a file says to all of them. Mistakes are reported by Complete.
func (c Runner) Override(lookup func(string) (string, bool)) Runner {
	e := environment{lookup: lookup, override: true}
	e.runner(&c)
	return c
}

// Complete fills unset settings from the environment, makes paths absolute, and
// checks the result.
func (c Runner) Complete(lookup func(string) (string, bool)) (Runner, error) {
	e := environment{lookup: lookup}
	e.runner(&c)
	e.absolute("tls_cert", &c.TLSCert)
	e.absolute("tls_key", &c.TLSKey)
	e.absolute("token_file", &c.TokenFile)
	return c, errors.Join(append(e.errs, c.check()...)...)
}

// runner fills the settings of a runner.
func (e *environment) runner(c *Runner) {
	c.Engine = e.engine(c.Engine)
	e.text(&c.Listen, "LYTICS_RUNNER_LISTEN")
	e.text(&c.TLSCert, "LYTICS_RUNNER_TLS_CERT")
	e.text(&c.TLSKey, "LYTICS_RUNNER_TLS_KEY")
	e.text(&c.TokenFile, "LYTICS_RUNNER_TOKEN_FILE")
	e.texts(&c.AllowedHosts, "LYTICS_RUNNER_ALLOWED_HOSTS")
	e.texts(&c.AllowedTokenEnv, "LYTICS_RUNNER_ALLOWED_TOKEN_ENV")
	e.texts(&c.AllowedLogins, "LYTICS_RUNNER_ALLOWED_LOGINS")
	e.number(&c.MaxRuns, "max_runs", "LYTICS_RUNNER_MAX_RUNS")
	e.number(&c.MaxRunsPerAuthorization, "max_runs_per_authorization", "LYTICS_RUNNER_MAX_RUNS_PER_AUTHORIZATION")
	e.number(&c.WorkerMemoryMB, "worker_memory_mb", "LYTICS_RUNNER_WORKER_MEMORY_MB")
	e.number(&c.RetentionDays, "retention_days", "LYTICS_RUNNER_RETENTION_DAYS")
	e.number(&c.AuditDays, "audit_days", "LYTICS_RUNNER_AUDIT_DAYS")
	e.text(&c.Alerts.URL, "LYTICS_ALERTS_URL")
	e.text(&c.Alerts.Format, "LYTICS_ALERTS_FORMAT")
	e.secret(&c.Alerts.Secret, "LYTICS_ALERTS_SECRET")
	e.secret(&c.Alerts.RoutingKey, "LYTICS_ALERTS_ROUTING_KEY")
	e.number(&c.Alerts.StalePeriods, "alerts.stale_periods", "LYTICS_ALERTS_STALE_PERIODS")
	e.flag(&c.Metrics.PerJob, "metrics.per_job", "LYTICS_RUNNER_METRICS_PER_JOB")
	e.number(&c.Metrics.MaxJobs, "metrics.max_jobs", "LYTICS_RUNNER_METRICS_MAX_JOBS")
	e.text(&c.Log.Format, "LYTICS_RUNNER_LOG_FORMAT")
	e.text(&c.Log.Level, "LYTICS_RUNNER_LOG_LEVEL")
}

// leastWorkerMemoryMB is the memory with which a worker process can execute a run.
const leastWorkerMemoryMB = 256

func (c Runner) check() []error {
	errs := append(c.Engine.check(), Variables(c.AllowedTokenEnv).check("allowed_token_env")...)
	errs = append(errs, Logins(c.AllowedLogins).check("allowed_logins")...)
	oneOf := func(name, value string, of ...string) {
		if value != "" && !slices.Contains(of, value) {
			errs = append(errs, jobs.Invalid(name, "A setting has an unknown value", fmt.Sprintf("%s is %q.", name, value),
				"Set it to one of "+strings.Join(of, ", ")))
		}
	}
	for _, t := range c.Tokens {
		if err := t.check(); err != nil {
			errs = append(errs, err)
		}
	}
	oneOf("alerts.format", c.Alerts.Format, "json", "slack", "pagerduty")
	oneOf("log.format", c.Log.Format, "text", "json")
	oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	for _, n := range []struct {
		name  string
		value int
	}{
		{"max_runs", c.MaxRuns}, {"max_runs_per_authorization", c.MaxRunsPerAuthorization},
		{"worker_memory_mb", c.WorkerMemoryMB}, {"retention_days", c.RetentionDays}, {"audit_days", c.AuditDays},
		{"alerts.stale_periods", c.Alerts.StalePeriods}, {"metrics.max_jobs", c.Metrics.MaxJobs},
	} {
		if n.value < 0 {
			errs = append(errs, jobs.Invalid(n.name, "A setting is negative", fmt.Sprintf("%s is %d.", n.name, n.value),
				"Set it to a positive number, or leave it out"))
		}
	}
	if n := c.WorkerMemoryMB; n > 0 && n < leastWorkerMemoryMB {
		errs = append(errs, jobs.Invalid("worker_memory_mb", "A worker process has too little memory",
			fmt.Sprintf("worker_memory_mb is %d, and a run needs at least %d.", n, leastWorkerMemoryMB), "Set a larger number, or leave it out"))
	}
	return errs
}
