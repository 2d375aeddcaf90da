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
		MarkdownDescription: "Where an export stages its files for `COPY INTO`: a Unity Catalog volume, or a bucket. Only audience exports " +
			"need it. If both are given, exports use the volume.",
		Attributes: map[string]schema.Attribute{
			"s3":     stagingS3Schema(),
			"volume": stagingVolumeSchema(),
		},
	}
}

// optionalString is an optional string attribute.
func optionalString(doc string, more ...validator.String) schema.StringAttribute {
	return schema.StringAttribute{
		Optional:            true,
		MarkdownDescription: doc,
		Validators:          append([]validator.String{nonEmptyText()}, more...),
	}
}

func sibling(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }

func stagingVolumeSchema() schema.Attribute {
	part := func(doc, name string) schema.StringAttribute {
		return optionalString(doc+" Environment: `"+stagingEnv+"VOLUME_"+name+"`.", pathPart())
	}
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "A Unity Catalog volume, managed or external: no bucket and no key are needed, on AWS, Azure and Google " +
			"Cloud. The files are written with the authorization's credential, which needs READ VOLUME and WRITE VOLUME. " +
			"Each attribute also has an environment variable `LYTICS_STAGING_VOLUME_...`.",
		Attributes: map[string]schema.Attribute{
			"catalog": part("Catalog of the volume.", "CATALOG"),
			"schema":  part("Schema of the volume.", "SCHEMA"),
			"volume":  part("Name of the volume.", "VOLUME"),
			"prefix": optionalString("Directory of the volume in which each run creates a directory of its own. Default: the " +
				"volume's root. Environment: `LYTICS_STAGING_VOLUME_PREFIX`."),
		},
	}
}

// pathPart accepts a name that can be one part of a path.
func pathPart() validator.String {
	return stringRule{rule: "without slashes", check: func(s string) error {
		if strings.Contains(s, "/") || s == "." || s == ".." {
			return fmt.Errorf("%q cannot be one part of a path: give the name alone", s)
		}
		return nil
	}}
}

func stagingS3Schema() schema.Attribute {
	text := optionalString
	secret := text("Secret of `access_key_id`. Environment: `LYTICS_STAGING_S3_SECRET_ACCESS_KEY`. "+
		"An ephemeral value keeps it out of the plan.", stringvalidator.AlsoRequires(sibling("access_key_id")))
	secret.Sensitive = true
	return schema.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "A bucket in S3 or in a service with the S3 protocol. Each attribute also has an environment " +
			"variable `LYTICS_STAGING_S3_...`. " +
			"These credentials are never sent to the warehouse: `COPY INTO` names what Unity Catalog has for the bucket " +
			"(`credential`, `external_location`), " +
			"or gets temporary keys that can read only the run's own prefix. " +
			"The keys come from `AssumeRole` if `role_arn` is set or the credentials belong to a role, and from " +
			"`GetFederationToken` if they are a user's access key.",
		Attributes: map[string]schema.Attribute{
			"bucket": text("Name of the bucket. Required here or as `LYTICS_STAGING_S3_BUCKET`."),
			"prefix": text("Key prefix under which each run creates a prefix of its own. Default: the bucket's root. " +
				"Environment: `LYTICS_STAGING_S3_PREFIX`."),
			"region": text("Region of the bucket. Default: the region of the AWS environment, or `us-east-1`. " +
				"Environment: `LYTICS_STAGING_S3_REGION`."),
			"endpoint": text("URL of the S3 service. Default: AWS. Environment: `LYTICS_STAGING_S3_ENDPOINT`."),
			"use_path_style": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to put the bucket into the path instead of the host name, as most S3-compatible services require. " +
					"Default `false`. Environment: `LYTICS_STAGING_S3_USE_PATH_STYLE`.",
			},
			"access_key_id": text("Access key for uploads. Default: the AWS credential chain. "+
				"Environment: `LYTICS_STAGING_S3_ACCESS_KEY_ID`.",
				stringvalidator.ConflictsWith(sibling("profile"))),
			"secret_access_key": secret,
			"profile": text("Profile of the shared AWS configuration for uploads. " +
				"Environment: `LYTICS_STAGING_S3_PROFILE`."),
			"role_arn": text("Role to assume with those credentials, for uploads and, with fewer rights, for `COPY INTO`. " +
				"Environment: `LYTICS_STAGING_S3_ROLE_ARN`."),
			"external_id": text("External id that the trust policy of `role_arn` requires. Environment: `LYTICS_STAGING_S3_EXTERNAL_ID`.",
				stringvalidator.AlsoRequires(sibling("role_arn"))),
			"sts_endpoint": text("URL of the token service (STS). Default: AWS, or `endpoint` if that is set. " +
				"Environment: `LYTICS_STAGING_S3_STS_ENDPOINT`."),
			"credential": text("Name of the Unity Catalog storage credential with which `COPY INTO` reads the bucket: the statement has no secret. "+
				"Environment: `LYTICS_STAGING_S3_CREDENTIAL`.", stringvalidator.ConflictsWith(sibling("external_location"))),
			"external_location": text("Name of the Unity Catalog external location that contains the bucket's prefix: `COPY INTO` " +
				"then needs no credential. " +
				"This needs READ FILES on it. Environment: `LYTICS_STAGING_S3_EXTERNAL_LOCATION`."),
		},
	}
}
