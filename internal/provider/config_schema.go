package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
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
				MarkdownDescription: "Whether to allow warehouses on all loopback and private addresses, over plain http and " +
					"under any host name; `private_hosts` allows them one by one. Default `false`. Environment: `LYTICS_ALLOW_PRIVATE_HOSTS`.",
			},
			"private_hosts": schema.ListAttribute{
				ElementType: types.StringType, Optional: true,
				MarkdownDescription: "Hosts outside Databricks' domains that authorizations may name, beside those of Databricks: names, addresses " +
					"(`127.0.0.1`, `::1`) and networks (`10.20.0.0/16`), without scheme and port. Plain http is allowed for them. Metadata services " +
					"are never contacted. Default: none. Environment: `LYTICS_PRIVATE_HOSTS`, with commas.",
				Validators: []validator.List{listvalidator.NoNullValues(), listvalidator.ValueStringsAre(nonEmptyText())},
			},
			"ca_file": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "PEM file with certificate authorities that Databricks workspaces are trusted by, beside those of the system: " +
					"for a proxy that opens TLS. Environment: `LYTICS_CA_FILE`.",
				Validators: []validator.String{nonEmptyText()},
			},
			"staging":    stagingSchema(),
			"events":     eventsSchema(),
			"platform":   platformSchema(),
			"quarantine": quarantineSchema(),
			"databricks": connectionProviderSchema(),
			"plan_check": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether a plan asks the warehouse about the jobs that it creates or runs: how many rows they will move, and " +
					"whether table, columns, rights, staging area and the fields of filters are there. It may start a warehouse, which nothing else " +
					"does in a plan. Leave it off where the same configuration creates the tables. Default `false`. " +
					"Environment: `LYTICS_PLAN_CHECK`. See the guide [Reading a plan](guides/reading-a-plan).",
			},
		},
	}
}
