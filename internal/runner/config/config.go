// Package config is how a runner is configured: a file, the environment with
// the names of the provider block, and what the command line says. It makes an
// engine's options of it, for the provider too.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Config is all that a runner is told. The first part has the keys of the
// provider block.
type Config struct {
	DataDir           string    `yaml:"data_dir"`
	DatabaseURL       Secret    `yaml:"database_url"`
	EncryptionKeyFile string    `yaml:"encryption_key_file"`
	AllowPrivateHosts *bool     `yaml:"allow_private_hosts"`
	Staging           *Staging  `yaml:"staging"`
	Platform          *Platform `yaml:"platform"`

	// Listen is HOST:PORT; TLSCert and TLSKey are files.
	Listen  string `yaml:"listen"`
	TLSCert string `yaml:"tls_cert"`
	TLSKey  string `yaml:"tls_key"`
	// TokenFile holds the API's token; it is made when it is not there.
	TokenFile string `yaml:"token_file"`
	// AllowedHosts are further names that the API is addressed by.
	AllowedHosts []string `yaml:"allowed_hosts"`
	// MaxRuns bounds the runs at once in this process, MaxRunsPerAuthorization
	// those that use one warehouse; RetentionDays is how long runs are kept.
	MaxRuns                 int    `yaml:"max_runs"`
	MaxRunsPerAuthorization int    `yaml:"max_runs_per_authorization"`
	RetentionDays           int    `yaml:"retention_days"`
	Alerts                  Alerts `yaml:"alerts"`
	Log                     Log    `yaml:"log"`
}

// Staging is where an export's files wait.
type Staging struct {
	S3     *S3     `yaml:"s3"`
	Volume *Volume `yaml:"volume"`
}

// Volume is a Unity Catalog volume, as in the provider block.
type Volume struct {
	Catalog string `yaml:"catalog"`
	Schema  string `yaml:"schema"`
	Volume  string `yaml:"volume"`
	Prefix  string `yaml:"prefix"`
}

// S3 is a bucket, as in the provider block.
type S3 struct {
	Bucket           string `yaml:"bucket"`
	Prefix           string `yaml:"prefix"`
	Region           string `yaml:"region"`
	Endpoint         string `yaml:"endpoint"`
	UsePathStyle     *bool  `yaml:"use_path_style"`
	AccessKeyID      string `yaml:"access_key_id"`
	SecretAccessKey  Secret `yaml:"secret_access_key"`
	Profile          string `yaml:"profile"`
	RoleARN          string `yaml:"role_arn"`
	ExternalID       string `yaml:"external_id"`
	STSEndpoint      string `yaml:"sts_endpoint"`
	Credential       string `yaml:"credential"`
	ExternalLocation string `yaml:"external_location"`
}

// Platform is the customer-data side, where it is not the embedded one.
type Platform struct {
	Lytics *Lytics `yaml:"lytics"`
}

// Lytics is a Lytics account.
type Lytics struct {
	Token     Secret `yaml:"token"`
	APIURL    string `yaml:"api_url"`
	BulkURL   string `yaml:"bulk_url"`
	AccountID string `yaml:"account_id"`
}

// Alerts says whom to tell of failures.
type Alerts struct {
	URL          string `yaml:"url"`
	Secret       Secret `yaml:"secret"`
	StalePeriods int    `yaml:"stale_periods"`
}

// Log is how the runner logs.
type Log struct {
	// Format is text or json; Level is debug, info, warn or error.
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

// Secret is a jobs.Secret in a file.
type Secret struct{ jobs.Secret }

// NewSecret wraps a credential's text.
func NewSecret(text string) Secret { return Secret{jobs.NewSecret(text)} }

// UnmarshalYAML reads its text.
func (s *Secret) UnmarshalYAML(text []byte) error {
	var plain string
	if err := yaml.Unmarshal(text, &plain); err != nil {
		return errors.New("a secret is a text")
	}
	*s = NewSecret(plain)
	return nil
}

// Read gives a configuration file's content: YAML, or the JSON in it. No file
// is an empty one.
func Read(file string) (Config, error) {
	var c Config
	if file == "" {
		return c, nil
	}
	bad := func(why, next string) error {
		return &jobs.Error{Code: jobs.CodeInvalid, Attribute: "config", Summary: "The configuration file cannot be used", Detail: file + ": " + why, Next: next}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return c, bad(err.Error()+".", "Give the path of a file that this user can read")
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict(), yaml.DisallowUnknownField())
	if err := decoder.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		// Without the source: a line beside the fault may be a secret.
		return c, bad(strings.TrimSpace(yaml.FormatError(err, false, false))+".", "Correct it; examples/runner has a file with the keys there are")
	}
	info, err := os.Stat(file)
	if err != nil {
		return c, bad(err.Error()+".", "Give the path of a file that this user can read")
	}
	if mode := info.Mode().Perm(); c.secret() && runtime.GOOS != "windows" && mode&0o007 != 0 {
		return c, bad(fmt.Sprintf("it holds a secret, and its mode %#o lets anyone read it.", mode), "Run chmod 640 on it, or give the secrets in the environment")
	}
	return c, nil
}

// secret reports whether a file's content is to be kept from others.
func (c Config) secret() bool {
	s3, lytics := S3{}, Lytics{}
	if c.Staging != nil && c.Staging.S3 != nil {
		s3 = *c.Staging.S3
	}
	if c.Platform != nil && c.Platform.Lytics != nil {
		lytics = *c.Platform.Lytics
	}
	for _, s := range []Secret{c.DatabaseURL, s3.SecretAccessKey, lytics.Token, c.Alerts.Secret} {
		if !s.Empty() {
			return true
		}
	}
	return false
}
