package provider_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// validateList validates the config of a list block.
func (r *client) validateList(resource string, given map[string]any) []*tfprotov6.Diagnostic {
	r.t.Helper()
	server, _ := r.server.(tfprotov6.ListResourceServer)
	typ := r.schema.ListResourceSchemas[resource].ValueType()
	valid, err := server.ValidateListResourceConfig(r.t.Context(),
		&tfprotov6.ValidateListResourceConfigRequest{TypeName: resource, Config: dynamic(r.t, typ, build(typ, given))})
	if err != nil {
		r.t.Fatal(err)
	}
	return valid.Diagnostics
}

// list validates a list block and lists, as terraform query does.
func (r *client) list(resource string, given map[string]any, withResource bool, limit int64) []tfprotov6.ListResourceResult {
	r.t.Helper()
	if diags := r.validateList(resource, given); failed(diags) {
		r.t.Fatal(messages(diags))
	}
	server, _ := r.server.(tfprotov6.ListResourceServer)
	typ := r.schema.ListResourceSchemas[resource].ValueType()
	config := dynamic(r.t, typ, build(typ, given))
	stream, err := server.ListResource(r.t.Context(), &tfprotov6.ListResourceRequest{
		TypeName: resource, Config: config, IncludeResource: withResource, Limit: limit,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return slices.Collect(stream.Results)
}

// generated is the configuration that terraform query writes for a listed resource.
func (r *client) generated(resource string, state *tfprotov6.DynamicValue) *tfprotov6.DynamicValue {
	r.t.Helper()
	resp, err := r.server.GenerateResourceConfig(r.t.Context(), &tfprotov6.GenerateResourceConfigRequest{TypeName: resource, State: state})
	if err != nil || failed(resp.Diagnostics) {
		r.t.Fatal(err, messages(resp.Diagnostics))
	}
	return resp.Config
}

// checklist 47: each resource is listed with its identity, and the configuration that is
// generated from a listed object is valid, and its plan after an import by that identity
// is empty.
func TestListedResourcesPlanEmpty(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c, states := sixObjects(t, env)
	for resource, s := range states {
		all := c.list(resource, nil, true, 0)
		if len(all) != 1 || failed(all[0].Diagnostics) {
			t.Errorf("%s: got %d results, %v", resource, len(all), all)
			continue
		}
		got := all[0]
		if got.DisplayName == "" {
			t.Errorf("%s: no name is shown", resource)
		}
		identity := c.identityValues(resource, got.Identity)
		if d := cmp.Diff(c.identityValues(resource, s.identity), identity); d != "" {
			t.Errorf("%s: the identity of the state, and of the list:\n%s", resource, d)
		}
		config := c.value(resource, c.generated(resource, got.Resource))
		valid, err := c.server.ValidateResourceConfig(t.Context(), &tfprotov6.ValidateResourceConfigRequest{
			TypeName: resource, Config: dynamic(t, c.typ(resource), config),
			ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true},
		})
		if err != nil || failed(valid.Diagnostics) {
			t.Errorf("%s: the generated configuration is invalid: %v, %q", resource, err, messages(valid.Diagnostics))
			continue
		}
		imported, diags := c.importByIdentity(resource, identity)
		if failed(diags) {
			t.Errorf("%s: the import: %q", resource, messages(diags))
			continue
		}
		plan := c.plan(resource, imported, config)
		if failed(plan.Diagnostics) || len(plan.RequiresReplace) > 0 {
			t.Errorf("%s: the plan: %q, %v", resource, messages(plan.Diagnostics), plan.RequiresReplace)
			continue
		}
		if planned := c.value(resource, plan.PlannedState); !planned.Equal(imported.value) {
			changes, _ := planned.Diff(imported.value)
			t.Errorf("%s: the plan is not empty: %v", resource, changes)
		}
		if bare := c.list(resource, nil, false, 0); len(bare) != 1 || bare[0].Resource != nil || bare[0].Identity == nil {
			t.Errorf("%s, without resources: got %v", resource, bare)
		}
	}
}

func TestListFilters(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	env.Lytics = true
	c, _ := sixObjects(t, env)
	c.create("lytics_databricks_authorization", map[string]any{"label": "Lytics' own", "host": "dbc-7.cloud.databricks.com", "http_path": "/p",
		"token_wo": "t", "token_wo_version": 1, "managed_by": "lytics"})
	c.create("lytics_field", map[string]any{"id": "spend", "type": "number"})
	c.create("lytics_mapping", map[string]any{"stream": "other", "field": "spend", "expression": "spend"})
	c.create("lytics_audience", map[string]any{"name": "Everybody", "filter": "*"})
	var auth string
	for id, a := range env.Only().Authorizations {
		if a.ManagedBy != jobs.ManagedByLytics {
			auth = id
		}
	}
	c.create(tableImportType, map[string]any{"label": "orders", "authorization_id": auth, "catalog": "main", "database": "sales",
		"table": "orders", "timestamp_column": "at", "schedule": daily(nil)})
	for _, test := range []struct {
		resource string
		given    map[string]any
		limit    int64
		want     []string
	}{
		{"lytics_databricks_authorization", map[string]any{"managed_by": "lytics"}, 0, []string{"Lytics' own"}},
		{"lytics_databricks_authorization", map[string]any{"host": "DBC-7.*"}, 0, []string{"Lytics' own"}},
		{"lytics_databricks_authorization", map[string]any{"label": "none"}, 0, nil},
		{tableImportType, nil, 0, []string{"customers", "orders"}},
		{tableImportType, nil, 1, []string{"customers"}},
		{tableImportType, map[string]any{"table": "ord*|none", "catalog": "main", "database": "sales"}, 0, []string{"orders"}},
		{tableImportType, map[string]any{"stream": "*_customers", "authorization_id": auth}, 0, []string{"customers"}},
		{tableImportType, map[string]any{"authorization_id": "auth-none"}, 0, nil},
		{tableImportType, map[string]any{"managed_by": "provider", "label": "o*"}, 0, []string{"orders"}},
		{exportType, map[string]any{"table_name": "lytics_user_*", "audience_id": "aud-vip"}, 0, []string{"vips"}},
		{exportType, map[string]any{"audience_id": "aud-none"}, 0, nil},
		{"lytics_field", map[string]any{"is_identifier": true}, 0, []string{"field email"}},
		{"lytics_field", map[string]any{"is_identifier": false, "type": "number", "id": "s*"}, 0, []string{"field spend"}},
		{"lytics_mapping", map[string]any{"stream": "oth*", "field": "spend"}, 0, []string{"the mapping of field spend"}},
		{"lytics_audience", map[string]any{"slug": "every*", "name": "everybody"}, 0, []string{"audience Everybody"}},
	} {
		var got []string
		for _, r := range c.list(test.resource, test.given, true, test.limit) {
			if failed(r.Diagnostics) {
				t.Errorf("%s %v: %q", test.resource, test.given, messages(r.Diagnostics))
			}
			got = append(got, r.DisplayName)
		}
		if d := cmp.Diff(test.want, got); d != "" {
			t.Errorf("%s %v, at most %d: want and got:\n%s", test.resource, test.given, test.limit, d)
		}
	}
}

// A word that managed_by never has would choose nothing: it is refused, with its attribute.
func TestListFiltersRefuseUnknownManagers(t *testing.T) {
	t.Parallel()
	c := newClient(t, providertest.New())
	at := tftypes.NewAttributePath().WithAttributeName("managed_by")
	for _, resource := range []string{"lytics_databricks_authorization", tableImportType, exportType} {
		diags := c.validateList(resource, map[string]any{"managed_by": "lytic"})
		if len(diags) != 1 || !says(diags, `"provider" "lytics"`) || !diags[0].Attribute.Equal(at) {
			t.Errorf("%s: got %v, want one error of managed_by with the allowed words", resource, messages(diags))
		}
		for _, manager := range []string{"provider", "lytics"} {
			if diags := c.validateList(resource, map[string]any{"managed_by": manager}); len(diags) > 0 {
				t.Errorf("%s, %s: got %v", resource, manager, messages(diags))
			}
		}
	}
}

// A store that cannot be listed is an error of the list, also where there is none yet.
func TestListErrors(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	empty := newClient(t, env).list("lytics_field", nil, true, 0)
	if len(empty) != 1 || !failed(empty[0].Diagnostics) {
		t.Errorf("without a store: got %v, want an error", empty)
	}
	c, _ := sixObjects(t, env)
	env.Change(func() {
		env.Intercept = func(call *jobstest.Call) (bool, error) {
			return call.Method == "Mappings" || call.Method == "Authorization",
				&jobs.Error{Code: jobs.CodeUnreachable, Summary: "No answer", Next: "Try again"}
		}
	})
	for _, resource := range []string{"lytics_mapping", "lytics_databricks_authorization"} {
		got := c.list(resource, nil, true, 0)
		if len(got) != 1 || !strings.Contains(strings.Join(messages(got[0].Diagnostics), "\n"), "No answer") {
			t.Errorf("%s: got %v, want one error", resource, got)
		}
	}
}
