package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

type authorizationResource struct{ resourceBase }

func newAuthorizationResource() resource.Resource {
	return &authorizationResource{resourceBase{identity: authorizationIdentity()}}
}

func authorizationIdentity() resourceIdentity { return byID("Id of the authorization.") }

var (
	_ resource.ResourceWithConfigure      = (*authorizationResource)(nil)
	_ resource.ResourceWithIdentity       = (*authorizationResource)(nil)
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
		"a service principal (client_id, client_secret_wo and client_secret_wo_version), or another login (auth_type). Keep one of them."
	token := !m.TokenWO.IsNull() || !m.TokenVersion.IsNull()
	client := !m.ClientID.IsNull() || !m.ClientSecretWO.IsNull() || !m.ClientSecretVersion.IsNull()
	fail := func(attribute, summary, detail string) {
		resp.Diagnostics.AddAttributeError(path.Root(attribute), summary, detail)
	}
	if m.AuthType.IsUnknown() {
		return
	}
	if m.kind() != "" {
		if token || !m.TokenEnv.IsNull() || !m.ClientSecretWO.IsNull() || !m.ClientSecretVersion.IsNull() {
			fail("auth_type", "Two credentials for one authorization", one)
			return
		}
		m.validateLogin(&resp.Diagnostics)
		return
	}
	if name := m.withoutLogin(); name != "" {
		fail(name, name+" needs auth_type", "It is an attribute of some logins. Set auth_type to the one that is meant.")
		return
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
	api, info, _ := r.openForPlan(ctx, req, resp, true)
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
	if !config.AuthType.IsUnknown() {
		planned.AuthType = config.authType()
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("auth_type"), planned.AuthType)...)
	}
	if planned.ManagedBy.ValueString() == string(jobs.ManagedByLytics) {
		at := attributeTarget{objectType: req.Plan.Schema.Type()}
		r.session.requireLytics(api, info, at, &resp.Diagnostics)
		spec := jobs.AuthorizationSpec{
			ManagedBy: jobs.ManagedByLytics, ClientID: planned.ClientID.ValueString(), TokenEnv: planned.TokenEnv.ValueString(),
			Host: planned.Host.ValueString(), CAFile: planned.CAFile.ValueString(), Login: planned.login(ctx, &resp.Diagnostics),
		}
		if err := spec.CheckManager(); err != nil {
			addErrors(&resp.Diagnostics, at, "let Lytics keep the authorization", err)
		}
	}
	if !update {
		r.noteNew(ctx, req, planned)
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
	if !update || sends || !planned.TokenEnv.IsNull() || planned.kind() != "" && planned.kind().SecretAttribute() == "" {
		return
	}
	if attribute := movedBy(planned, prior); attribute != "" {
		resp.Diagnostics.AddAttributeError(path.Root(attribute), "A changed "+attribute+" needs the "+secret.noun+" again",
			fmt.Sprintf("The stored %s was given for %s and is never sent to another host, port or scheme, or by another ca_file. If %s is right, "+
				"give its %s in %s and raise %s_version.",
				secret.noun, prior.destination(), planned.destination(), secret.noun, secret.name, secret.name))
	}
	known := !planned.ClientID.IsUnknown() && !planned.AzureClientID.IsUnknown() && !planned.AzureTenantID.IsUnknown()
	if known && planned.client(ctx) != prior.client(ctx) {
		resp.Diagnostics.AddAttributeError(path.Root(secret.name), "Another credential needs its "+secret.noun,
			fmt.Sprintf("The stored secret is not the %s of this definition. Give it in %s and raise "+
				"%s_version.", secret.noun, secret.name, secret.name))
	}
}

