package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// checklist 75: what is accepted for this release only is said in plan and apply, at
// its attribute and with the line to add.
func TestWarningsOfAnAuthorizationAreShown(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.Warnings = []jobs.Failure{{Attribute: "token_env", Summary: "The runner does not list A", Next: "Add allowed_token_env: [A]"}}
	r := newClient(t, env)
	const resource = "lytics_databricks_authorization"
	given := map[string]any{"label": "a", "host": "dbc-9.cloud.databricks.com", "http_path": "/p", "token_env": "A", "check_connection": false}
	expect := func(what string, diags []*tfprotov6.Diagnostic) {
		t.Helper()
		want := tftypes.NewAttributePath().WithAttributeName("token_env")
		if len(diags) != 1 || diags[0].Severity != tfprotov6.DiagnosticSeverityWarning || !diags[0].Attribute.Equal(want) ||
			diags[0].Detail != "Add allowed_token_env: [A]" {
			t.Errorf("%s: got %v, want one warning at token_env with the line to add", what, messages(diags))
		}
	}
	made, diags := r.apply(t.Context(), resource, nil, build(r.typ(resource), given))
	expect("create", diags)
	_, diags = r.read(resource, made)
	expect("refresh", diags)
	given["label"] = "b"
	_, diags = r.apply(t.Context(), resource, made, build(r.typ(resource), given))
	expect("update", diags)
}
