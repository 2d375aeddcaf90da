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

type authorizationResource struct{ resourceBase }

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

// ValidateConfig requires exactly one credential: a token or a service
// principal's secret, each with its version, or the name of the environment
// variable that holds a token.
func (r *authorizationResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest,
	resp *resource.ValidateConfigResponse) {
	var m authorizationModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	const one = "An authorization has one credential: a token that the provider keeps encrypted (token_wo and token_wo_version), " +
		"a token in an environment variable of the process that executes the run (token_env), " +
		"or a service principal (client_id, client_secret_wo and client_secret_wo_version). Keep one of them."
	token := !m.TokenWO.IsNull() || !m.TokenVersion.IsNull()
	client := !m.ClientID.IsNull() || !m.ClientSecretWO.IsNull() || !m.ClientSecretVersion.IsNull()
	fail := func(attribute, summary, detail string) {
		resp.Diagnostics.AddAttributeError(path.Root(attribute), summary, detail)
	}
	switch {
	case !m.TokenEnv.IsNull() && (token || client):
		fail("token_env", "Two credentials for one authorization", one)
	case token && client:
		fail("client_id", "Two credentials for one authorization", one)
	case !token && !client && m.TokenEnv.IsNull():
		fail("token_wo", "The authorization has no credential", one)
	case token && m.TokenVersion.IsNull():
		fail("token_wo", "token_wo needs token_wo_version",
			"Terraform does not keep write-only values, so it cannot see that the token changed. Set token_wo_version = 1, and "+
				"raise it with each new token.")
	case client && m.ClientID.IsNull():
		fail("client_id", "client_secret_wo needs client_id", "The secret belongs to a service principal. Set client_id to its application id.")
	case client && m.ClientSecretVersion.IsNull():
		fail("client_secret_wo", "client_secret_wo needs client_secret_wo_version",
			"Terraform does not keep write-only values, so it cannot see that the secret changed. Set client_secret_wo_version = 1, "+
				"and raise it with each new secret.")
	}
}

// ModifyPlan checks the store, and refuses a plan that needs a secret without it.
func (r *authorizationResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	api, info := r.openForPlan(ctx, req, resp, true)
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
	if planned.ManagedBy.ValueString() == string(jobs.ManagedByLytics) {
		at := attributeTarget{objectType: req.Plan.Schema.Type()}
		r.session.requireLytics(api, info, at, &resp.Diagnostics)
		spec := jobs.AuthorizationSpec{
			ManagedBy: jobs.ManagedByLytics, ClientID: planned.ClientID.ValueString(), TokenEnv: planned.TokenEnv.ValueString(),
			Host: planned.Host.ValueString(),
		}
		if err := spec.CheckManager(); err != nil {
			addErrors(&resp.Diagnostics, at, "let Lytics keep the authorization", err)
		}
	}
	secret := planned.secret()
	version, held := secret.version(planned), secret.version(prior)
	sends := secret.isSent(planned, prior)
	if sends && secret.value(config).IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root(secret.name), "The "+secret.noun+" is missing",
			fmt.Sprintf("%s_version is %s and the state has %s, so the %s has to be sent, but %s is null. Give it (an ephemeral "+
				"variable keeps it out of the plan), or leave the version as it was.",
				secret.name, version, held, secret.noun, secret.name))
	}
	if !update || sends || !planned.TokenEnv.IsNull() {
		return
	}
	if !planned.Host.IsUnknown() && !planned.Host.Equal(prior.Host) {
		resp.Diagnostics.AddAttributeError(path.Root("host"), "A changed host needs the "+secret.noun+" again",
			fmt.Sprintf("The stored %s belongs to %s and is never sent to another host. If %s is right, give its %s in %s and raise %s_version.",
				secret.noun, prior.Host.ValueString(), planned.Host.ValueString(), secret.noun, secret.name, secret.name))
	}
	if !planned.ClientID.IsUnknown() && !planned.ClientID.Equal(prior.ClientID) {
		resp.Diagnostics.AddAttributeError(path.Root(secret.name), "Another credential needs its "+secret.noun,
			fmt.Sprintf("The stored secret is not the %s of this definition. Give it in %s and raise "+
				"%s_version.", secret.noun, secret.name, secret.name))
	}
}

