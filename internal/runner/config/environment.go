package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// DefaultDataDir is the store's directory when nothing names one.
const DefaultDataDir = ".lytics"

// Complete fills what a file and a command line left out from the environment,
// checks it, and gives paths from the root.
func (c Config) Complete(lookup func(string) (string, bool)) (Config, error) {
	e := environment{lookup: lookup}
	e.text(&c.DataDir, "LYTICS_DATA_DIR")
	e.secret(&c.DatabaseURL, "LYTICS_DATABASE_URL")
	e.text(&c.EncryptionKeyFile, "LYTICS_ENCRYPTION_KEY_FILE")
	e.flag(&c.AllowPrivateHosts, "LYTICS_ALLOW_PRIVATE_HOSTS")
	e.staging(&c)
	e.platform(&c)
	e.text(&c.Listen, "LYTICS_RUNNER_LISTEN")
	e.text(&c.TLSCert, "LYTICS_RUNNER_TLS_CERT")
	e.text(&c.TLSKey, "LYTICS_RUNNER_TLS_KEY")
	e.text(&c.TokenFile, "LYTICS_RUNNER_TOKEN_FILE")
	if hosts, _ := lookup("LYTICS_RUNNER_ALLOWED_HOSTS"); hosts != "" && c.AllowedHosts == nil {
		c.AllowedHosts = strings.Split(hosts, ",")
	}
	e.number(&c.MaxRuns, "LYTICS_RUNNER_MAX_RUNS")
	e.number(&c.MaxRunsPerAuthorization, "LYTICS_RUNNER_MAX_RUNS_PER_AUTHORIZATION")
	e.number(&c.RetentionDays, "LYTICS_RUNNER_RETENTION_DAYS")
	e.text(&c.Alerts.URL, "LYTICS_ALERTS_URL")
	e.secret(&c.Alerts.Secret, "LYTICS_ALERTS_SECRET")
	e.number(&c.Alerts.StalePeriods, "LYTICS_ALERTS_STALE_PERIODS")
	e.text(&c.Log.Format, "LYTICS_RUNNER_LOG_FORMAT")
	e.text(&c.Log.Level, "LYTICS_RUNNER_LOG_LEVEL")
	if c.DataDir == "" {
		c.DataDir = DefaultDataDir
	}
	for _, p := range []*string{&c.DataDir, &c.EncryptionKeyFile, &c.TLSCert, &c.TLSKey, &c.TokenFile} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			e.errs = append(e.errs, err)
		}
		*p = abs
	}
	return c, errors.Join(append(e.errs, c.check()...)...)
}

func (c Config) check() (errs []error) {
	oneOf := func(name, value string, of ...string) {
		for _, v := range of {
			if value == v {
				return
			}
		}
		errs = append(errs, jobs.Invalid(name, "A setting has an unknown value", fmt.Sprintf("%s is %q.", name, value),
			"Set it to one of "+strings.Join(of[1:], ", ")))
	}
	oneOf("log.format", c.Log.Format, "", "text", "json")
	oneOf("log.level", c.Log.Level, "", "debug", "info", "warn", "error")
	for name, n := range map[string]int{"max_runs": c.MaxRuns, "max_runs_per_authorization": c.MaxRunsPerAuthorization,
		"retention_days": c.RetentionDays, "alerts.stale_periods": c.Alerts.StalePeriods} {
		if n < 0 {
			errs = append(errs, jobs.Invalid(name, "A setting is negative", fmt.Sprintf("%s is %d.", name, n), "Set it to a positive number, or leave it out"))
		}
	}
	if c.Staging != nil && c.Staging.S3 == nil && c.Staging.Volume == nil {
		errs = append(errs, jobs.Invalid("staging", "The staging is of no kind", "staging is given without s3 or volume.", "Give one of them, or leave staging out if nothing is exported"))
	}
	if c.Platform != nil && c.Platform.Lytics == nil {
		errs = append(errs, jobs.Invalid("platform.lytics", "The platform is of no kind", "platform is given without lytics.", "Give platform.lytics ({} takes all from the environment), or leave platform out"))
	}
	return errs
}

// CheckRunner checks what only a process that executes runs needs: to look at a
// shared store takes no bucket.
func (c Config) CheckRunner() error {
	embedded := c.Platform == nil || c.Platform.Lytics == nil
	if c.DatabaseURL.Empty() || !embedded || c.Staging != nil && c.Staging.S3 != nil {
		return nil
	}
	return jobs.Invalid("staging.s3", "The events have nowhere to go",
		"With database_url many machines share one store, and none sees another's disk: the embedded platform keeps events in S3 then, and no bucket is configured.",
		"Set staging.s3, use platform.lytics, or leave database_url out and keep everything in data_dir")
}

// environment fills what is not set yet.
type environment struct {
	lookup func(string) (string, bool)
	errs   []error
}

func (e *environment) text(p *string, name string) {
	if *p == "" {
		*p, _ = e.lookup(name)
	}
}

