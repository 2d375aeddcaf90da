package provider

import (
	"cmp"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
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
	CAFile              types.String `tfsdk:"ca_file"`
	CatalogAPI          types.String `tfsdk:"catalog_api"`
	ManagedBy           types.String `tfsdk:"managed_by"`

	loginModel
}

func authorizationSchema() schema.Schema {
	s := schema.Schema{
		MarkdownDescription: "The address of one Databricks SQL warehouse and a login for it. A token or secret " +
			"given here is encrypted in the store; " +
			"it is neither in state nor in a plan.",
		Attributes: map[string]schema.Attribute{
			"id":          idAttribute("Id of the authorization."),
			"label":       labelAttribute("Name of the authorization, shown to people."),
			"description": descriptionAttribute("What the authorization is for."),
			"host": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "\"Server hostname\" of the warehouse's connection details, such as `dbc-a1b2c3d4-e5f6.cloud.databricks.com`. " +
					"Another host, such as `http://127.0.0.1` of a local " +
					"sandbox, has to be opened by the operator of the process that executes the runs: `private_hosts` of the provider block or of the " +
					"runner's configuration. A stored secret is bound to scheme, host, port, " +
					"client id and `ca_file`: a change of one of them needs the secret again.",
				Validators: []validator.String{nonEmptyText(), hostNameRule()},
			},
			"port": schema.Int64Attribute{
				Optional: true, Computed: true,
				Default:             int64default.StaticInt64(defaultPort),
				MarkdownDescription: "Port of the warehouse. Default 443.",
				Validators:          []validator.Int64{int64validator.Between(1, 65535)},
			},
			"http_path": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "\"HTTP path\" of the warehouse's connection details, such as `/sql/1.0/warehouses/a1b2c3d4e5f6a7b8`.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"token_wo": schema.StringAttribute{
				Optional: true, Sensitive: true, WriteOnly: true,
				MarkdownDescription: "Personal access token. Write-only: it is sent to the store, which encrypts it, when `token_wo_version` changes.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"token_wo_version": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Version of `token_wo`. Raise it to send a new token.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"token_env": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Instead of `token_wo`: name of the environment variable that holds the token. " +
					"The process that executes a run reads it; the token is never stored.",
				Validators: []validator.String{envName()},
			},
			"client_id": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Instead of a token: application id of a service principal, for OAuth machine-to-machine authentication with " +
					"`client_secret_wo`, or for workload identity federation (`auth_type`), which needs no secret. " +
					"Access tokens are renewed during a run.",
				Validators: []validator.String{nonEmptyText()},
			},
			"client_secret_wo": schema.StringAttribute{
				Optional: true, Sensitive: true, WriteOnly: true,
				MarkdownDescription: "OAuth secret of the service principal. Write-only: it is sent to the store, which encrypts it, " +
					"when `client_secret_wo_version` changes.",
				Validators: []validator.String{nonEmptyText()},
			},
			"client_secret_wo_version": schema.Int64Attribute{
				Optional:            true,
				MarkdownDescription: "Version of `client_secret_wo`. Raise it to send a new secret.",
				Validators:          []validator.Int64{int64validator.AtLeast(1)},
			},
			"ca_file": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "PEM file with certificate authorities that the connections of this authorization trust, beside those of the " +
					"system and of the `ca_file` of the provider block or of the runner: for a workspace behind a proxy that opens TLS. The process " +
					"that executes a run reads it for each connection; on a runner the path is absolute. At most 1 MiB. A change needs the stored " +
					"secret again.",
				Validators: []validator.String{nonEmptyText()},
			},
			"managed_by": managedByAttribute("Who keeps the authorization and connects with it: `provider` (the default) is this provider, "+
				"for jobs that it executes; `lytics` is the Lytics account, for jobs with `managed_by = \"lytics\"`. Lytics takes a personal "+
				"access token alone; this store keeps it as well, encrypted, because every change sends it to Lytics again. Another value "+
				"replaces the authorization. See the guide [Managed by Lytics](../guides/managed-by-lytics).", stringplanmodifier.RequiresReplace()),
			"catalog_api": schema.StringAttribute{
				Optional: true, Computed: true,
				Default: stringdefault.StaticString(string(jobs.CatalogREST)),
				MarkdownDescription: "How the data sources list catalogs, databases, tables and columns. `rest` (default) reads Unity " +
					"Catalog's REST API, " +
					"which starts no warehouse; `hive_metastore`, and a workspace without Unity Catalog, are read through the warehouse. " +
					"`sql` reads everything through the warehouse, and lists `hive_metastore` among the catalogs.",
				Validators: []validator.String{stringvalidator.OneOf(string(jobs.CatalogREST), string(jobs.CatalogSQL))},
			},
			"check_connection": schema.BoolAttribute{
				Optional: true, Computed: true,
				Default: booldefault.StaticBool(defaultCheckConnection),
				MarkdownDescription: "Whether to open a session when the authorization is created or changed. This waits for a " +
					"warehouse that is starting. With `managed_by = \"lytics\"`: whether an authorization that Lytics reports as unhealthy " +
					"is an error. Default `true`.",
			},
		},
	}
	maps.Copy(s.Attributes, loginAttributes())
	return s
}

// setFromAuthorization sets the model from the stored authorization. If the
// stored secret cannot be decrypted, its version becomes null, so that the next
// apply sends the secret again.
func (m *authorizationModel) setFromAuthorization(a jobs.Authorization) {
	m.ID = types.StringValue(a.ID)
	m.ManagedBy = managerValue(a.ManagedBy)
	m.Label = types.StringValue(a.Label)
	m.Description = types.StringValue(a.Description)
	m.Host = types.StringValue(a.Host)
	m.Port = types.Int64Value(int64(a.Port))
	m.HTTPPath = types.StringValue(a.HTTPPath)
	m.TokenEnv = nullIfEmpty(a.TokenEnv)
	m.TokenVersion = types.Int64Null()
	if a.TokenEnv == "" && a.ClientID == "" && a.Login == nil && a.SecretReadable && a.TokenVersion != 0 {
		m.TokenVersion = types.Int64Value(a.TokenVersion)
	}
	m.CheckConnection = types.BoolValue(a.CheckConnection)
	m.ClientID = nullIfEmpty(a.ClientID)
	m.setFromLogin(a.Login)
	m.CAFile = nullIfEmpty(a.CAFile)
	m.ClientSecretVersion, m.AzureClientSecretVersion, m.GoogleCredentialsVersion = types.Int64Null(), types.Int64Null(), types.Int64Null()
	if version := types.Int64Value(a.ClientSecretVersion); a.SecretReadable && a.ClientSecretVersion != 0 {
		switch {
		case a.ClientID != "":
			m.ClientSecretVersion = version
		case a.Login.KeepsSecret() && a.Login.Kind == jobs.LoginAzureClientSecret:
			m.AzureClientSecretVersion = version
		case a.Login.KeepsSecret():
			m.GoogleCredentialsVersion = version
		}
	}
	m.CatalogAPI = types.StringValue(string(cmp.Or(a.CatalogAPI, jobs.CatalogREST)))
}
