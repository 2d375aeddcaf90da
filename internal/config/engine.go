// Package config holds the settings of a store, its staging, its platform and
// a runner. The provider block, the command line and the runner's
// configuration file fill the same types, under the same keys and the same
// environment variables.
package config

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/goccy/go-yaml"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// DefaultDataDir is the store's directory if neither the configuration nor the
// environment names one. It is relative to the working directory.
const DefaultDataDir = ".lytics"

// Engine configures the store, the staging of exports, and the platform. Its
// keys are those of the provider block.
type Engine struct {
	DataDir string `yaml:"data_dir"`
	// DatabaseURL is empty for a store in DataDir.
	DatabaseURL Secret `yaml:"database_url"`
	// EncryptionKeyFile is empty for the default file in the user's
	// configuration directory.
	EncryptionKeyFile string `yaml:"encryption_key_file"`
	// AllowPrivateHosts is nil if it is left out; nil means false. PrivateHosts are the
	// hosts that are allowed without it: names, addresses and networks.
	AllowPrivateHosts *bool    `yaml:"allow_private_hosts"`
	PrivateHosts      []string `yaml:"private_hosts"`
	// CAFile is a PEM file with certificate authorities that workspaces are trusted by,
	// beside those of the system.
	CAFile  string   `yaml:"ca_file"`
	Staging *Staging `yaml:"staging"`
	// Events is nil where the bucket of Staging keeps the events of a shared store.
	Events   *Events   `yaml:"events"`
	Platform *Platform `yaml:"platform"`
	// Quarantine is nil where it is left out, which means the defaults.
	Quarantine *Quarantine `yaml:"quarantine"`
}

// Quarantine bounds the rows that the platform rejected. Zero means the default.
type Quarantine struct {
	// MaxRows is the largest number of rows of one import, and KeepDays after how
	// many days a row is removed.
	MaxRows  int `yaml:"max_rows"`
	KeepDays int `yaml:"keep_days"`
}

// Staging is where exports stage files for COPY INTO. If both are set, exports
// use Volume.
type Staging struct {
	S3     *S3     `yaml:"s3"`
	Volume *Volume `yaml:"volume"`
}

// Volume is a Unity Catalog volume.
type Volume struct {
	Catalog string `yaml:"catalog"`
	Schema  string `yaml:"schema"`
	Volume  string `yaml:"volume"`
	Prefix  string `yaml:"prefix"`
}

// S3 is a bucket. AccessKeyID and SecretAccessKey, or Profile, or neither are
// set; without them the AWS credential chain applies.
type S3 struct {
	Bucket          string `yaml:"bucket"`
	Prefix          string `yaml:"prefix"`
	Region          string `yaml:"region"`
	Endpoint        string `yaml:"endpoint"`
	UsePathStyle    *bool  `yaml:"use_path_style"`
	AccessKeyID     string `yaml:"access_key_id"`
	SecretAccessKey Secret `yaml:"secret_access_key"`
	Profile         string `yaml:"profile"`
	// RoleARN is assumed with those credentials.
	RoleARN     string `yaml:"role_arn"`
	ExternalID  string `yaml:"external_id"`
	STSEndpoint string `yaml:"sts_endpoint"`
	// Credential names a Unity Catalog storage credential for COPY INTO,
	// ExternalLocation the external location that the bucket is in.
	Credential       string `yaml:"credential"`
	ExternalLocation string `yaml:"external_location"`
}

// Platform selects the customer-data platform. Without Lytics it is the
// embedded platform.
type Platform struct {
	Embedded *Embedded `yaml:"embedded"`
	Lytics   *Lytics   `yaml:"lytics"`
}

// Embedded configures the platform in the store.
type Embedded struct {
	// PlaceholderIdentifiers are values of identifiers that identify nobody. Nil
	// means the list that the store has; an empty list means none.
	PlaceholderIdentifiers []string `yaml:"placeholder_identifiers"`
}

// Lytics is a Lytics account. Empty URLs mean those of Lytics.
type Lytics struct {
	Token     Secret `yaml:"token"`
	APIURL    string `yaml:"api_url"`
	BulkURL   string `yaml:"bulk_url"`
	AccountID string `yaml:"account_id"`
	// Format is the upload format of events. Empty means json_lines.
	Format string `yaml:"upload_format"`
	// ProfileWaitMinutes is how long an export waits for Lytics to build profiles.
	// It is nil if it is left out, which means 10; with 0 an export does not wait.
	ProfileWaitMinutes *int `yaml:"profile_wait_minutes"`
}

// Secret is a jobs.Secret that can be read from a configuration file.
type Secret struct{ jobs.Secret }

// NewSecret wraps a credential's text.
func NewSecret(text string) Secret { return Secret{jobs.NewSecret(text)} }

// UnmarshalYAML reads the secret's text.
func (s *Secret) UnmarshalYAML(text []byte) error {
	var plain string
	if err := yaml.Unmarshal(text, &plain); err != nil {
		return errors.New("a secret must be a string")
	}
	*s = NewSecret(plain)
	return nil
}

