package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
)

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

// stagingEnv is the prefix of the staging's environment variables.
const stagingEnv = "LYTICS_STAGING_"

// staging reads the staging block. A bucket or volume of which anything is not
// known yet is left out, and the prefix of its environment variables is in
// unknown.
func (r *configReader) staging(ctx context.Context, v types.Object) (s *config.Staging, unknown []string) {
	outer := decode[stagingModel](ctx, r, v)
	if v.IsUnknown() || outer.S3.IsUnknown() || outer.Volume.IsUnknown() {
		return nil, []string{stagingEnv}
	}
	given := config.Staging{}
	if !outer.S3.IsNull() {
		inner := &configReader{}
		given.S3 = inner.stagingS3(ctx, outer.S3)
		r.diags.Append(inner.diags...)
		if len(inner.unknown) > 0 {
			given.S3, unknown = nil, append(unknown, stagingEnv+"S3_")
		}
	}
	if !outer.Volume.IsNull() {
		inner := &configReader{}
		given.Volume = inner.stagingVolume(ctx, outer.Volume)
		r.diags.Append(inner.diags...)
		if len(inner.unknown) > 0 {
			given.Volume, unknown = nil, append(unknown, stagingEnv+"VOLUME_")
		}
	}
	if given.S3 == nil && given.Volume == nil {
		return nil, unknown
	}
	return &given, unknown
}

func (r *configReader) stagingVolume(ctx context.Context, v types.Object) *config.Volume {
	m := decode[stagingVolumeModel](ctx, r, v)
	return &config.Volume{
		Catalog: r.text("catalog", m.Catalog),
		Schema:  r.text("schema", m.Schema),
		Volume:  r.text("volume", m.Volume),
		Prefix:  r.text("prefix", m.Prefix),
	}
}

func (r *configReader) stagingS3(ctx context.Context, v types.Object) *config.S3 {
	m := decode[stagingS3Model](ctx, r, v)
	return &config.S3{
		Bucket:           r.text("bucket", m.Bucket),
		Prefix:           r.text("prefix", m.Prefix),
		Region:           r.text("region", m.Region),
		Endpoint:         r.text("endpoint", m.Endpoint),
		UsePathStyle:     r.flag("use_path_style", m.UsePathStyle),
		AccessKeyID:      r.text("access_key_id", m.AccessKeyID),
		SecretAccessKey:  config.NewSecret(r.text("secret_access_key", m.SecretAccessKey)),
		Profile:          r.text("profile", m.Profile),
		RoleARN:          r.text("role_arn", m.RoleARN),
		ExternalID:       r.text("external_id", m.ExternalID),
		STSEndpoint:      r.text("sts_endpoint", m.STSEndpoint),
		Credential:       r.text("credential", m.Credential),
		ExternalLocation: r.text("external_location", m.ExternalLocation),
	}
}
