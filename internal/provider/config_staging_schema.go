package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func stagingSchema() schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "Where an export's files wait for `COPY INTO`: a bucket or a volume. Only audience exports need it. " +
			"Where both are given, exports wait in the volume.",
		Attributes: map[string]schema.Attribute{
			"s3":     stagingS3Schema(),
			"volume": stagingVolumeSchema(),
		},
	}
}

// stagingText is an optional text of the staging block.
func stagingText(doc string, more ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: doc,
		Validators:          append([]validator.String{plainText()}, more...),
	}
}

func sibling(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }

func stagingVolumeSchema() schema.Attribute {
	part := func(doc, name string) schema.StringAttribute {
		return stagingText(doc+" Environment: `"+stagingEnv+"VOLUME_"+name+"`.", pathPart())
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "A Unity Catalog volume: no bucket and no AWS credentials are needed. The files are written with the authorization's own token, " +
			"which takes READ VOLUME and WRITE VOLUME. Each attribute also has an environment variable `LYTICS_STAGING_VOLUME_...`.",
		Attributes: map[string]schema.Attribute{
			"catalog": part("Catalog of the volume.", "CATALOG"),
			"schema":  part("Schema of the volume.", "SCHEMA"),
			"volume":  part("Name of the volume.", "VOLUME"),
			"prefix":  stagingText("Directory of the volume under which each run makes one of its own. Default: the volume's root. Environment: `LYTICS_STAGING_VOLUME_PREFIX`."),
		},
	}
}

// pathPart wants what can be one part of a path.
func pathPart() validator.String {
	return textRule{rule: "without slashes", check: func(s string) error {
		if strings.Contains(s, "/") || s == "." || s == ".." {
			return fmt.Errorf("%q cannot be a part of a path: give the name alone", s)
		}
		return nil
	}}
}

func stagingS3Schema() schema.Attribute {
	text := stagingText
	secret := text("Secret of `access_key_id`. Environment: `LYTICS_STAGING_S3_SECRET_ACCESS_KEY`. "+
		"An ephemeral value keeps it out of the plan.", stringvalidator.AlsoRequires(sibling("access_key_id")))
	secret.Sensitive = true
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "An S3 bucket, or a service that speaks its protocol. Each attribute also has an environment variable `LYTICS_STAGING_S3_...`. " +
			"The credentials found here never reach the warehouse: `COPY INTO` names what Unity Catalog has for the bucket (`credential`, `external_location`), " +
			"or carries keys minted for the run, which expire, and which may read the run's own prefix and nothing else. " +
			"They are minted with `AssumeRole` where `role_arn` is set or the credentials are a role's, and with `GetFederationToken` where they are a user's access key.",
		Attributes: map[string]schema.Attribute{
			"bucket": text("Name of the bucket. Required here or as `LYTICS_STAGING_S3_BUCKET`."),
			"prefix": text("Key prefix under which each run makes a prefix of its own. Default: the bucket's root. " +
				"Environment: `LYTICS_STAGING_S3_PREFIX`."),
			"region": text("Region of the bucket. Default: that of the AWS environment, else `us-east-1`. " +
				"Environment: `LYTICS_STAGING_S3_REGION`."),
			"endpoint": text("Address of the S3 service. Default: AWS. Environment: `LYTICS_STAGING_S3_ENDPOINT`."),
			"use_path_style": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Address the bucket in the path instead of the host name, as most S3-compatible services want it. " +
					"Default `false`. Environment: `LYTICS_STAGING_S3_USE_PATH_STYLE`.",
			},
			"access_key_id": text("Access key to upload with. Default: the AWS credential chain. "+
				"Environment: `LYTICS_STAGING_S3_ACCESS_KEY_ID`.",
				stringvalidator.ConflictsWith(sibling("profile"))),
			"secret_access_key": secret,
			"profile": text("Profile of the shared AWS configuration to upload with. " +
				"Environment: `LYTICS_STAGING_S3_PROFILE`."),
			"role_arn": text("Role to assume with those credentials, for uploads and, narrowed, for `COPY INTO`. " +
				"Environment: `LYTICS_STAGING_S3_ROLE_ARN`."),
			"external_id": text("External id that the trust policy of `role_arn` asks for. Environment: `LYTICS_STAGING_S3_EXTERNAL_ID`.",
				stringvalidator.AlsoRequires(sibling("role_arn"))),
			"sts_endpoint": text("Address of the token service that mints credentials. Default: AWS, or `endpoint` where that is set. " +
				"Environment: `LYTICS_STAGING_S3_STS_ENDPOINT`."),
			"credential": text("Name of the Unity Catalog storage credential that `COPY INTO` reads the bucket with: no secret is in the statement. "+
				"Environment: `LYTICS_STAGING_S3_CREDENTIAL`.", stringvalidator.ConflictsWith(sibling("external_location"))),
			"external_location": text("Name of the Unity Catalog external location that the bucket's prefix is in: `COPY INTO` then carries no credential at all. " +
				"Takes READ FILES on it. Environment: `LYTICS_STAGING_S3_EXTERNAL_LOCATION`."),
		},
	}
}
