package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Moves customer data between Databricks and the Lytics customer-data platform, " +
			"and runs the moving itself: nothing else has to be installed or hosted.",
		Attributes: map[string]schema.Attribute{
			"data_dir": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Directory of the store: definitions, cursors, streams, profiles and encrypted secrets. " +
					"A relative path starts at the directory Terraform runs in. Default `.lytics`, beside the configuration. " +
					"Environment: `LYTICS_DATA_DIR`. It must outlive the Terraform run: see *The data directory*.",
				Validators: []validator.String{plainText()},
			},
			"encryption_key_file": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "File with the key that encrypts stored secrets; made on first use, and kept outside `data_dir`. " +
					"Environment: `LYTICS_ENCRYPTION_KEY_FILE`, or `LYTICS_ENCRYPTION_KEY` with the key itself.",
				Validators: []validator.String{plainText()},
			},
			"allow_private_hosts": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Allow warehouses and endpoints on loopback and private addresses, over plain http and under any host name, " +
					"as the local sandbox needs. Default `false`. Environment: `LYTICS_ALLOW_PRIVATE_HOSTS`.",
			},
			"staging": schema.SingleNestedAttribute{
				Optional:            true,
				MarkdownDescription: "Where an export's files wait for `COPY INTO`. Only audience exports need it.",
				Attributes: map[string]schema.Attribute{
					"s3": stagingS3Schema(),
				},
			},
			"platform": platformSchema(),
		},
	}
}

func stagingS3Schema() schema.Attribute {
	text := func(doc string, more ...validator.String) schema.StringAttribute {
		return schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: doc,
			Validators:          append([]validator.String{plainText()}, more...),
		}
	}
	sibling := func(name string) path.Expression { return path.MatchRelative().AtParent().AtName(name) }
	secret := text("Secret of `access_key_id`. Environment: `LYTICS_STAGING_S3_SECRET_ACCESS_KEY`. "+
		"An ephemeral value keeps it out of the plan.", stringvalidator.AlsoRequires(sibling("access_key_id")))
	secret.Sensitive = true
	return schema.SingleNestedAttribute{
		Required:            true,
		MarkdownDescription: "An S3 bucket, or a service that speaks its protocol. Each attribute also has an environment variable `LYTICS_STAGING_S3_...`.",
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
			"credential": text("Name of the Unity Catalog credential that `COPY INTO` reads the bucket with. " +
				"Default: temporary credentials minted for the run. Environment: `LYTICS_STAGING_S3_CREDENTIAL`."),
		},
	}
}
