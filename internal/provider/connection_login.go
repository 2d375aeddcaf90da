package provider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// connectionField is an attribute of a connection that belongs to a login.
type connectionField struct {
	doc    string
	list   bool
	checks []validator.String
}

// connectionKinds are the logins without a stored secret.
func connectionKinds() (kinds []jobs.LoginKind) {
	for _, k := range jobs.LoginKinds() {
		if k.SecretAttribute() == "" {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// connectionLoginFields are auth_type and the attributes of the logins that need no
// stored secret, by name.
func connectionLoginFields() map[string]connectionField {
	out := map[string]connectionField{}
	names := []string{}
	for _, k := range connectionKinds() {
		names = append(names, string(k))
		fields, _ := k.Fields()
		for _, f := range fields {
			out[f.Attribute] = connectionField{
				doc:  "As in `lytics_databricks_authorization`.",
				list: f.Words(&jobs.Login{}) != nil, checks: []validator.String{nonEmptyText()},
			}
		}
	}
	out["auth_type"] = connectionField{
		doc: "How tokens are obtained, instead of `token_env`: one of the logins of `lytics_databricks_authorization` that need no stored " +
			"secret. Default: the one whose attribute is given, such as `profile`. An attribute that the login does not take is an " +
			"error.",
		checks: []validator.String{stringvalidator.OneOf(names...)},
	}
	return out
}

// connectionSpec is a connection as an authorization that is not saved.
func connectionSpec(ctx context.Context, values map[string]attr.Value, diags *diag.Diagnostics) *jobs.AuthorizationSpec {
	text := func(name string) string {
		v, _ := values[name].(types.String)
		return v.ValueString()
	}
	s := &jobs.AuthorizationSpec{
		Label: "databricks", Host: text("host"), Port: defaultPort, HTTPPath: text("http_path"), TokenEnv: text("token_env"),
		CAFile: text("ca_file"), CatalogAPI: jobs.CatalogAPI(text("catalog_api")),
	}
	if port, ok := values["port"].(types.Int64); ok && !port.IsNull() {
		s.Port = int(port.ValueInt64())
	}
	if s.Login = connectionLogin(ctx, values, diags); s.Login == nil {
		s.TokenEnv = valueOr(s.TokenEnv, defaultConnectionEnv)
	}
	return s
}

// connectionLogin is the login of a connection, or nil for token_env.
func connectionLogin(ctx context.Context, values map[string]attr.Value, diags *diag.Diagnostics) *jobs.Login {
	s := jobs.LoginSettings{
		At: "databricks", Kinds: connectionKinds(), Others: []string{"token_env"}, WithoutLogin: "use the token in token_env",
		Texts: map[string]string{}, Words: map[string][]string{},
	}
	for _, name := range append(slices.Collect(maps.Keys(connectionLoginFields())), "token_env") {
		switch v := values[name].(type) {
		case types.String:
			if name == "auth_type" {
				s.AuthType = v.ValueString()
			} else if !v.IsNull() {
				s.Texts[name] = v.ValueString()
			}
		case types.List:
			if !v.IsNull() {
				var words []string
				diags.Append(v.ElementsAs(ctx, &words, false)...)
				s.Words[name] = words
			}
		}
	}
	l, err := s.Login()
	if err != nil {
		addErrors(diags, attributeTarget{objectType: providerSchema().Type()}, "choose the login of databricks", err)
	}
	return l
}
