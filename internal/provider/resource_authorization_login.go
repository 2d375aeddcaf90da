package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// loginModel are the attributes of the logins that are neither a stored token, nor
// token_env, nor OAuth with a stored client secret. jobs.LoginKind says which of them a
// login has. client_id, which is one of them, is in authorizationModel.
type loginModel struct {
	AuthType                 types.String `tfsdk:"auth_type"`
	Audience                 types.String `tfsdk:"audience"`
	IDTokenFile              types.String `tfsdk:"databricks_id_token_filepath"`
	IDTokenEnv               types.String `tfsdk:"oidc_token_env"`
	AzureClientID            types.String `tfsdk:"azure_client_id"`
	AzureTenantID            types.String `tfsdk:"azure_tenant_id"`
	AzureClientSecretWO      types.String `tfsdk:"azure_client_secret_wo"`
	AzureClientSecretVersion types.Int64  `tfsdk:"azure_client_secret_wo_version"`
	GoogleServiceAccount     types.String `tfsdk:"google_service_account"`
	GoogleCredentialsWO      types.String `tfsdk:"google_credentials_wo"`
	GoogleCredentialsVersion types.Int64  `tfsdk:"google_credentials_wo_version"`
	TokenFile                types.String `tfsdk:"token_file"`
	TokenCommand             types.List   `tfsdk:"token_command"`
	Profile                  types.String `tfsdk:"profile"`
	ConfigFile               types.String `tfsdk:"config_file"`
}

// kindNames are the names of all logins.
func kindNames() (names []string) {
	for _, k := range jobs.LoginKinds() {
		names = append(names, string(k))
	}
	return names
}

func loginAttributes() map[string]schema.Attribute {
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, MarkdownDescription: description, Validators: []validator.String{nonEmptyText()}}
	}
	secret := func(name, description string) schema.StringAttribute {
		return schema.StringAttribute{Optional: true, Sensitive: true, WriteOnly: true, Validators: []validator.String{nonEmptyText()},
			MarkdownDescription: description + " Write-only: it is sent to the store, which encrypts it, when `" + name + "_version` changes."}
	}
	version := func(name string) schema.Int64Attribute {
		return schema.Int64Attribute{Optional: true, MarkdownDescription: "Version of `" + name + "`. Raise it to send a new secret.",
			Validators: []validator.Int64{int64validator.AtLeast(1)}}
	}
	return map[string]schema.Attribute{
		"auth_type": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "How the process that executes a run obtains tokens, by the names of Databricks' unified authentication; see " +
				"[Logins](#logins). Leave it out for `token_wo`, `token_env`, and `client_id` with `client_secret_wo`. " +
				"Where another attribute tells the login, such as `profile`, it is set by itself.",
			Validators: []validator.String{stringvalidator.OneOf(kindNames()...)},
		},
		"audience": text("With `github-oidc`: audience that is asked of GitHub, one of the federation policy's. Default: the workspace's token " +
			"endpoint, `https://HOST/oidc/v1/token`."),
		"databricks_id_token_filepath": text("With `file-oidc`: file with an identity token (a JWT), such as a projected token of Kubernetes. " +
			"It is read for every access token."),
		"oidc_token_env": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "With `env-oidc`: name of the environment variable with an identity token (a JWT).",
			Validators:          []validator.String{envName()},
		},
		"azure_client_id": text("With `azure-client-secret`: client id of the application in Microsoft Entra. With `azure-msi`: client id of a " +
			"user-assigned managed identity; leave it out for the system-assigned one."),
		"azure_tenant_id": text("With `azure-client-secret` and `azure-cli`: id of the directory in Microsoft Entra."),
		"azure_client_secret_wo": secret("azure_client_secret_wo",
			"With `azure-client-secret`: client secret of the application."),
		"azure_client_secret_wo_version": version("azure_client_secret_wo"),
		"google_service_account": text("With `google-id`: address of the service account whose identity tokens are used. The process that " +
			"executes a run impersonates it with Google's default credentials."),
		"google_credentials_wo":         secret("google_credentials_wo", "With `google-credentials`: JSON key of a service account."),
		"google_credentials_wo_version": version("google_credentials_wo"),
		"token_file": text("With `token-file`: file with an access token. It is read again before the token expires, where it is a JWT, and " +
			"when the workspace refuses the token."),
		"token_command": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "With `token-command`: program and arguments. It prints an access token, or JSON with `access_token` and " +
				"`expiry` (RFC 3339) or `expires_on` (seconds since 1970). No shell is used. It runs again before the token expires and " +
				"when the workspace refuses the token. The arguments are in state: they are no place for a secret.",
			Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(nonEmptyText())},
		},
		"profile": text("With `profile`: name of a profile of the configuration file of Databricks' tools. Its host has to be that of the " +
			"authorization."),
		"config_file": text("With `profile`: path of the configuration file. Default: `DATABRICKS_CONFIG_FILE`, or `.databrickscfg` in the " +
			"home directory of the process that executes the run."),
	}
}

// texts are the attributes with one text, by name.
func (m *authorizationModel) texts() map[string]*types.String {
	return map[string]*types.String{
		"client_id": &m.ClientID, "audience": &m.Audience, "databricks_id_token_filepath": &m.IDTokenFile,
		"oidc_token_env":  &m.IDTokenEnv,
		"azure_client_id": &m.AzureClientID, "azure_tenant_id": &m.AzureTenantID, "google_service_account": &m.GoogleServiceAccount,
		"token_file": &m.TokenFile, "profile": &m.Profile, "config_file": &m.ConfigFile,
	}
}

