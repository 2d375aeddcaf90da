package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// accessTokenEphemeral is an access token of a workspace, which is kept nowhere. It needs
// Terraform 1.10.
type accessTokenEphemeral struct{ session *session }

var _ ephemeral.EphemeralResourceWithConfigure = (*accessTokenEphemeral)(nil)

func newAccessTokenEphemeral() ephemeral.EphemeralResource { return &accessTokenEphemeral{} }

type accessTokenModel struct {
	AuthorizationID types.String `tfsdk:"authorization_id"`
	Host            types.String `tfsdk:"host"`
	HTTPPath        types.String `tfsdk:"http_path"`
	Token           types.String `tfsdk:"token"`
	ExpiresAt       types.String `tfsdk:"expires_at"`
}

func (e *accessTokenEphemeral) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_access_token"
}

func (e *accessTokenEphemeral) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	computed := func(doc string) schema.StringAttribute {
		return schema.StringAttribute{Computed: true, MarkdownDescription: doc}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "A short-lived access token of a Databricks workspace, by the OAuth login of an authorization: for the provider " +
			"of Databricks in the same configuration. The token is neither in state nor in a plan, and the audit log names who asked for it. An " +
			"authorization with a token of its own (`token_wo`, `token_env`, a file, a command, a profile) gives none, and neither does a " +
			"runner. It needs Terraform 1.10 or newer.",
		Attributes: map[string]schema.Attribute{
			"authorization_id": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Id of a `lytics_databricks_authorization` with `client_id`, or with an `auth_type` that asks an issuer.",
				Validators:          []validator.String{nonEmptyText()},
			},
			"host":       computed("Host of the workspace."),
			"http_path":  computed("HTTP path of the warehouse."),
			"token":      schema.StringAttribute{Computed: true, Sensitive: true, MarkdownDescription: "The access token."},
			"expires_at": computed("When it ends (RFC 3339, UTC); null if that is not known. Terraform does not renew it."),
		},
	}
}

// Configure receives the session. There is none while Terraform validates.
func (e *accessTokenEphemeral) Configure(_ context.Context, req ephemeral.ConfigureRequest, _ *ephemeral.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		e.session = s
	}
}

// Open obtains a token.
func (e *accessTokenEphemeral) Open(ctx context.Context, req ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	var m accessTokenModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := openEphemeral(ctx, e.session, req, resp)
	if api == nil {
		return
	}
	issuer, ok := api.(jobs.TokenIssuer)
	if runner, remote := api.(jobs.Remote); remote {
		resp.Diagnostics.AddError("A runner issues no access tokens",
			"The credentials of its authorizations do not leave "+runner.Place()+".\n\n"+
				"Log in to the workspace in another way, such as in the provider of Databricks.")
		return
	}
	if !ok {
		resp.Diagnostics.AddError("The store issues no access tokens", "It is not opened in this process.")
		return
	}
	id := m.AuthorizationID.ValueString()
	a, err := api.Authorization(ctx, id)
	var t jobs.WorkspaceToken
	if err == nil {
		t, err = issuer.IssueToken(ctx, id)
	}
	if err != nil {
		at := attributeTarget{objectType: resp.Result.Schema.Type(), via: attributeOfReference}
		addError(&resp.Diagnostics, at, "obtain an access token", err)
		return
	}
	m.Host, m.HTTPPath = types.StringValue(a.Host), types.StringValue(a.HTTPPath)
	m.Token, m.ExpiresAt = types.StringValue(t.Secret.Reveal()), formatTime(&t.Expires)
	resp.Diagnostics.Append(resp.Result.Set(ctx, m)...)
}
