package provider_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// randomValues generates random values of a type: null, unknown, empty and invalid ones.
// Values for an apply are never unknown.
type randomValues struct {
	rand    *rand.Rand
	unknown bool
}

var words = []any{"", " ", "a", "main", "auth-1", "vip", "FILTER a", "daily", "weekly", "00:00", "25:99", "Europe/Berlin",
	"2026-01-31 00:00:00", "not a time", "\x00", "\u2028", "émoji 🎉", "x(y", "[]string", "sum", "http://127.0.0.1", "::", "%zz", "dapi"}

// secretAttribute matches the attributes whose values no message contains. Their
// values are no words of other tests, which run in the same process.
var secretAttribute = regexp.MustCompile(`^token$|_wo$|access_key|database_url|client_secret$`)

func (c randomValues) attribute(name string, t tftypes.Type) tftypes.Value {
	v := c.value(t)
	var text string
	if !secretAttribute.MatchString(name) || !t.Is(tftypes.String) || v.IsNull() || v.As(&text) != nil || text == "" {
		return v
	}
	return tftypes.NewValue(t, "random "+text)
}

func (c randomValues) value(t tftypes.Type) tftypes.Value {
	switch roll := c.rand.IntN(10); {
	case roll == 0:
		return tftypes.NewValue(t, nil)
	case roll == 1 && c.unknown:
		return tftypes.NewValue(t, tftypes.UnknownValue)
	}
	switch t := t.(type) {
	case tftypes.Object:
		values := map[string]tftypes.Value{}
		for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes)) {
			values[name] = c.attribute(name, t.AttributeTypes[name])
		}
		return tftypes.NewValue(t, values)
	case tftypes.Map:
		values := map[string]tftypes.Value{}
		for i := range c.rand.IntN(3) {
			values[fmt.Sprint(i)] = c.value(t.ElementType)
		}
		return tftypes.NewValue(t, values)
	case tftypes.Set:
		// Elements of a set differ.
		return tftypes.NewValue(t, []tftypes.Value{tftypes.NewValue(t.ElementType, "job-1"), tftypes.NewValue(t.ElementType, "")})
	case tftypes.List:
		values := []tftypes.Value{}
		for range c.rand.IntN(3) {
			values = append(values, c.value(t.ElementType))
		}
		return tftypes.NewValue(t, values)
	}
	switch {
	case t.Is(tftypes.Bool):
		return tftypes.NewValue(t, c.rand.IntN(2) == 0)
	case t.Is(tftypes.Number):
		return tftypes.NewValue(t, []int64{-1, 0, 1, 443, 99999, 1 << 62}[c.rand.IntN(6)])
	}
	return tftypes.NewValue(t, words[c.rand.IntN(len(words))])
}

// root is never null or unknown as a whole: Terraform does not send that.
func (c randomValues) root(t tftypes.Type) tftypes.Value {
	for {
		if v := c.value(t); v.IsKnown() && !v.IsNull() {
			return v
		}
	}
}

// config is like root, without the attributes that only the provider sets.
func (c randomValues) config(s *tfprotov6.Schema) tftypes.Value {
	var values map[string]tftypes.Value
	if err := c.root(s.ValueType()).As(&values); err != nil {
		panic(err)
	}
	for _, a := range s.Block.Attributes {
		if !a.Required && !a.Optional {
			values[a.Name] = tftypes.NewValue(a.ValueType(), nil)
		}
	}
	return tftypes.NewValue(s.ValueType(), values)
}

// No configuration makes the provider panic. The generator is seeded, and a
// failure names its seed.
//
// checklist 45
func TestNoValuePanics(t *testing.T) {
	t.Parallel()
	seeds := uint64(120)
	if testing.Short() {
		seeds = 15
	}
	for name := range documentedResources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newClient(t, documentedEnvironment(t))
			resource := "lytics_" + name
			prior := r.create(resource, documentedResources[name].base)
			applied := 0
			for seed := range seeds {
				r.applyRandom(resource, seed, prior, &applied)
			}
			if applied == 0 {
				t.Error("no configuration reached Create, so it was not tried")
			}
		})
	}
}

func (r *client) applyRandom(resource string, seed uint64, prior *resourceState, applied *int) {
	defer func() {
		if p := recover(); p != nil {
			r.t.Fatalf("seed %d: %v", seed, p)
		}
	}()
	schema, typ := r.schema.ResourceSchemas[resource], r.typ(resource)
	c := randomValues{rand.New(rand.NewPCG(seed, 1)), seed%2 == 0}
	config := c.config(schema)
	// A third begin with what works, so that most get past validation.
	if seed%3 == 0 {
		config = r.mixed(resource, c)
	}
	_, err := r.server.ValidateResourceConfig(r.t.Context(),
		&tfprotov6.ValidateResourceConfigRequest{TypeName: resource, Config: dynamic(r.t, typ, config)})
	if err != nil {
		r.t.Fatalf("seed %d: %v", seed, err)
	}
	r.plan(resource, prior, config)
	r.plan(resource, nil, config)
	if config.IsFullyKnown() {
		if _, diags := r.apply(r.t.Context(), resource, nil, config); !failed(diags) {
			*applied++
		}
		r.apply(r.t.Context(), resource, prior, config)
	}
	state := randomValues{c.rand, false}.root(typ)
	if _, err := r.server.ReadResource(r.t.Context(), &tfprotov6.ReadResourceRequest{TypeName: resource,
		CurrentState: dynamic(r.t, typ, state)}); err != nil {
		r.t.Fatalf("seed %d: %v", seed, err)
	}
}

// mixed is a valid configuration with one random attribute.
func (r *client) mixed(resource string, c randomValues) tftypes.Value {
	var values map[string]tftypes.Value
	base := build(r.typ(resource), documentedResources[resource[len("lytics_"):]].base)
	if err := base.As(&values); err != nil {
		r.t.Fatal(err)
	}
	attributes := slices.DeleteFunc(slices.Clone(r.schema.ResourceSchemas[resource].Block.Attributes),
		func(a *tfprotov6.SchemaAttribute) bool { return !a.Required && !a.Optional })
	a := attributes[c.rand.IntN(len(attributes))]
	values[a.Name] = c.attribute(a.Name, a.ValueType())
	return tftypes.NewValue(base.Type(), values)
}

// No provider block and no configuration of a data source makes the provider
// panic.
//
// checklist 45
func TestNoProviderConfigurationPanics(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if testing.Short() {
		seeds = 75
	}
	env := documentedEnvironment(t)
	for seed := range seeds {
		server, err := env.Factories()["lytics"]()
		if err != nil {
			t.Fatal(err)
		}
		r := &client{t: t, server: server}
		if r.schema, err = server.GetProviderSchema(t.Context(), &tfprotov6.GetProviderSchemaRequest{}); err != nil {
			t.Fatal(err)
		}
		c := randomValues{rand.New(rand.NewPCG(seed, 2)), seed%2 == 0}
		config := dynamic(t, r.schema.Provider.ValueType(), c.root(r.schema.Provider.ValueType()))
		resp, err := server.ConfigureProvider(t.Context(), &tfprotov6.ConfigureProviderRequest{Config: config})
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if failed(resp.Diagnostics) {
			continue
		}
		for name, s := range r.schema.DataSourceSchemas {
			v := randomValues{c.rand, false}.config(s)
			if _, err := server.ReadDataSource(t.Context(), &tfprotov6.ReadDataSourceRequest{TypeName: name,
				Config: dynamic(t, s.ValueType(), v)}); err != nil {
				t.Fatalf("seed %d: %s: %v", seed, name, err)
			}
		}
	}
}
