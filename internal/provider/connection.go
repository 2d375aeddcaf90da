package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	provider "github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// defaultConnectionEnv is the variable that Databricks' own tools read a token from.
const defaultConnectionEnv = "DATABRICKS_TOKEN" // #nosec G101 -- a name

// The descriptions of a connection's attributes.
const (
	connectionHostDoc = "Host name of the workspace, such as `dbc-1234.cloud.databricks.com`."
	connectionPortDoc = "Port. Default 443."
	connectionPathDoc = "HTTP path of a SQL warehouse. Only what Unity Catalog does not know needs a warehouse: `hive_metastore`, " +
		"`catalog_api = \"sql\"` and `plan_check`."
	connectionEnvDoc = "Name of the environment variable that holds the token: of Terraform's process, or of the runner, if there is one. " +
		"Default `DATABRICKS_TOKEN`."
	connectionCADoc = "PEM file with certificate authorities that the connection trusts, too, as in `lytics_databricks_authorization`: on the " +
		"machine of Terraform, or of the runner, if there is one."
	connectionAPIDoc = "`rest` (the default) reads Unity Catalog, which starts no warehouse. `sql` asks the warehouse."
)

var (
	connectionPortChecks = []validator.Int64{int64validator.Between(1, 65535)}
	connectionAPIChecks  = []validator.String{stringvalidator.OneOf(string(jobs.CatalogREST), string(jobs.CatalogSQL))}
)

func connectionTextChecks() (text, host, variable []validator.String) {
	text = []validator.String{nonEmptyText()}
	return text, append(text, hostNameRule()), []validator.String{envName()}
}

func connectionProviderSchema() provider.Attribute {
	text, host, variable := connectionTextChecks()
	out := provider.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "How data sources reach Databricks before there is an authorization, so that a configuration lists tables and " +
			"imports them in its first apply. It refers to its credential: no secret is stored. Default: none; such a data source then needs its " +
			"own `databricks` or an `authorization_id`.",
		Attributes: map[string]provider.Attribute{
			"host":        provider.StringAttribute{Required: true, MarkdownDescription: connectionHostDoc, Validators: host},
			"port":        provider.Int64Attribute{Optional: true, MarkdownDescription: connectionPortDoc, Validators: connectionPortChecks},
			"http_path":   provider.StringAttribute{Optional: true, MarkdownDescription: connectionPathDoc, Validators: text},
			"token_env":   provider.StringAttribute{Optional: true, MarkdownDescription: connectionEnvDoc, Validators: variable},
			"ca_file":     provider.StringAttribute{Optional: true, MarkdownDescription: connectionCADoc, Validators: text},
			"catalog_api": provider.StringAttribute{Optional: true, MarkdownDescription: connectionAPIDoc, Validators: connectionAPIChecks},
		},
	}
	for name, f := range connectionLoginFields() {
		if f.list {
			out.Attributes[name] = provider.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: f.doc}
		} else {
			out.Attributes[name] = provider.StringAttribute{Optional: true, MarkdownDescription: f.doc, Validators: f.checks}
		}
	}
	return out
}

// withConnection adds to a data source the attributes that say how it reaches
// Databricks.
func withConnection(own map[string]datasource.Attribute) map[string]datasource.Attribute {
	text, host, variable := connectionTextChecks()
	own["authorization_id"] = datasource.StringAttribute{
		Optional: true,
		MarkdownDescription: "Id of the `lytics_databricks_authorization` to reach Databricks with. Default: `databricks`, here or in the " +
			"provider block. The id of an authorization that the same apply creates is not known in the plan, and the data source is " +
			"read in the apply.",
		Validators: text,
	}
	connection := datasource.SingleNestedAttribute{
		Optional: true,
		MarkdownDescription: "How to reach Databricks without an authorization. Default: `databricks` of the provider block. On a runner it " +
			"needs a token with the role `admin`, as a new authorization does.",
		Validators: []validator.Object{objectvalidator.ConflictsWith(path.MatchRoot("authorization_id"))},
		Attributes: map[string]datasource.Attribute{
			"host":        datasource.StringAttribute{Required: true, MarkdownDescription: connectionHostDoc, Validators: host},
			"port":        datasource.Int64Attribute{Optional: true, MarkdownDescription: connectionPortDoc, Validators: connectionPortChecks},
			"http_path":   datasource.StringAttribute{Optional: true, MarkdownDescription: connectionPathDoc, Validators: text},
			"token_env":   datasource.StringAttribute{Optional: true, MarkdownDescription: connectionEnvDoc, Validators: variable},
			"ca_file":     datasource.StringAttribute{Optional: true, MarkdownDescription: connectionCADoc, Validators: text},
			"catalog_api": datasource.StringAttribute{Optional: true, MarkdownDescription: connectionAPIDoc, Validators: connectionAPIChecks},
		},
	}
	for name, f := range connectionLoginFields() {
		if f.list {
			connection.Attributes[name] = datasource.ListAttribute{ElementType: types.StringType, Optional: true, MarkdownDescription: f.doc}
		} else {
			connection.Attributes[name] = datasource.StringAttribute{Optional: true, MarkdownDescription: f.doc, Validators: f.checks}
		}
	}
	own["databricks"] = connection
	return own
}

// connection reads databricks of the provider block. It is nil if the block has none,
// or if part of it is not known yet, which unknown then names.
func (r *configReader) connection(ctx context.Context, v types.Object) (spec *jobs.AuthorizationSpec, unknown []string) {
	if v.IsUnknown() {
		return nil, []string{"databricks"}
	}
	if v.IsNull() {
		return nil, nil
	}
	for name, value := range v.Attributes() {
		if value.IsUnknown() {
			unknown = append(unknown, "databricks."+name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return nil, unknown
	}
	return connectionSpec(ctx, v.Attributes(), &r.diags), nil
}
