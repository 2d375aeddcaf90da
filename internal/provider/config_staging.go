package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// StagingS3 is the bucket of staging.s3.
type StagingS3 struct {
	Bucket, Prefix, Region, Endpoint string
	UsePathStyle                     bool
	AccessKeyID                      string
	SecretAccessKey                  jobs.Secret
	Profile                          string
	// RoleARN is assumed with those credentials.
	RoleARN, ExternalID, STSEndpoint string
	// Credential names a Unity Catalog credential for COPY INTO,
	// ExternalLocation the external location that the bucket is in.
	Credential, ExternalLocation string
}

// StagingVolume is the Unity Catalog volume of staging.volume.
type StagingVolume struct {
	Catalog, Schema, Volume, Prefix string
}

type stagingModel struct {
	S3     types.Object `tfsdk:"s3"`
	Volume types.Object `tfsdk:"volume"`
}

type stagingS3Model struct {
	Bucket           types.String `tfsdk:"bucket"`
	Prefix           types.String `tfsdk:"prefix"`
	Region           types.String `tfsdk:"region"`
	Endpoint         types.String `tfsdk:"endpoint"`
	UsePathStyle     types.Bool   `tfsdk:"use_path_style"`
	AccessKeyID      types.String `tfsdk:"access_key_id"`
	SecretAccessKey  types.String `tfsdk:"secret_access_key"`
	Profile          types.String `tfsdk:"profile"`
	RoleARN          types.String `tfsdk:"role_arn"`
	ExternalID       types.String `tfsdk:"external_id"`
	STSEndpoint      types.String `tfsdk:"sts_endpoint"`
	Credential       types.String `tfsdk:"credential"`
	ExternalLocation types.String `tfsdk:"external_location"`
}

type stagingVolumeModel struct {
	Catalog types.String `tfsdk:"catalog"`
	Schema  types.String `tfsdk:"schema"`
	Volume  types.String `tfsdk:"volume"`
	Prefix  types.String `tfsdk:"prefix"`
}

// stagingEnv begins the environment variables of the staging attributes.
const stagingEnv = "LYTICS_STAGING_"

// staging gives the places that are configured.
func (r *configReader) staging(ctx context.Context, v types.Object) (*StagingS3, *StagingVolume) {
	var outer stagingModel
	as := basetypes.ObjectAsOptions{UnhandledNullAsEmpty: true, UnhandledUnknownAsEmpty: true}
	if v.IsUnknown() {
		return nil, nil
	}
	outer.S3, outer.Volume = types.ObjectNull(nil), types.ObjectNull(nil)
	if !v.IsNull() {
		r.diags.Append(v.As(ctx, &outer, as)...)
		if outer.S3.IsUnknown() || outer.Volume.IsUnknown() || r.diags.HasError() {
			return nil, nil
		}
	}
	return r.stagingS3(ctx, outer.S3), r.stagingVolume(ctx, outer.Volume)
}

func (r *configReader) stagingVolume(ctx context.Context, v types.Object) *StagingVolume {
	var m stagingVolumeModel
	if !v.IsNull() {
		r.diags.Append(v.As(ctx, &m, basetypes.ObjectAsOptions{UnhandledNullAsEmpty: true, UnhandledUnknownAsEmpty: true})...)
	}
	before := len(r.unknown)
	const env = stagingEnv + "VOLUME_"
	s := &StagingVolume{
		Catalog: r.text("catalog", m.Catalog, env+"CATALOG"),
		Schema:  r.text("schema", m.Schema, env+"SCHEMA"),
		Volume:  r.text("volume", m.Volume, env+"VOLUME"),
		Prefix:  r.text("prefix", m.Prefix, env+"PREFIX"),
	}
	given := s.Catalog != "" || s.Schema != "" || s.Volume != ""
	switch {
	case len(r.unknown) > before, !given && v.IsNull():
		return nil
	case s.Catalog == "" || s.Schema == "" || s.Volume == "":
		r.diags.AddAttributeError(path.Root("staging").AtName("volume"), "The staging volume has no full name",
			"A volume is named by catalog, schema and volume. Set all three, here or as "+env+"CATALOG, "+env+"SCHEMA and "+env+"VOLUME, or leave staging out if nothing is exported.")
		return nil
	}
	return s
}

func (r *configReader) stagingS3(ctx context.Context, v types.Object) *StagingS3 {
	var m stagingS3Model
	if !v.IsNull() {
		r.diags.Append(v.As(ctx, &m, basetypes.ObjectAsOptions{UnhandledNullAsEmpty: true, UnhandledUnknownAsEmpty: true})...)
	}
	before := len(r.unknown)
	at := path.Root("staging").AtName("s3")
	const env = stagingEnv + "S3_"
	s := &StagingS3{
		Bucket:           r.text("bucket", m.Bucket, env+"BUCKET"),
		Prefix:           r.text("prefix", m.Prefix, env+"PREFIX"),
		Region:           r.text("region", m.Region, env+"REGION"),
		Endpoint:         r.text("endpoint", m.Endpoint, env+"ENDPOINT"),
		UsePathStyle:     r.flag(at.AtName("use_path_style"), m.UsePathStyle, env+"USE_PATH_STYLE"),
		Profile:          r.text("profile", m.Profile, env+"PROFILE"),
		RoleARN:          r.text("role_arn", m.RoleARN, env+"ROLE_ARN"),
		ExternalID:       r.text("external_id", m.ExternalID, env+"EXTERNAL_ID"),
		STSEndpoint:      r.text("sts_endpoint", m.STSEndpoint, env+"STS_ENDPOINT"),
		Credential:       r.text("credential", m.Credential, env+"CREDENTIAL"),
		ExternalLocation: r.text("external_location", m.ExternalLocation, env+"EXTERNAL_LOCATION"),
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
