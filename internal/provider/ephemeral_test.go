package provider_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// openEphemeral validates and opens an ephemeral resource.
func (r *client) openEphemeral(name string, given map[string]any, canDefer bool) *tfprotov6.OpenEphemeralResourceResponse {
	r.t.Helper()
	typ := r.schema.EphemeralResourceSchemas[name].ValueType()
	config := dynamic(r.t, typ, build(typ, given))
	valid, err := r.server.ValidateEphemeralResourceConfig(r.t.Context(),
		&tfprotov6.ValidateEphemeralResourceConfigRequest{TypeName: name, Config: config})
	if err != nil || failed(valid.Diagnostics) {
		r.t.Fatal(err, messages(valid.Diagnostics))
	}
	resp, err := r.server.OpenEphemeralResource(r.t.Context(), &tfprotov6.OpenEphemeralResourceRequest{
		TypeName: name, Config: config, ClientCapabilities: &tfprotov6.OpenEphemeralResourceClientCapabilities{DeferralAllowed: canDefer},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

// The values of a profile are given to Terraform as a result that it keeps
// nowhere, and are marked as sensitive.
func TestEphemeralProfile(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	const name = "lytics_profile"
	ann := map[string]any{"field": "email", "value": "ann@example.com"}
	if resp := newClient(t, env).openEphemeral(name, ann, false); !failed(resp.Diagnostics) {
		t.Error("without a store: want an error")
	}
	c := newClient(t, env)
	c.create("lytics_field", map[string]any{"id": "email", "type": "string", "is_identifier": true})
	if !named(c.schema.EphemeralResourceSchemas[name].Block.Attributes, "values").Sensitive {
		t.Error("values are not sensitive")
	}
	resp := c.openEphemeral(name, ann, false)
	if failed(resp.Diagnostics) {
		t.Fatal(messages(resp.Diagnostics))
	}
	got, err := resp.Result.Unmarshal(c.schema.EphemeralResourceSchemas[name].ValueType())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"email": "ann@example.com", "lifetime_value": "0.10"}
	if d := cmp.Diff(want, textsOf(t, pick(t, got, "values"))); d != "" {
		t.Errorf("want and got:\n%s", d)
	}
	bob := map[string]any{"field": "email", "value": "bob@example.com"}
	if resp := c.openEphemeral(name, bob, false); !says(resp.Diagnostics, "No profile") {
		t.Errorf("a profile that is not there: got %q", messages(resp.Diagnostics))
	}
	unknown, _ := configure(t, env, map[string]any{"data_dir": tftypes.UnknownValue})
	if resp := unknown.openEphemeral(name, ann, true); failed(resp.Diagnostics) || resp.Deferred == nil {
		t.Errorf("while the store is not known: got %q, %v; want it deferred", messages(resp.Diagnostics), resp.Deferred)
	}
	if resp := unknown.openEphemeral(name, ann, false); !says(resp.Diagnostics, "is not known yet") {
		t.Errorf("by a client that cannot defer: got %q", messages(resp.Diagnostics))
	}
}

// An authorization with OAuth gives a token that ends; one with a token of its own, and a
// runner, give none.
func TestEphemeralAccessToken(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	const name = "lytics_databricks_access_token"
	oauth := idOf(t, c.create("lytics_databricks_authorization", ofPrincipal))
	byToken := idOf(t, c.create("lytics_databricks_authorization", authorizationGiven))
	if !named(c.schema.EphemeralResourceSchemas[name].Block.Attributes, "token").Sensitive {
		t.Error("token is not sensitive")
	}
	resp := c.openEphemeral(name, map[string]any{"authorization_id": oauth}, false)
	if failed(resp.Diagnostics) {
		t.Fatal(messages(resp.Diagnostics))
	}
	got, err := resp.Result.Unmarshal(c.schema.EphemeralResourceSchemas[name].ValueType())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"authorization_id": oauth, "host": "dbc-9.cloud.databricks.com", "http_path": "/p",
		"token": "issued for " + oauth, "expires_at": "2023-11-14T23:13:20Z"}
	if d := cmp.Diff(want, textsOf(t, got)); d != "" {
		t.Errorf("want and got:\n%s", d)
	}
	for id, text := range map[string]string{byToken: "issues no access tokens", "auth-none": "auth-none"} {
		if resp := c.openEphemeral(name, map[string]any{"authorization_id": id}, false); !says(resp.Diagnostics, text) {
			t.Errorf("%s: got %q, want %q", id, messages(resp.Diagnostics), text)
		}
	}
	unknown, _ := configure(t, env, map[string]any{"data_dir": tftypes.UnknownValue})
	if resp := unknown.openEphemeral(name, map[string]any{"authorization_id": oauth}, true); resp.Deferred == nil {
		t.Errorf("while the store is not known: got %q, want it deferred", messages(resp.Diagnostics))
	}
	env.RunnerPlace = "the runner at https://runner.example.com"
	if resp := newClient(t, env).openEphemeral(name, map[string]any{"authorization_id": oauth}, false); !says(resp.Diagnostics,
		"do not leave the runner at https://runner.example.com") {
		t.Errorf("of a runner: got %q, want an error", messages(resp.Diagnostics))
	}
}