// Bool returns the value of an optional flag; nil is false.
func Bool(b *bool) bool { return b != nil && *b }

// LyticsAccount returns the Lytics account, or nil for the embedded platform.
func (c Engine) LyticsAccount() *Lytics {
	if c.Platform == nil {
		return nil
	}
	return c.Platform.Lytics
}

// S3 returns the staging bucket, or nil.
func (c Engine) S3() *S3 {
	if c.Staging == nil {
		return nil
	}
	return c.Staging.S3
}

// Volume returns the staging volume, or nil.
func (c Engine) Volume() *Volume {
	if c.Staging == nil {
		return nil
	}
	return c.Staging.Volume
}

// Complete fills unset settings from the environment, makes paths absolute, and
// checks the result. Its errors are joined *jobs.Error values.
func (c Engine) Complete(lookup func(string) (string, bool)) (Engine, error) {
	e := environment{lookup: lookup}
	c = e.engine(c)
	return c, errors.Join(append(e.errs, c.check()...)...)
}

func (e *environment) engine(c Engine) Engine {
	e.text(&c.DataDir, "LYTICS_DATA_DIR")
	e.secret(&c.DatabaseURL, "LYTICS_DATABASE_URL")
	e.text(&c.EncryptionKeyFile, "LYTICS_ENCRYPTION_KEY_FILE")
	e.flag(&c.AllowPrivateHosts, "allow_private_hosts", "LYTICS_ALLOW_PRIVATE_HOSTS")
	e.texts(&c.PrivateHosts, "LYTICS_PRIVATE_HOSTS")
	e.text(&c.CAFile, "LYTICS_CA_FILE")
	e.staging(&c)
	e.events(&c)
	e.platform(&c)
	e.quarantine(&c)
	if e.override {
		return c
	}
	if c.DataDir == "" {
		c.DataDir = DefaultDataDir
	}
	e.absolute("data_dir", &c.DataDir)
	e.absolute("encryption_key_file", &c.EncryptionKeyFile)
	e.absolute("ca_file", &c.CAFile)
	return c
}

func (c Engine) check() (errs []error) {
	if _, err := egress.ParseHosts(c.PrivateHosts); err != nil {
		errs = append(errs, jobs.Invalid("private_hosts", "private_hosts has a host that cannot be used", err.Error()+".",
			"Give host names, addresses, or networks such as 10.20.0.0/16"))
	}
	if _, err := egress.ReadCAs(c.CAFile); err != nil {
		errs = append(errs, jobs.Invalid("ca_file", fmt.Sprintf("The CA file %q cannot be used", c.CAFile), err.Error(),
			"Give a readable file of certificates in PEM form"))
	}
	if c.Staging != nil && c.Staging.S3 == nil && c.Staging.Volume == nil {
		errs = append(errs, jobs.Invalid("staging", "The staging is neither a bucket nor a volume", "staging is given without s3 or volume.",
			"Give one of them, or leave staging out if nothing is exported"))
	}
	errs = append(errs, c.S3().check()...)
	switch p := c.Platform; {
	case p == nil:
	case p.Lytics == nil && p.Embedded == nil:
		errs = append(
			errs,
			jobs.Invalid("platform.lytics", "The platform has no settings", "platform is given without lytics and without embedded.",
				"Set platform.lytics ({} takes all settings from the environment), or remove platform"),
		)
	case p.Lytics != nil && p.Embedded != nil:
		errs = append(
			errs,
			jobs.Invalid("platform.embedded", "Two platforms are configured", "platform has both lytics and embedded.", "Remove one of them"),
		)
	}
	if a := c.LyticsAccount(); a != nil && a.ProfileWaitMinutes != nil && *a.ProfileWaitMinutes < 0 {
		errs = append(errs, jobs.Invalid("platform.lytics.profile_wait_minutes", "A setting is negative",
			fmt.Sprintf("platform.lytics.profile_wait_minutes is %d.", *a.ProfileWaitMinutes), "Set it to a number of minutes, or to 0 for no wait"))
	}
	if q := c.Quarantine; q != nil && (q.MaxRows < 0 || q.KeepDays < 0) {
		errs = append(errs, jobs.Invalid("quarantine", "A bound of the quarantine is negative",
			fmt.Sprintf("max_rows is %d and keep_days is %d.", q.MaxRows, q.KeepDays), "Set positive numbers, or leave them out for the defaults"))
	}
	return errs
}

// absolute makes a path absolute; an empty one stays empty.
func (e *environment) absolute(attribute string, p *string) {
	if *p == "" {
		return
	}
	abs, err := filepath.Abs(*p)
	if err != nil {
		e.errs = append(e.errs, jobs.Invalid(attribute, "The working directory cannot be found",
			fmt.Sprintf("%q is relative, and the directory it starts at is unknown: %v.", *p, err), "Give an absolute path"))
	}
	*p = abs
}
