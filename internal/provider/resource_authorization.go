package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type authorizationResource struct{ managed }

var (
	_ resource.ResourceWithConfigure      = (*authorizationResource)(nil)
	_ resource.ResourceWithImportState    = (*authorizationResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*authorizationResource)(nil)
	_ resource.ResourceWithValidateConfig = (*authorizationResource)(nil)
)

func (r *authorizationResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_databricks_authorization"
}

func (r *authorizationResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = authorizationSchema()
}

// ValidateConfig wants one credential: a token, announced by its version, or
// the name of the variable that holds one.
func (r *authorizationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m authorizationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	const both = "A token is either given to the provider, which keeps it encrypted (token_wo and token_wo_version), " +
		"or stays in an environment variable of whoever executes the run (token_env). Remove one of them."
	switch {
	case !m.TokenEnv.IsNull() && !m.TokenWO.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("token_env"), "Two tokens for one authorization", both)
	case !m.TokenEnv.IsNull() && !m.TokenVersion.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("token_wo_version"), "Two tokens for one authorization", both)
	case !m.TokenWO.IsNull() && m.TokenVersion.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("token_wo"), "token_wo needs token_wo_version",
			"Terraform does not keep write-only values, so it cannot see that the token changed. Set token_wo_version = 1, and raise it with each new token.")
	case m.TokenEnv.IsNull() && m.TokenVersion.IsNull():
		resp.Diagnostics.AddAttributeError(path.Root("token_wo"), "The authorization has no token",
			"Set token_wo and token_wo_version to a personal access token, or token_env to the name of an environment variable that holds one.")
	}
}

// ModifyPlan checks the store, and asks for the token where it will be needed.
func (r *authorizationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	r.planStore(ctx, req, resp, true)
	if req.Plan.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
	}
	var config, planned, prior authorizationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &planned)...)
	update := !req.State.Raw.IsNull()
	if update {
		resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	sends := planned.sendsToken(prior)
	if sends && config.TokenWO.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("token_wo"), "The token is missing",
			fmt.Sprintf("token_wo_version is %s where the state has %s, so the token is to be sent, but token_wo is null. Give it (an ephemeral variable keeps it out of the plan), or leave the version as it was.",
				planned.TokenVersion, prior.TokenVersion))
	}
	moved := update && !planned.Host.IsUnknown() && !planned.Host.Equal(prior.Host)
	if moved && !sends && planned.TokenEnv.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("host"), "A changed host needs the token again",
			fmt.Sprintf("The stored token belongs to %s and is never sent to another host. If %s is right, give its token in token_wo and raise token_wo_version.",
				prior.Host.ValueString(), planned.Host.ValueString()))
	}
}

// sendsToken reports whether this plan carries a token to the store.
func (m authorizationModel) sendsToken(prior authorizationModel) bool {
	return !m.TokenVersion.IsNull() && !m.TokenVersion.Equal(prior.TokenVersion)
}

func (r *authorizationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	change := m.change(ctx, req.Config, authorizationModel{}, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.forNew(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	a, err := api.CreateAuthorization(ctx, change)
	if err != nil {
		addError(&resp.Diagnostics, authorizationPlace(resp.State), "create the authorization", err)
		return
	}
	m.ID = types.StringValue(a.ID)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *authorizationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, _ := r.forRead(ctx, req, resp)
	if api == nil {
		return
	}
	var m authorizationModel
	resp.Diagnostics.Append(req.State.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := m.ID.ValueString()
	a, err := api.Authorization(ctx, id)
	if err == nil {
		err = api.Confirm(ctx, id)
	}
	if err != nil {
		readFailed(ctx, resp, describe("authorization", id), err)
		return
	}
	m.show(a)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *authorizationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m, prior authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	change := m.change(ctx, req.Config, prior, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	if _, err := api.UpdateAuthorization(ctx, m.ID.ValueString(), change); err != nil {
		addError(&resp.Diagnostics, authorizationPlace(resp.State), "update "+describe("authorization", m.ID.ValueString()), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *authorizationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idIn(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	deleteFailed(resp, describe("authorization", id), api.DeleteAuthorization(ctx, id))
}

func authorizationPlace(s tfsdk.State) place { return place{schema: s.Schema.Type()} }

// change is what the plan asks of the store. The token is taken from the
// configuration, the only place that has it, and only when its version says so.
func (m authorizationModel) change(ctx context.Context, config tfsdk.Config, prior authorizationModel, diags *diag.Diagnostics) jobs.AuthorizationChange {
	c := jobs.AuthorizationChange{
		AuthorizationSpec: jobs.AuthorizationSpec{
			Label:        m.Label.ValueString(),
			Description:  m.Description.ValueString(),
			Host:         m.Host.ValueString(),
			Port:         int(m.Port.ValueInt64()),
			HTTPPath:     m.HTTPPath.ValueString(),
			TokenEnv:     m.TokenEnv.ValueString(),
			TokenVersion: m.TokenVersion.ValueInt64(),

			CheckConnection: m.CheckConnection.ValueBool(),
		},
	}
	if !m.sendsToken(prior) {
		return c
	}
	var token types.String
	diags.Append(config.GetAttribute(ctx, path.Root("token_wo"), &token)...)
	if token.IsNull() || token.IsUnknown() {
		diags.AddAttributeError(path.Root("token_wo"), "The token is missing",
			"token_wo_version changed, so the token is to be sent, but token_wo is null in this apply. Give it, or leave the version as it was.")
		return c
	}
	secret := jobs.NewSecret(token.ValueString())
	c.Token = &secret
	return c
}
