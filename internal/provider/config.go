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
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// DefaultDataDir is the store's directory when nothing names one.
const DefaultDataDir = ".lytics"

// Config is a provider block with its environment variables and defaults
// applied.
type Config struct {
	// DataDir is absolute.
	DataDir string
	// EncryptionKeyFile is empty for the default place.
	EncryptionKeyFile string
	AllowPrivateHosts bool
	// Staging is nil when none is configured, or not yet known at plan.
	Staging *StagingS3
	// Lytics is nil for the embedded platform.
	Lytics *LyticsAccount
}

// LyticsAccount is the account of platform.lytics. Empty URLs are Lytics's own.
type LyticsAccount struct {
	Token                      jobs.Secret
	APIURL, BulkURL, AccountID string
}

// StagingS3 is the bucket of staging.s3.
type StagingS3 struct {
	Bucket, Prefix, Region, Endpoint string
	UsePathStyle                     bool
	AccessKeyID                      string
	SecretAccessKey                  jobs.Secret
	Profile                          string
	// Credential names a Unity Catalog credential for COPY INTO.
	Credential string
}

type configModel struct {
	DataDir           types.String `tfsdk:"data_dir"`
	EncryptionKeyFile types.String `tfsdk:"encryption_key_file"`
	AllowPrivateHosts types.Bool   `tfsdk:"allow_private_hosts"`
	Staging           types.Object `tfsdk:"staging"`
	Platform          types.Object `tfsdk:"platform"`
}

type stagingModel struct {
	S3 types.Object `tfsdk:"s3"`
}

type stagingS3Model struct {
	Bucket          types.String `tfsdk:"bucket"`
	Prefix          types.String `tfsdk:"prefix"`
	Region          types.String `tfsdk:"region"`
	Endpoint        types.String `tfsdk:"endpoint"`
	UsePathStyle    types.Bool   `tfsdk:"use_path_style"`
	AccessKeyID     types.String `tfsdk:"access_key_id"`
	SecretAccessKey types.String `tfsdk:"secret_access_key"`
	Profile         types.String `tfsdk:"profile"`
	Credential      types.String `tfsdk:"credential"`
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
	c := Config{
		DataDir:           r.text("data_dir", m.DataDir, "LYTICS_DATA_DIR"),
		EncryptionKeyFile: r.text("encryption_key_file", m.EncryptionKeyFile, "LYTICS_ENCRYPTION_KEY_FILE"),
		AllowPrivateHosts: r.flag(path.Root("allow_private_hosts"), m.AllowPrivateHosts, "LYTICS_ALLOW_PRIVATE_HOSTS"),
	}
	if c.DataDir == "" {
		c.DataDir = DefaultDataDir
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
	c.Staging = r.staging(ctx, m.Staging)
	return c, decided, r.diags
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

func (r *configReader) staging(ctx context.Context, v types.Object) *StagingS3 {
	var outer stagingModel
	var m stagingS3Model
	as := basetypes.ObjectAsOptions{UnhandledNullAsEmpty: true, UnhandledUnknownAsEmpty: true}
	if v.IsUnknown() {
		return nil
	}
	if !v.IsNull() {
		r.diags.Append(v.As(ctx, &outer, as)...)
		if outer.S3.IsUnknown() || r.diags.HasError() {
			return nil
		}
		r.diags.Append(outer.S3.As(ctx, &m, as)...)
	}
	before := len(r.unknown)
	at := path.Root("staging").AtName("s3")
	const env = "LYTICS_STAGING_S3_"
	s := &StagingS3{
		Bucket:       r.text("bucket", m.Bucket, env+"BUCKET"),
		Prefix:       r.text("prefix", m.Prefix, env+"PREFIX"),
		Region:       r.text("region", m.Region, env+"REGION"),
		Endpoint:     r.text("endpoint", m.Endpoint, env+"ENDPOINT"),
		UsePathStyle: r.flag(at.AtName("use_path_style"), m.UsePathStyle, env+"USE_PATH_STYLE"),
		Profile:      r.text("profile", m.Profile, env+"PROFILE"),
		Credential:   r.text("credential", m.Credential, env+"CREDENTIAL"),
	}
	// The two keys are one credential: the environment fills in for both or
	// none, so that halves of different origin never meet.
	if m.AccessKeyID.IsNull() && m.SecretAccessKey.IsNull() && m.Profile.IsNull() {
		s.AccessKeyID, _ = r.lookup(env + "ACCESS_KEY_ID")
		secret, _ := r.lookup(env + "SECRET_ACCESS_KEY")
		s.SecretAccessKey = jobs.NewSecret(secret)
	} else {
		s.AccessKeyID = r.text("access_key_id", m.AccessKeyID, env+"ACCESS_KEY_ID")
		s.SecretAccessKey = jobs.NewSecret(r.text("secret_access_key", m.SecretAccessKey, env+"SECRET_ACCESS_KEY"))
	}
	switch {
	case len(r.unknown) > before:
		return nil
	case s.Bucket == "" && v.IsNull():
		return nil
	case s.Bucket == "":
		r.diags.AddAttributeError(at.AtName("bucket"), "The staging bucket has no name",
			"staging.s3 is given without bucket, and LYTICS_STAGING_S3_BUCKET is not set. Set one of them, or leave staging out if nothing is exported.")
	case (s.AccessKeyID == "") != s.SecretAccessKey.Empty():
		r.diags.AddAttributeError(at.AtName("access_key_id"), "Half of the staging credential is missing",
			"An access key has two parts, access_key_id and secret_access_key. Set both, here or in the environment, or neither to use the AWS credential chain.")
	}
	return s
}
