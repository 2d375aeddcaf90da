package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Moves customer data between Databricks and the Lytics customer-data platform, " +
			"and runs the moving itself: nothing else has to be installed or hosted.",
		Attributes: map[string]schema.Attribute{
			"runner": runnerSchema(),
			"database_url": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "PostgreSQL database that holds the store instead of `data_dir`: `postgres://USER:PASSWORD@HOST/DATABASE`. " +
					"Environment: `LYTICS_DATABASE_URL`. An ephemeral value keeps it out of the plan.",
				Validators: []validator.String{plainText()},
			},
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
			"staging":  stagingSchema(),
			"platform": platformSchema(),
		},
	}
}