func (r *authorizationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m authorizationModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	change := m.change(ctx, req.Config, authorizationModel{}, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.openForCreate(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	a, err := api.CreateAuthorization(ctx, change)
	if err != nil {
		addError(&resp.Diagnostics, authorizationTarget(resp.State), "create the authorization", err)
		return
	}
	m.ID = types.StringValue(a.ID)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *authorizationResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, _ := r.openForRead(ctx, req, resp)
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
		err = api.Confirm(ctx, a.ID) // an import from Lytics gives it an id of this store
	}
	if err != nil {
		addReadError(ctx, resp, nounWithID("authorization", id), err)
		return
	}
	m.setFromAuthorization(a)
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
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	if _, err := api.UpdateAuthorization(ctx, m.ID.ValueString(), change); err != nil {
		addError(&resp.Diagnostics, authorizationTarget(resp.State), "update "+nounWithID("authorization", m.ID.ValueString()), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *authorizationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	addDeleteError(resp, nounWithID("authorization", id), api.DeleteAuthorization(ctx, id))
}

func authorizationTarget(s tfsdk.State) attributeTarget {
	return attributeTarget{objectType: s.Schema.Type()}
}

// change returns the planned change. The secret comes from the configuration, as
// state and plan do not have it, and is sent only if its version changed.
func (m authorizationModel) change(ctx context.Context, config tfsdk.Config, prior authorizationModel,
	diags *diag.Diagnostics) jobs.AuthorizationChange {
	c := jobs.AuthorizationChange{
		AuthorizationSpec: jobs.AuthorizationSpec{
			Label:               m.Label.ValueString(),
			Description:         m.Description.ValueString(),
			Host:                m.Host.ValueString(),
			Port:                int(m.Port.ValueInt64()),
			HTTPPath:            m.HTTPPath.ValueString(),
			TokenEnv:            m.TokenEnv.ValueString(),
			TokenVersion:        m.TokenVersion.ValueInt64(),
			ClientID:            m.ClientID.ValueString(),
			ClientSecretVersion: m.ClientSecretVersion.ValueInt64(),
			ManagedBy:           jobs.Manager(m.ManagedBy.ValueString()),
			CatalogAPI:          jobs.CatalogAPI(m.CatalogAPI.ValueString()),
			CheckConnection:     m.CheckConnection.ValueBool(),
		},
	}
	secret := m.secret()
	if !secret.isSent(m, prior) {
		return c
	}
	var text types.String
	diags.Append(config.GetAttribute(ctx, path.Root(secret.name), &text)...)
	if text.IsNull() || text.IsUnknown() {
		diags.AddAttributeError(path.Root(secret.name), "The "+secret.noun+" is missing",
			fmt.Sprintf("%s_version changed, so the %s has to be sent, but %s is null in this apply. Give it, or leave the version "+
				"as it was.", secret.name, secret.noun, secret.name))
		return c
	}
	given := jobs.NewSecret(text.ValueString())
	if secret.name == clientSecret.name {
		c.ClientSecret = &given
	} else {
		c.Token = &given
	}
	return c
}

// writeOnlySecret is a write-only attribute with its version. Terraform does not
// keep the value, so a changed version tells that there is a new one.
type writeOnlySecret struct {
	name, noun string
	value      func(authorizationModel) types.String
	version    func(authorizationModel) types.Int64
}

var (
	accessToken = writeOnlySecret{"token_wo", "token",
		func(m authorizationModel) types.String { return m.TokenWO },
		func(m authorizationModel) types.Int64 { return m.TokenVersion }}
	clientSecret = writeOnlySecret{"client_secret_wo", "client secret",
		func(m authorizationModel) types.String { return m.ClientSecretWO },
		func(m authorizationModel) types.Int64 { return m.ClientSecretVersion }}
)

// secret is the kind of secret that the definition uses.
func (m authorizationModel) secret() writeOnlySecret {
	if !m.ClientID.IsNull() {
		return clientSecret
	}
	return accessToken
}

// isSent reports whether the plan sends the secret to the store.
func (w writeOnlySecret) isSent(planned, prior authorizationModel) bool {
	v := w.version(planned)
	return !v.IsNull() && !v.Equal(w.version(prior))
}
