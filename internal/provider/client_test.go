package provider_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// client speaks the plugin protocol to a provider in this process, as Terraform
// does. It covers what Terraform's command line adds nothing to, and what the
// command line cannot be made to do.
type client struct {
	t      *testing.T
	server tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

// resourceState is the state of a resource with its private part.
type resourceState struct {
	value   tftypes.Value
	private []byte
	// identity is nil for a state of a client without identities, or of an earlier release.
	identity *tfprotov6.ResourceIdentityData
}

// newClient starts a provider whose block is empty.
func newClient(t *testing.T, env *providertest.Environment) *client {
	t.Helper()
	return newConfiguredClient(t, env, nil)
}

// newConfiguredClient starts a provider with a block that it accepts.
func newConfiguredClient(t *testing.T, env *providertest.Environment, given map[string]any) *client {
	t.Helper()
	c, diags := configure(t, env, given)
	if len(diags) > 0 {
		t.Fatal(messages(diags))
	}
	return c
}

// configure starts a provider and validates and configures its block.
func configure(t *testing.T, env *providertest.Environment, given map[string]any) (*client, []*tfprotov6.Diagnostic) {
	t.Helper()
	server, err := env.Server()
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, server: server}
	if c.schema, err = server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatal(err)
	}
	typ := c.schema.Provider.ValueType()
	config := dynamic(t, typ, build(typ, given))
	valid, err := server.ValidateProviderConfig(t.Context(), &tfprotov6.ValidateProviderConfigRequest{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	if failed(valid.Diagnostics) {
		return c, valid.Diagnostics
	}
	resp, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil {
		t.Fatal(err)
	}
	return c, resp.Diagnostics
}

func dynamic(t *testing.T, typ tftypes.Type, v tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	d, err := tfprotov6.NewDynamicValue(typ, v)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

// build makes an object with the given attributes; the others are null. Nested
// objects are maps.
func build(typ tftypes.Type, given map[string]any) tftypes.Value {
	values := map[string]tftypes.Value{}
	for name, t := range typ.(tftypes.Object).AttributeTypes {
		switch v := given[name].(type) {
		case map[string]any:
			if m, ok := t.(tftypes.Map); ok {
				elements := map[string]tftypes.Value{}
				for k, e := range v {
					elements[k] = tftypes.NewValue(m.ElementType, e)
				}
				values[name] = tftypes.NewValue(t, elements)
				continue
			}
			values[name] = build(t, v)
		case []string:
			elements := []tftypes.Value{}
			for _, e := range v {
				elements = append(elements, tftypes.NewValue(tftypes.String, e))
			}
			values[name] = tftypes.NewValue(t, elements)
		case []any:
			elements := []tftypes.Value{}
			for _, e := range v {
				elements = append(elements, tftypes.NewValue(tftypes.String, e))
			}
			values[name] = tftypes.NewValue(t, elements)
		default:
			values[name] = tftypes.NewValue(t, v)
		}
	}
	return tftypes.NewValue(typ, values)
}

func (r *client) typ(resource string) tftypes.Type {
	return r.schema.ResourceSchemas[resource].ValueType()
}

// proposed is the proposed new state, as Terraform computes it: the configuration,
// with the prior value of computed attributes that are left out.
func (r *client) proposed(resource string, prior *resourceState, config tftypes.Value) tftypes.Value {
	if prior == nil {
		return config
	}
	return propose(r.t, r.schema.ResourceSchemas[resource].Block.Attributes, prior.value, config)
}

func propose(t *testing.T, attributes []*tfprotov6.SchemaAttribute, prior, config tftypes.Value) tftypes.Value {
	t.Helper()
	var was, want map[string]tftypes.Value
	if prior.IsNull() || config.IsNull() {
		return config
	}
	if err := prior.As(&was); err != nil {
		t.Fatal(err)
	}
	if err := config.As(&want); err != nil {
		t.Fatal(err)
	}
	out := maps.Clone(want)
	for _, a := range attributes {
		switch {
		case a.Computed && want[a.Name].IsNull():
			out[a.Name] = was[a.Name]
		case a.NestedType != nil:
			out[a.Name] = propose(t, a.NestedType.Attributes, was[a.Name], want[a.Name])
		}
	}
	return tftypes.NewValue(config.Type(), out)
}

func (r *client) plan(resource string, prior *resourceState, config tftypes.Value) *tfprotov6.PlanResourceChangeResponse {
	r.t.Helper()
	typ := r.typ(resource)
	req := &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, Config: dynamic(r.t, typ, config), ProposedNewState: dynamic(r.t, typ, r.proposed(resource, prior, config)),
		PriorState: dynamic(r.t, typ, tftypes.NewValue(typ, nil)),
	}
	if prior != nil {
		req.PriorState, req.PriorPrivate, req.PriorIdentity = dynamic(r.t, typ, prior.value), prior.private, prior.identity
	}
	resp, err := r.server.PlanResourceChange(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

// apply plans and applies, and returns the diagnostics of both.
func (r *client) apply(ctx context.Context, resource string, prior *resourceState, config tftypes.Value) (*resourceState, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	plan := r.plan(resource, prior, config)
	if failed(plan.Diagnostics) {
		return prior, plan.Diagnostics
	}
	typ := r.typ(resource)
	req := &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, Config: dynamic(r.t, typ, config), PlannedState: plan.PlannedState, PlannedPrivate: plan.PlannedPrivate,
		PriorState: dynamic(r.t, typ, tftypes.NewValue(typ, nil)), PlannedIdentity: plan.PlannedIdentity,
	}
	if prior != nil {
		req.PriorState = dynamic(r.t, typ, prior.value)
	}
	resp, err := r.server.ApplyResourceChange(ctx, req)
	if err != nil {
		r.t.Fatal(err)
	}
	return &resourceState{r.value(resource, resp.NewState), resp.Private, resp.NewIdentity}, resp.Diagnostics
}

// create applies a configuration, and fails the test on an error.
func (r *client) create(resource string, given map[string]any) *resourceState {
	r.t.Helper()
	s, diags := r.apply(r.t.Context(), resource, nil, build(r.typ(resource), given))
	if failed(diags) {
		r.t.Fatalf("%s: %v", resource, messages(diags))
	}
	return s
}

// validateAndPlan plans a new object. If its configuration is invalid, the
// diagnostics are those of the validation.
func (r *client) validateAndPlan(resource string, given map[string]any) []*tfprotov6.Diagnostic {
	r.t.Helper()
	typ := r.typ(resource)
	config := build(typ, given)
	resp, err := r.server.ValidateResourceConfig(r.t.Context(),
		&tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: dynamic(r.t, typ, config),
			ClientCapabilities: &tfprotov6.ValidateResourceConfigClientCapabilities{WriteOnlyAttributesAllowed: true}})
	if err != nil {
		r.t.Fatal(err)
	}
	if failed(resp.Diagnostics) {
		return resp.Diagnostics
	}
	return r.plan(resource, nil, config).Diagnostics
}

// read refreshes a resource.
func (r *client) read(resource string, state *resourceState) (*resourceState, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	resp, err := r.server.ReadResource(r.t.Context(), &tfprotov6.ReadResourceRequest{
		TypeName: resource, CurrentState: dynamic(r.t, r.typ(resource), state.value), Private: state.private,
		CurrentIdentity: state.identity,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return &resourceState{r.value(resource, resp.NewState), resp.Private, resp.NewIdentity}, resp.Diagnostics
}

// readDataSource validates and reads a data source.
func (r *client) readDataSource(source string, given map[string]any) []*tfprotov6.Diagnostic {
	r.t.Helper()
	_, diags := r.dataSource(source, given)
	return diags
}

// dataSource is readDataSource, with the state.
func (r *client) dataSource(source string, given map[string]any) (tftypes.Value, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	typ := r.schema.DataSourceSchemas[source].ValueType()
	config := dynamic(r.t, typ, build(typ, given))
	valid, err := r.server.ValidateDataResourceConfig(r.t.Context(),
		&tfprotov6.ValidateDataResourceConfigRequest{TypeName: source, Config: config})
	if err != nil {
		r.t.Fatal(err)
	}
	if failed(valid.Diagnostics) {
		return tftypes.Value{}, valid.Diagnostics
	}
	resp, err := r.server.ReadDataSource(r.t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: source, Config: config})
	if err != nil {
		r.t.Fatal(err)
	}
	if failed(resp.Diagnostics) {
		return tftypes.Value{}, resp.Diagnostics
	}
	state, err := resp.State.Unmarshal(typ)
	if err != nil {
		r.t.Fatal(err)
	}
	return state, resp.Diagnostics
}

func (r *client) value(resource string, d *tfprotov6.DynamicValue) tftypes.Value {
	r.t.Helper()
	v, err := d.Unmarshal(r.typ(resource))
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// pick returns a nested value.
func pick(t *testing.T, v tftypes.Value, names ...string) tftypes.Value {
	t.Helper()
	for _, n := range names {
		if v.IsNull() || !v.IsKnown() {
			return v
		}
		var m map[string]tftypes.Value
		if err := v.As(&m); err != nil {
			t.Fatal(err)
		}
		v = m[n]
	}
	return v
}

func failed(diags []*tfprotov6.Diagnostic) bool {
	return slices.ContainsFunc(diags, func(d *tfprotov6.Diagnostic) bool { return d.Severity == tfprotov6.DiagnosticSeverityError })
}

func messages(diags []*tfprotov6.Diagnostic) []string {
	var out []string
	for _, d := range diags {
		out = append(out, d.Severity.String()+": "+d.Summary+": "+d.Detail)
	}
	return out
}