// value returns an attribute of the login, or of its stored secret.
func (m *authorizationModel) value(name string) attr.Value {
	switch name {
	case "token_command":
		return m.TokenCommand
	case "azure_client_secret_wo":
		return firstGiven(m.AzureClientSecretWO, m.AzureClientSecretVersion)
	case "google_credentials_wo":
		return firstGiven(m.GoogleCredentialsWO, m.GoogleCredentialsVersion)
	}
	return m.texts()[name]
}

func firstGiven(secret types.String, version types.Int64) attr.Value {
	if secret.IsNull() {
		return version
	}
	return secret
}

// kind is the login of the definition; empty for a stored token, token_env and OAuth with
// a stored client secret.
func (m *authorizationModel) kind() jobs.LoginKind {
	if k := m.AuthType.ValueString(); k != "" {
		return jobs.LoginKind(k)
	}
	k, _ := jobs.ToldLogin(func(attribute string) bool { return !m.value(attribute).IsNull() })
	return k
}

// authType is the value of auth_type.
func (m *authorizationModel) authType() types.String { return nullIfEmpty(string(m.kind())) }

// login returns the login of the definition, or nil.
func (m *authorizationModel) login(ctx context.Context, diags *diag.Diagnostics) *jobs.Login {
	k := m.kind()
	if k == "" {
		return nil
	}
	l := &jobs.Login{Kind: k}
	fields, _ := k.Fields()
	for _, f := range fields {
		if words := f.Words(l); words != nil {
			diags.Append(m.TokenCommand.ElementsAs(ctx, words, false)...)
			continue
		}
		*f.Text(l) = m.texts()[f.Attribute].ValueString()
	}
	return l
}

// setFromLogin sets the attributes from the stored login.
func (m *authorizationModel) setFromLogin(l *jobs.Login) {
	if l == nil {
		l = &jobs.Login{}
	}
	m.AuthType = nullIfEmpty(string(l.Kind))
	m.TokenCommand = types.ListNull(types.StringType)
	texts := m.texts()
	delete(texts, "client_id")
	for _, v := range texts {
		*v = types.StringNull()
	}
	fields, _ := l.Kind.Fields()
	for _, f := range fields {
		words := f.Words(l)
		if words == nil {
			*m.texts()[f.Attribute] = nullIfEmpty(*f.Text(l))
			continue
		}
		values := make([]attr.Value, len(*words))
		for i, w := range *words {
			values[i] = types.StringValue(w)
		}
		m.TokenCommand = types.ListValueMust(types.StringType, values)
	}
}

// validateLogin checks that the definition has what its login needs, and nothing of
// another one.
func (m *authorizationModel) validateLogin(diags *diag.Diagnostics) {
	k := m.kind()
	fields, _ := k.Fields()
	secret := k.SecretAttribute()
	takes := func(attribute string) bool {
		return attribute == secret || slices.ContainsFunc(fields, func(f jobs.LoginField) bool { return f.Attribute == attribute })
	}
	fail := func(attribute, summary, detail string) {
		diags.AddAttributeError(path.Root(attribute), summary, detail)
	}
	for _, name := range slices.Concat(loginTexts, []string{"client_id", "token_command", "azure_client_secret_wo",
		"google_credentials_wo"}) {
		if !m.value(name).IsNull() && !takes(name) {
			fail(name, fmt.Sprintf("%s is not for this login", name),
				fmt.Sprintf("The login is %q. Leave %s out, or choose the login that it is for "+
					"with auth_type.", string(k), name))
		}
	}
	for _, f := range fields {
		if f.Required && m.value(f.Attribute).IsNull() {
			fail(f.Attribute, fmt.Sprintf("auth_type = %q needs %s", string(k), f.Attribute), fmt.Sprintf("Set %s.", f.Attribute))
		}
	}
	if a := m.GoogleServiceAccount; k == jobs.LoginGoogleID && a.ValueString() != "" && !jobs.IsGoogleServiceAccount(a.ValueString()) {
		fail("google_service_account", fmt.Sprintf("google_service_account = %q is no service account", a.ValueString()),
			"It is neither the address nor the id of one. Give the address, such as NAME@PROJECT.iam.gserviceaccount.com.")
	}
	if secret != "" && m.secret().version(*m).IsNull() {
		fail(secret, fmt.Sprintf("%s needs %s_version", secret, secret),
			fmt.Sprintf("Terraform does not keep write-only values, so it cannot see "+
				"that the secret changed. Set %s_version = 1, and raise it with each new secret.", secret))
	}
}

// loginTexts are the attributes that belong to a login alone and have one text.
var loginTexts = []string{
	"audience", "databricks_id_token_filepath", "oidc_token_env", "azure_client_id", "azure_tenant_id", "google_service_account",
	"token_file", "profile", "config_file",
}

// withoutLogin names an attribute of a login in a definition without one; empty for none.
func (m *authorizationModel) withoutLogin() string {
	for _, name := range loginTexts {
		if !m.value(name).IsNull() {
			return name
		}
	}
	return ""
}
