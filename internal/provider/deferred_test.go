package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// While the provider's configuration is not known, a client that can defer is told to ask
// again later; another one gets an error. Resources are planned for both.
func TestDeferredWhileTheConfigurationIsUnknown(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	unknownStore := map[string]any{"data_dir": tftypes.UnknownValue}
	unknownHost := map[string]any{"databricks": map[string]any{"host": tftypes.UnknownValue}}
	for name, test := range map[string]struct {
		block  map[string]any
		source string
		given  map[string]any
	}{
		"a store":                      {unknownStore, "lytics_jobs", nil},
		"a catalog of a store":         {unknownStore, "lytics_databricks_catalogs", map[string]any{"authorization_id": "auth-1"}},
		"the provider's own workspace": {unknownHost, "lytics_databricks_catalogs", nil},
		"a workspace without a store": {unknownStore, "lytics_databricks_catalogs",
			map[string]any{"databricks": map[string]any{"host": "dbc-1.cloud.databricks.com"}}},
	} {
		c, diags := configure(t, env, test.block)
		if failed(diags) {
			t.Fatal(messages(diags))
		}
		typ := c.schema.DataSourceSchemas[test.source].ValueType()
		req := &tfprotov6.ReadDataSourceRequest{TypeName: test.source, Config: dynamic(t, typ, build(typ, test.given))}
		resp, err := c.server.ReadDataSource(t.Context(), req)
		if err != nil || !failed(resp.Diagnostics) || resp.Deferred != nil {
			t.Errorf("%s, by a client that cannot defer: got %v, %q", name, err, messages(resp.Diagnostics))
		}
		req.ClientCapabilities = &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: true}
		resp, err = c.server.ReadDataSource(t.Context(), req)
		if err != nil || len(resp.Diagnostics) > 0 || !isDeferred(resp.Deferred) {
			t.Errorf("%s: got %v, %q, %v; want it deferred", name, err, messages(resp.Diagnostics), resp.Deferred)
			continue
		}
		if v, err := resp.State.Unmarshal(typ); err != nil || v.IsKnown() {
			t.Errorf("%s: the state is %v, %v; want it unknown", name, v, err)
		}
	}

	c, _ := configure(t, env, unknownStore)
	for _, req := range []*tfprotov6.ImportResourceStateRequest{
		{TypeName: "lytics_field", ID: "email"},
		{TypeName: "lytics_field", Identity: &tfprotov6.ResourceIdentityData{
			IdentityData: dynamic(t, c.identitySchema("lytics_field").ValueType(), build(c.identitySchema("lytics_field").ValueType(),
				map[string]any{"id": "email"})),
		}},
	} {
		resp, err := c.server.ImportResourceState(t.Context(), req)
		if err != nil || !strings.Contains(strings.Join(messages(resp.Diagnostics), ""), "is not known yet") || resp.Deferred != nil {
			t.Errorf("an import by a client that cannot defer: got %v, %q", err, messages(resp.Diagnostics))
		}
		req.ClientCapabilities = &tfprotov6.ImportResourceStateClientCapabilities{DeferralAllowed: true}
		resp, err = c.server.ImportResourceState(t.Context(), req)
		if err != nil || len(resp.Diagnostics) > 0 || !isDeferred(resp.Deferred) {
			t.Errorf("an import: got %v, %q, %v; want it deferred", err, messages(resp.Diagnostics), resp.Deferred)
		}
	}
	if plan := c.plan("lytics_field", nil, build(c.typ("lytics_field"), emailGiven)); failed(plan.Diagnostics) || plan.Deferred != nil {
		t.Errorf("a resource: got %q, %v; want a plan", messages(plan.Diagnostics), plan.Deferred)
	}
}

func isDeferred(d *tfprotov6.Deferred) bool {
	return d != nil && d.Reason == tfprotov6.DeferredReasonProviderConfigUnknown
}

// While the store is not known, all data sources and the imports of all resources are
// deferred, and all resources are planned.
func TestEveryTypeIsDeferredOrPlanned(t *testing.T) {
	t.Parallel()
	c, diags := configure(t, providertest.New(), map[string]any{"data_dir": tftypes.UnknownValue})
	if failed(diags) {
		t.Fatal(messages(diags))
	}
	for source, schema := range c.schema.DataSourceSchemas {
		typ := schema.ValueType()
		given := map[string]any{}
		for _, a := range schema.Block.Attributes {
			if a.Required && a.Type.Is(tftypes.String) || a.Name == "authorization_id" || a.Name == "job_id" {
				given[a.Name] = "x"
			}
		}
		resp, err := c.server.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{
			TypeName: source, Config: dynamic(t, typ, build(typ, given)),
			ClientCapabilities: &tfprotov6.ReadDataSourceClientCapabilities{DeferralAllowed: true},
		})
		if err != nil || len(resp.Diagnostics) > 0 || !isDeferred(resp.Deferred) {
			t.Errorf("%s: got %v, %q, %v; want it deferred", source, err, messages(resp.Diagnostics), resp.Deferred)
		}
	}
	for resource := range c.schema.ResourceSchemas {
		resp, err := c.server.ImportResourceState(t.Context(), &tfprotov6.ImportResourceStateRequest{
			TypeName: resource, ID: "x", ClientCapabilities: &tfprotov6.ImportResourceStateClientCapabilities{DeferralAllowed: true},
		})
		if err != nil || len(resp.Diagnostics) > 0 || !isDeferred(resp.Deferred) {
			t.Errorf("an import of %s: got %v, %q, %v; want it deferred", resource, err, messages(resp.Diagnostics), resp.Deferred)
		}
		given := documentedResources[strings.TrimPrefix(resource, "lytics_")].base
		if plan := c.plan(resource, nil, build(c.typ(resource), given)); failed(plan.Diagnostics) || plan.Deferred != nil {
			t.Errorf("%s: got %q, %v; want a plan", resource, messages(plan.Diagnostics), plan.Deferred)
		}
	}
}
