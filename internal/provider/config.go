package provider

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// DefaultDataDir is the store's directory when nothing names one.
const DefaultDataDir = ".lytics"

// Config is a provider block with its environment variables and defaults
// applied.
type Config struct {
	// Runner is nil where the provider opens the store itself; with one, nothing
	// else is set.
	Runner *RunnerAddress
	// DataDir is absolute.
	DataDir string
	// DatabaseURL is empty for a store in DataDir.
	DatabaseURL jobs.Secret
	// EncryptionKeyFile is empty for the default place.
	EncryptionKeyFile string
	AllowPrivateHosts bool
	// Executors names the attributes of the block itself that belong to whoever
	// executes runs.
	Executors []string
	// Staging is nil when no bucket is configured, or not yet known at plan;
	// so is StagingVolume, which exports go to where both are set.
	Staging       *StagingS3
	StagingVolume *StagingVolume
	// Lytics is nil for the embedded platform.
	Lytics *LyticsAccount
}

// LyticsAccount is the account of platform.lytics. Empty URLs are Lytics's own.
type LyticsAccount struct {
	Token                      jobs.Secret
	APIURL, BulkURL, AccountID string
}

type configModel struct {
	Runner            types.Object `tfsdk:"runner"`
	DataDir           types.String `tfsdk:"data_dir"`
	DatabaseURL       types.String `tfsdk:"database_url"`
	EncryptionKeyFile types.String `tfsdk:"encryption_key_file"`
	AllowPrivateHosts types.Bool   `tfsdk:"allow_private_hosts"`
	Staging           types.Object `tfsdk:"staging"`
	Platform          types.Object `tfsdk:"platform"`
}

// configReader applies the environment to what the provider block leaves out,
// and notes what is not known yet.
type configReader struct {
	lookup  func(string) (string, bool)
	unknown []string
	diags   diag.Diagnostics
}

// readConfig gives the configuration and the names of attributes that decide
// which store is meant but are not known yet. An unknown staging is no such
// attribute: only a run needs it, and nothing runs before apply.
func readConfig(ctx context.Context, raw tfsdk.Config, lookup func(string) (string, bool)) (Config, []string, diag.Diagnostics) {
	r := &configReader{lookup: lookup}
	var m configModel
	r.diags.Append(raw.Get(ctx, &m)...)
	if r.diags.HasError() {
		return Config{}, nil, r.diags
	}
	if runner := r.runner(ctx, m); runner != nil || len(r.unknown) > 0 {
		return Config{Runner: runner}, r.unknown, r.diags
	}
	c := Config{
		DataDir:           r.text("data_dir", m.DataDir, "LYTICS_DATA_DIR"),
		DatabaseURL:       jobs.NewSecret(r.text("database_url", m.DatabaseURL, "LYTICS_DATABASE_URL")),
		EncryptionKeyFile: r.text("encryption_key_file", m.EncryptionKeyFile, "LYTICS_ENCRYPTION_KEY_FILE"),
		AllowPrivateHosts: r.flag(path.Root("allow_private_hosts"), m.AllowPrivateHosts, "LYTICS_ALLOW_PRIVATE_HOSTS"),
	}
	if c.DataDir == "" {
		c.DataDir = DefaultDataDir
	}
	for _, a := range m.executors() {
		if !a.value.IsNull() {
			c.Executors = append(c.Executors, a.name)
		}
	}
	for _, p := range []*string{&c.DataDir, &c.EncryptionKeyFile} {
		if *p == "" {
			continue
		}
		abs, err := filepath.Abs(*p)
		if err != nil {
			r.diags.AddAttributeError(path.Root("data_dir"), "The working directory cannot be found",
				fmt.Sprintf("%q is relative, and the directory it starts at is unknown: %v. Give an absolute path.", *p, err))
		}
		*p = abs
	}
	c.Lytics = r.lytics(ctx, m.Platform)
	decided := r.unknown
	c.Staging, c.StagingVolume = r.staging(ctx, m.Staging)
	if len(r.unknown) == 0 && !r.diags.HasError() && !unknownStaging(m.Staging) {
		r.sharedEvents(c)
	}
	return c, decided, r.diags
}

// sharedEvents refuses a shared store whose events would be on one machine.
func (r *configReader) sharedEvents(c Config) {
	if c.DatabaseURL.Empty() || c.Lytics != nil || c.Staging != nil {
		return
	}
	r.diags.AddAttributeError(path.Root("staging"), "The events have nowhere to go",
		"With database_url many machines share one store, and none sees another's disk: the embedded platform keeps events in S3 then, and no bucket is configured. "+
			"Set staging.s3 or LYTICS_STAGING_S3_BUCKET, use platform.lytics, or leave database_url out and keep everything in data_dir.")
}

// unknownStaging tells that the bucket may be known later.
func unknownStaging(v types.Object) bool {
	s3, ok := v.Attributes()["s3"]
	return v.IsUnknown() || ok && s3.IsUnknown()
}

// text gives a setting; what is unknown is noted under its name.
func (r *configReader) text(name string, v types.String, env string) string {
	switch {
	case v.IsUnknown():
		r.unknown = append(r.unknown, name)
		return ""
	case !v.IsNull():
		return v.ValueString()
	}
	s, _ := r.lookup(env)
	return s
}

func (r *configReader) flag(p path.Path, v types.Bool, env string) bool {
	switch {
	case v.IsUnknown():
		r.unknown = append(r.unknown, p.String())
		return false
	case !v.IsNull():
		return v.ValueBool()
	}
	s, _ := r.lookup(env)
	if s == "" {
		return false
	}
	b, err := strconv.ParseBool(s)
	if err != nil {
		r.diags.AddAttributeError(p, "An environment variable is not a boolean",
			fmt.Sprintf("%s is %q. Set it to true or false, or unset it.", env, s))
	}
	return b
}
