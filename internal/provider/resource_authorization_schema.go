package provider

import (
	"cmp"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const (
	defaultPort            = 443
	defaultCheckConnection = true
)

type authorizationModel struct {
	ID              types.String `tfsdk:"id"`
	Label           types.String `tfsdk:"label"`
	Description     types.String `tfsdk:"description"`
	Host            types.String `tfsdk:"host"`
	Port            types.Int64  `tfsdk:"port"`
	HTTPPath        types.String `tfsdk:"http_path"`
	TokenWO         types.String `tfsdk:"token_wo"`
	TokenVersion    types.Int64  `tfsdk:"token_wo_version"`
	TokenEnv        types.String `tfsdk:"token_env"`
	CheckConnection types.Bool   `tfsdk:"check_connection"`

	ClientID            types.String `tfsdk:"client_id"`
	ClientSecretWO      types.String `tfsdk:"client_secret_wo"`
	ClientSecretVersion types.Int64  `tfsdk:"client_secret_wo_version"`
	CatalogAPI          types.String `tfsdk:"catalog_api"`
}

func authorizationSchema() schema.Schema {
	return schema.Schema{
		MarkdownDescription: "How to reach one Databricks SQL warehouse, and the right to. A token or client secret given here is encrypted in the store; " +
			"it is in neither state nor plan.",
		Attributes: map[string]schema.Attribute{
			"id":          idAttribute("Id of the authorization."),
			"label":       labelAttribute("Name of the authorization, for people."),
			"description": descriptionAttribute("What the authorization is for."),
			"host": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "\"Server hostname\" of the warehouse's connection details, such as `dbc-a1b2c3d4-e5f6.cloud.databricks.com`. " +
					"For a local sandbox with a scheme: `http://127.0.0.1`. A stored token belongs to its host: another host needs the token again.",
				Validators: []validator.String{plainText(), hostName()},
			},
			"port": schema.Int64Attribute{
				Optional: true, Computed: true,
				Default:             int64default.StaticInt64(defaultPort),
				MarkdownDescription: "Default 443.",
				Validators:          []validator.Int64{int64validator.Between(1, 65535)},
			},
			"http_path": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "\"HTTP path\" of the connection details, such as `/sql/1.0/warehouses/a1b2c3d4e5f6a7b8`.",
				Validators:          []validator.String{plainText()},
			},
			"token_wo": schema.StringAttribute{
				Optional: true, Sensitive: true, WriteOnly: true,
				MarkdownDescription: "Personal access token. Write-only: it is sent to the store, which encrypts it, when `token_wo_version` changes.",
				Validators:          []validator.String{plainText()},
			},
			"token_wo_version": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Goes with `token_wo`: raise it to send a new token.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"token_env": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Instead of `token_wo`: name of the environment variable that holds the token. " +
					"It is read where the run executes, and never stored.",
				Validators: []validator.String{envName()},
			},
			"client_id": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Instead of a token: application id of a service principal, which the provider signs in by OAuth " +
					"(machine-to-machine). Access tokens are renewed while a run goes on.",
				Validators: []validator.String{plainText()},
			},
			"client_secret_wo": schema.StringAttribute{
				Optional: true, Sensitive: true, WriteOnly: true,
				MarkdownDescription: "OAuth secret of the service principal. Write-only: it is sent to the store, which encrypts it, when `client_secret_wo_version` changes.",
				Validators:          []validator.String{plainText()},
			},
			"client_secret_wo_version": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Goes with `client_secret_wo`: raise it to send a new secret.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"catalog_api": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.CatalogREST)),
				MarkdownDescription: "How the data sources list catalogs, databases, tables and columns. `rest` (default) reads Unity Catalog's REST API, " +
					"which starts no warehouse; `hive_metastore`, and a workspace without Unity Catalog, are read by the warehouse all the same. " +
					"`sql` asks the warehouse for everything, and lists `hive_metastore` among the catalogs.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.CatalogREST), string(jobs.CatalogSQL))},
			},
			"check_connection": schema.BoolAttribute{
				Optional: true, Computed: true,
				Default: booldefault.StaticBool(defaultCheckConnection),
				MarkdownDescription: "Open a session when the authorization is created or changed, waiting for a warehouse that is starting. " +
					"Default `true`.",
			},
		},
	}
}

// show takes a registered authorization into a model. A secret that cannot be
// read loses its version, so that the next apply sends the token again.
func (m *authorizationModel) show(a jobs.Authorization) {
	m.ID = types.StringValue(a.ID)
	m.Label = types.StringValue(a.Label)
	m.Description = types.StringValue(a.Description)
	m.Host = types.StringValue(a.Host)
	m.Port = types.Int64Value(int64(a.Port))
	m.HTTPPath = types.StringValue(a.HTTPPath)
	m.TokenEnv = text(a.TokenEnv)
	m.TokenVersion = types.Int64Null()
	if a.TokenEnv == "" && a.ClientID == "" && a.SecretReadable && a.TokenVersion != 0 {
		m.TokenVersion = types.Int64Value(a.TokenVersion)
	}
	m.CheckConnection = types.BoolValue(a.CheckConnection)
	m.ClientID = text(a.ClientID)
	m.ClientSecretVersion = types.Int64Null()
	if a.ClientID != "" && a.SecretReadable && a.ClientSecretVersion != 0 {
		m.ClientSecretVersion = types.Int64Value(a.ClientSecretVersion)
	}
	m.CatalogAPI = types.StringValue(string(cmp.Or(a.CatalogAPI, jobs.CatalogREST)))
}
