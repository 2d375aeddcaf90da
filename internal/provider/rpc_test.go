package provider_test

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// rpc speaks the plugin protocol to a configured provider, as Terraform does:
// for what Terraform's command line cannot be asked to do.
type rpc struct {
	t      *testing.T
	server tfprotov6.ProviderServer
	schema *tfprotov6.GetProviderSchemaResponse
}

// stored is a resource as the protocol passes it around.
type stored struct {
	value   tftypes.Value
	private []byte
}

func newRPC(t *testing.T, w *world) *rpc {
	t.Helper()
	return newRPCWith(t, w, nil)
}

// newRPCWith gives the provider a configuration.
func newRPCWith(t *testing.T, w *world, given map[string]any) *rpc {
	t.Helper()
	server, err := w.factories()["lytics"]()
	if err != nil {
		t.Fatal(err)
	}
	r := &rpc{t: t, server: server}
	if r.schema, err = server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
		t.Fatal(err)
	}
	typ := r.schema.Provider.ValueType()
	config := dynamic(t, typ, build(typ, given))
	resp, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatal(err, resp)
	}
	return r
}

func dynamic(t *testing.T, typ tftypes.Type, v tftypes.Value) *tfprotov6.DynamicValue {
	t.Helper()
	d, err := tfprotov6.NewDynamicValue(typ, v)
	if err != nil {
		t.Fatal(err)
	}
	return &d
}

// build makes an object of what is given; the rest is null. Nested objects are
// maps.
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
		default:
			values[name] = tftypes.NewValue(t, v)
		}
	}
	return tftypes.NewValue(typ, values)
}

func (r *rpc) typ(resource string) tftypes.Type {
	return r.schema.ResourceSchemas[resource].ValueType()
}

// proposed is Terraform's first idea of a plan: the configuration, with the
// prior value where a computed attribute is left out.
func (r *rpc) proposed(resource string, prior *stored, config tftypes.Value) tftypes.Value {
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

func (r *rpc) plan(resource string, prior *stored, config tftypes.Value) *tfprotov6.PlanResourceChangeResponse {
	r.t.Helper()
	typ := r.typ(resource)
	req := &tfprotov6.PlanResourceChangeRequest{
		TypeName: resource, Config: dynamic(r.t, typ, config), ProposedNewState: dynamic(r.t, typ, r.proposed(resource, prior, config)),
		PriorState: dynamic(r.t, typ, tftypes.NewValue(typ, nil)),
	}
	if prior != nil {
		req.PriorState, req.PriorPrivate = dynamic(r.t, typ, prior.value), prior.private
	}
	resp, err := r.server.PlanResourceChange(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp
}

// apply plans and applies; diagnostics are the caller's to judge.
func (r *rpc) apply(ctx context.Context, resource string, prior *stored, config tftypes.Value) (*stored, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	plan := r.plan(resource, prior, config)
	if failed(plan.Diagnostics) {
		return prior, plan.Diagnostics
	}
	typ := r.typ(resource)
	req := &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, Config: dynamic(r.t, typ, config), PlannedState: plan.PlannedState, PlannedPrivate: plan.PlannedPrivate,
		PriorState: dynamic(r.t, typ, tftypes.NewValue(typ, nil)),
	}
	if prior != nil {
		req.PriorState = dynamic(r.t, typ, prior.value)
	}
	resp, err := r.server.ApplyResourceChange(ctx, req)
	if err != nil {
		r.t.Fatal(err)
	}
	return &stored{r.value(resource, resp.NewState), resp.Private}, resp.Diagnostics
}

// create applies a configuration that works.
func (r *rpc) create(resource string, given map[string]any) *stored {
	r.t.Helper()
	s, diags := r.apply(r.t.Context(), resource, nil, build(r.typ(resource), given))
	if failed(diags) {
		r.t.Fatalf("%s: %v", resource, messages(diags))
	}
	return s
}

func (r *rpc) value(resource string, d *tfprotov6.DynamicValue) tftypes.Value {
	r.t.Helper()
	v, err := d.Unmarshal(r.typ(resource))
	if err != nil {
		r.t.Fatal(err)
	}
	return v
}

// pick gives a nested value.
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
