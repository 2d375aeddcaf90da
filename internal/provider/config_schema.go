package provider

import (
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
)

func providerSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "Moves customer data between Databricks and the Lytics customer-data platform. " +
			"The provider executes the jobs itself: nothing else has to be installed or hosted.",
		Attributes: map[string]schema.Attribute{
			"runner": runnerSchema(),
			"database_url": schema.StringAttribute{
				Optional: true, Sensitive: true,
				MarkdownDescription: "PostgreSQL database that holds the store instead of `data_dir`: `postgres://USER:PASSWORD@HOST/DATABASE`. " +
					"Environment: `LYTICS_DATABASE_URL`. An ephemeral value keeps it out of the plan.",
				Validators: []validator.String{nonEmptyText()},
			},
			"data_dir": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Directory of the store: definitions, cursors, streams, profiles and encrypted secrets. " +
					"A relative path starts at the directory in which Terraform runs. Default `.lytics`, beside the configuration. " +
					"Environment: `LYTICS_DATA_DIR`. It must outlive the Terraform run: see *The data directory*.",
				Validators: []validator.String{nonEmptyText()},
			},
			"encryption_key_file": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "File with the key that encrypts stored secrets; it is created on first use, outside `data_dir`. " +
					"Environment: `LYTICS_ENCRYPTION_KEY_FILE`, or `LYTICS_ENCRYPTION_KEY` with the key itself.",
				Validators: []validator.String{nonEmptyText()},
			},
			"allow_private_hosts": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to allow warehouses and endpoints on loopback and private addresses, over plain http and " +
					"under any host name. " +
					"The local sandbox needs this. Default `false`. Environment: `LYTICS_ALLOW_PRIVATE_HOSTS`.",
			},
			"staging":    stagingSchema(),
			"platform":   platformSchema(),
			"quarantine": quarantineSchema(),
		},
	}
}
