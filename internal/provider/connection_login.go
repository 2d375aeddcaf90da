package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
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

// connectionLogin is the login of a connection, or nil for token_env. An attribute that
// the login does not take is an error: without it, another credential than the one that is
// meant would be sent.
func connectionLogin(ctx context.Context, values map[string]attr.Value, diags *diag.Diagnostics) *jobs.Login {
	kind, told := connectionKind(values)
	fields, _ := kind.Fields()
	takes := func(name string) bool {
		return name == "token_env" && kind == "" || slices.ContainsFunc(fields, func(f jobs.LoginField) bool { return f.Attribute == name })
	}
	for _, name := range append(slices.Sorted(maps.Keys(connectionLoginFields())), "token_env") {
		v, ok := values[name]
		if !ok || v.IsNull() || name == "auth_type" || takes(name) {
			continue
		}
		at := "databricks." + name
		if kind == "" {
			diags.AddAttributeError(path.Root("databricks"), at+" needs auth_type",
				fmt.Sprintf("It is an attribute of %s, and the connection names no login.\n\nSet databricks.auth_type to the login that is "+
					"meant, or leave %s out to use the token in token_env.", kindsWith(name), at))
			continue
		}
		diags.AddAttributeError(path.Root("databricks"), at+" is not for this login",
			fmt.Sprintf("databricks.%s chooses the login %q, which does not take %s.\n\nLeave one of the two out: a connection has one login.",
				told, string(kind), name))
	}
	if kind == "" {
		return nil
	}
	l := &jobs.Login{Kind: kind}
	for _, f := range fields {
		switch v := values[f.Attribute].(type) {
		case types.String:
			*f.Text(l) = v.ValueString()
		case types.List:
			if !v.IsNull() {
				diags.Append(v.ElementsAs(ctx, f.Words(l), false)...)
			}
		}
	}
	return l
}

// connectionKind is the login of a connection, and the attribute that chooses it. Both are
// empty for token_env.
func connectionKind(values map[string]attr.Value) (kind jobs.LoginKind, told string) {
	if v, ok := values["auth_type"].(types.String); ok && v.ValueString() != "" {
		return jobs.LoginKind(v.ValueString()), "auth_type"
	}
	for _, t := range telling {
		if v, ok := values[t.attribute]; ok && !v.IsNull() {
			return t.kind, t.attribute
		}
	}
	return "", ""
}

// kindsWith names the logins of connections that have an attribute.
func kindsWith(attribute string) string {
	var names []string
	for _, k := range connectionKinds() {
		fields, _ := k.Fields()
		if slices.ContainsFunc(fields, func(f jobs.LoginField) bool { return f.Attribute == attribute }) {
			names = append(names, strconv.Quote(string(k)))
		}
	}
	return "the login " + strings.Join(names, " or ")
}