func (e *environment) secret(p *Secret, name string) {
	if text, _ := e.lookup(name); p.Empty() {
		p.Secret = jobs.NewSecret(strings.TrimSpace(text))
	}
}

func (e *environment) flag(p **bool, name string) {
	text, _ := e.lookup(name)
	if *p != nil || text == "" {
		return
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		e.bad(name, text, "true or false")
	}
	*p = &b
}

func (e *environment) number(p *int, name string) {
	text, _ := e.lookup(name)
	if *p != 0 || text == "" {
		return
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		e.bad(name, text, "a number")
	}
	*p = n
}

func (e *environment) bad(name, text, want string) {
	e.errs = append(e.errs, jobs.Invalid(name, "An environment variable cannot be read", fmt.Sprintf("%s is %q.", name, text), "Set it to "+want+", or unset it"))
}

// staging fills the bucket and the volume: where the file names none, one in
// the environment does.
func (e *environment) staging(c *Config) {
	given := Staging{}
	if c.Staging != nil {
		given = *c.Staging
	}
	out := Staging{S3: e.s3(given.S3), Volume: e.volume(given.Volume)}
	if out.S3 != nil || out.Volume != nil {
		c.Staging = &out
	}
}

func (e *environment) s3(given *S3) *S3 {
	const env = "LYTICS_STAGING_S3_"
	s := S3{}
	if given != nil {
		s = *given
	}
	e.text(&s.Bucket, env+"BUCKET")
	if s.Bucket == "" {
		if given != nil {
			e.errs = append(e.errs, jobs.Invalid("staging.s3.bucket", "The staging bucket has no name",
				"staging.s3 is given without bucket, and LYTICS_STAGING_S3_BUCKET is not set.", "Set one of them, or leave staging out if nothing is exported"))
		}
		return nil
	}
	e.text(&s.Prefix, env+"PREFIX")
	e.text(&s.Region, env+"REGION")
	e.text(&s.Endpoint, env+"ENDPOINT")
	e.flag(&s.UsePathStyle, env+"USE_PATH_STYLE")
	e.text(&s.RoleARN, env+"ROLE_ARN")
	e.text(&s.ExternalID, env+"EXTERNAL_ID")
	e.text(&s.STSEndpoint, env+"STS_ENDPOINT")
	e.text(&s.Credential, env+"CREDENTIAL")
	e.text(&s.ExternalLocation, env+"EXTERNAL_LOCATION")
	// The two keys are one credential: the environment fills in for both or
	// none, so that halves of different origin never meet.
	none := s.AccessKeyID == "" && s.SecretAccessKey.Empty() && s.Profile == ""
	e.text(&s.Profile, env+"PROFILE")
	if none {
		e.text(&s.AccessKeyID, env+"ACCESS_KEY_ID")
		e.secret(&s.SecretAccessKey, env+"SECRET_ACCESS_KEY")
	}
	if (s.AccessKeyID == "") != s.SecretAccessKey.Empty() {
		e.errs = append(e.errs, jobs.Invalid("staging.s3.access_key_id", "Half of the staging credential is missing",
			"An access key has two parts, access_key_id and secret_access_key.", "Set both, in the file or in the environment, or neither to use the AWS credential chain"))
	}
	return &s
}

func (e *environment) volume(given *Volume) *Volume {
	const env = "LYTICS_STAGING_VOLUME_"
	v := Volume{}
	if given != nil {
		v = *given
	}
	e.text(&v.Catalog, env+"CATALOG")
	e.text(&v.Schema, env+"SCHEMA")
	e.text(&v.Volume, env+"VOLUME")
	e.text(&v.Prefix, env+"PREFIX")
	switch {
	case given == nil && v.Catalog == "" && v.Schema == "" && v.Volume == "":
		return nil
	case v.Catalog == "" || v.Schema == "" || v.Volume == "":
		e.errs = append(e.errs, jobs.Invalid("staging.volume", "The staging volume has no full name",
			"A volume is named by catalog, schema and volume.", "Set all three, in the file or in the environment, or leave staging out if nothing is exported"))
	}
	return &v
}

// platform fills the account, where the platform is one.
func (e *environment) platform(c *Config) {
	if c.Platform == nil || c.Platform.Lytics == nil {
		return
	}
	l := *c.Platform.Lytics
	e.secret(&l.Token, "LYTICS_API_TOKEN")
	e.text(&l.APIURL, "LYTICS_API_URL")
	e.text(&l.BulkURL, "LYTICS_BULK_URL")
	e.text(&l.AccountID, "LYTICS_ACCOUNT_ID")
	if l.Token.Empty() {
		e.errs = append(e.errs, jobs.Invalid("platform.lytics.token", "There is no API token for Lytics",
			"platform.lytics is given without token, and LYTICS_API_TOKEN is not set.", "Create an API token in Lytics (Account Settings, API Tokens), and set one of them"))
	}
	c.Platform = &Platform{Lytics: &l}
}
