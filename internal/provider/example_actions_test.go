package provider_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	hcllang "github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	"github.com/zclconf/go-cty/cty"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

// exampleOfAction is an action block of the documentation.
type exampleOfAction struct {
	address, typ string
	config       *hclsyntax.Body
}

// examplesOfActions reads the examples of actions, which Terraform before 1.14 cannot: their
// actions by address, the one job that they declare, and the addresses that triggers name.
func examplesOfActions(t *testing.T) (actions []exampleOfAction, job *hclsyntax.Body, triggered []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "examples", "actions", "*", "action.tf"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		parsed, diags := hclsyntax.ParseConfig(text, file, hcllang.InitialPos)
		body, ok := parsed.Body.(*hclsyntax.Body)
		if diags.HasErrors() || !ok {
			t.Fatal(diags)
		}
		for _, b := range body.Blocks {
			switch {
			case b.Type == "terraform":
			case b.Type == "action" && len(b.Labels) == 2 && len(b.Body.Blocks) == 1 && b.Body.Blocks[0].Type == "config":
				actions = append(actions, exampleOfAction{"action." + strings.Join(b.Labels, "."), b.Labels[0], b.Body.Blocks[0].Body})
			case b.Type == "resource" && b.Labels[0] == tableImportType && job == nil:
				job = b.Body
			case b.Type == "resource" && b.Labels[0] == "terraform_data":
				triggered = append(triggered, triggeredActions(b.Body)...)
			default:
				t.Errorf("%s: got the block %s %q, which this test does not know", b.Range(), b.Type, b.Labels)
			}
		}
	}
	if job == nil {
		t.Fatal("the examples declare no job")
	}
	return actions, job, triggered
}

func triggeredActions(resource *hclsyntax.Body) (addresses []string) {
	for _, lifecycle := range resource.Blocks {
		for _, trigger := range lifecycle.Body.Blocks {
			for _, of := range trigger.Body.Attributes["actions"].Expr.Variables() {
				var parts []string
				for _, step := range of {
					switch step := step.(type) {
					case hcllang.TraverseRoot:
						parts = append(parts, step.Name)
					case hcllang.TraverseAttr:
						parts = append(parts, step.Name)
					}
				}
				addresses = append(addresses, strings.Join(parts, "."))
			}
		}
	}
	return addresses
}

// evaluated are the values of a body's attributes. The job and its authorization have ids.
func evaluated(t *testing.T, body *hclsyntax.Body, typ tftypes.Type, job, authorization cty.Value) map[string]any {
	t.Helper()
	object := func(name string, v cty.Value) cty.Value { return cty.ObjectVal(map[string]cty.Value{name: v}) }
	scope := &hcllang.EvalContext{Variables: map[string]cty.Value{
		tableImportType:                   object("customers", object("id", job)),
		"lytics_databricks_authorization": object("warehouse", object("id", authorization)),
	}}
	values := map[string]cty.Value{}
	for name, a := range body.Attributes {
		v, diags := a.Expr.Value(scope)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		values[name] = v
	}
	return given(t, typ, values)
}

// given converts values for an object of a type, which must have their names.
func given(t *testing.T, typ tftypes.Type, values map[string]cty.Value) map[string]any {
	t.Helper()
	o, _ := typ.(tftypes.Object)
	out := map[string]any{}
	for name, v := range values {
		of, ok := o.AttributeTypes[name]
		switch {
		case !ok:
			t.Errorf("there is no attribute %s", name)
		case !v.IsKnown():
			out[name] = tftypes.UnknownValue
		case v.Type() == cty.String:
			out[name] = v.AsString()
		case v.Type() == cty.Bool:
			out[name] = v.True()
		case v.Type().IsObjectType():
			out[name] = given(t, of, v.AsValueMap())
		default:
			t.Errorf("%s is of type %s, which this test does not know", name, v.Type().FriendlyName())
		}
	}
	return out
}

// The examples of actions work: before their job exists the plan accepts them, and with it
// they are planned and invoked. Each action of the provider has an example, and what a
// trigger names is declared.
func TestExamplesOfActions(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	actions, job, triggered := examplesOfActions(t)
	typeOf := func(a exampleOfAction) tftypes.Type {
		s, ok := c.schema.ActionSchemas[a.typ]
		if !ok {
			t.Fatalf("%s: the provider has no such action", a.address)
		}
		return s.Schema.ValueType()
	}
	var addresses []string
	examples := map[string]bool{}
	for _, a := range actions {
		addresses, examples[a.typ] = append(addresses, a.address), true
		unknown := cty.UnknownVal(cty.String)
		if diags := c.planAction(a.typ, evaluated(t, a.config, typeOf(a), unknown, unknown)); len(diags) > 0 {
			t.Errorf("%s, before its job exists: got %q", a.address, messages(diags))
		}
	}
	for _, address := range triggered {
		if !slices.Contains(addresses, address) {
			t.Errorf("a trigger names %s, and the examples declare %q", address, addresses)
		}
	}
	if len(triggered) == 0 {
		t.Error("no example has an action_trigger")
	}
	if got, want := slices.Sorted(maps.Keys(examples)), slices.Sorted(maps.Keys(c.schema.ActionSchemas)); !slices.Equal(got, want) {
		t.Errorf("there are examples of the actions %q, want %q", got, want)
	}

	authorization := cty.StringVal(idOf(t, c.create("lytics_databricks_authorization", authorizationGiven)))
	created := c.create(tableImportType, evaluated(t, job, c.typ(tableImportType), cty.NullVal(cty.String), authorization))
	id := idOf(t, created)
	for _, a := range actions {
		config := evaluated(t, a.config, typeOf(a), cty.StringVal(id), authorization)
		if diags := c.planAction(a.typ, config); len(diags) > 0 {
			t.Errorf("%s: the plan says %q", a.address, messages(diags))
		}
		if said, diags := c.invokeAction(a.typ, config); len(diags) > 0 || len(said) == 0 {
			t.Errorf("%s: it said %q and ended with %q", a.address, said, messages(diags))
		}
	}
	runs := slices.DeleteFunc(slices.Clone(env.Only().Runs), func(r jobs.Run) bool { return r.Status != jobs.StatusSucceeded })
	if len(runs) != 2 || env.Only().Jobs[id].Paused {
		t.Errorf("got the runs %+v of the job %+v, want the two of lytics_run_job, and a resumed job", runs, env.Only().Jobs[id])
	}
}