// noteNew notes an authorization that the plan creates, so that jobs that refer to it
// can be checked. Of one that is wrong, not known yet, or managed by Lytics it notes only
// that there is one.
func (r *authorizationResource) noteNew(ctx context.Context, req resource.ModifyPlanRequest, planned authorizationModel) {
	if r.session == nil || !r.session.config.planCheck {
		return // nothing asks for it, and a secret is opened only where it is used
	}
	unknown := planned.AuthType.IsUnknown() || planned.TokenCommand.IsUnknown()
	for _, v := range []attr.Value{planned.Host, planned.Port, planned.HTTPPath, planned.TokenEnv, planned.CAFile, planned.ManagedBy} {
		unknown = unknown || v.IsUnknown()
	}
	for _, v := range planned.texts() {
		unknown = unknown || v.IsUnknown()
	}
	var change jobs.AuthorizationChange
	var wrong diag.Diagnostics
	if !unknown {
		change = planned.change(ctx, req.Config, authorizationModel{}, &wrong)
	}
	if unknown || wrong.HasError() || change.ManagedBy.IsLytics() {
		r.session.planned.addUnclearAuthorization()
		return
	}
	r.session.planned.addAuthorization(change)
}

// movedBy names the attribute by which the plan moves the stored secret to another
// destination; it is "" if the destination stays, or is not known yet.
func movedBy(planned, prior authorizationModel) string {
	if planned.Host.IsUnknown() || planned.Port.IsUnknown() {
		return ""
	}
	now, was := planned.destination(), prior.destination()
	switch {
	case now.Host != was.Host || now.Scheme != was.Scheme:
		return "host"
	case now.Port != was.Port:
		return "port"
	case now.CAFile != was.CAFile && !planned.CAFile.IsUnknown():
		return "ca_file"
	}
	return ""
}

// destination is where the definition sends its secret.
func (m authorizationModel) destination() jobs.Destination {
	return jobs.AuthorizationSpec{Host: m.Host.ValueString(), Port: int(m.Port.ValueInt64()), CAFile: m.CAFile.ValueString()}.Destination()
}

// client is the identity to which the definition's stored secret is bound.
func (m authorizationModel) client(ctx context.Context) string {
	var ignored diag.Diagnostics // a login with a stored secret has texts alone
	return jobs.AuthorizationSpec{ClientID: m.ClientID.ValueString(), Login: m.login(ctx, &ignored)}.Destination().ClientID
}

func (r *authorizationResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.session.applying.Store(true)
	ctx, end := jobs.BeginCreate(ctx)
	defer end()
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
	addWarnings(&resp.Diagnostics, authorizationTarget(resp.State), a.Warnings)
	m.ID = types.StringValue(a.ID)
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
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
		err = confirmInState(ctx, api, a.ID) // an import from Lytics gives it an id of this store
	}
	if err != nil {
		addReadError(ctx, resp, nounWithID("authorization", id), err)
		return
	}
	m.setFromAuthorization(a)
	addWarnings(&resp.Diagnostics, authorizationTarget(resp.State), a.Warnings)
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *authorizationResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.session.applying.Store(true)
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
	a, err := api.UpdateAuthorization(ctx, m.ID.ValueString(), change)
	if err != nil {
		addError(&resp.Diagnostics, authorizationTarget(resp.State), "update "+nounWithID("authorization", m.ID.ValueString()), err)
		return
	}
	addWarnings(&resp.Diagnostics, authorizationTarget(resp.State), a.Warnings)
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *authorizationResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.session.applying.Store(true)
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
			CAFile:              m.CAFile.ValueString(),
			CatalogAPI:          jobs.CatalogAPI(m.CatalogAPI.ValueString()),
			CheckConnection:     m.CheckConnection.ValueBool(),
		},
	}
	secret := m.secret()
	if c.Login = m.login(ctx, diags); c.Login != nil {
		c.ClientID, c.ClientSecretVersion = "", 0
		if c.Login.KeepsSecret() {
			c.ClientSecretVersion = secret.version(m).ValueInt64()
		}
	}
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
	if secret.name == accessToken.name {
		c.Token = &given
	} else {
		c.ClientSecret = &given
	}
	return c
}
