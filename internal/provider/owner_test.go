package provider_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/provider/providertest"
)

var emailGiven = map[string]any{"id": "email", "type": "string"}

// destroy applies the removal of a resource.
func (r *client) destroy(resource string, state *resourceState) []*tfprotov6.Diagnostic {
	r.t.Helper()
	typ := r.typ(resource)
	null := tftypes.NewValue(typ, nil)
	resp, err := r.server.ApplyResourceChange(r.t.Context(), &tfprotov6.ApplyResourceChangeRequest{
		TypeName: resource, PriorState: dynamic(r.t, typ, state.value), PlannedState: dynamic(r.t, typ, null),
		Config: dynamic(r.t, typ, null), PlannedPrivate: state.private,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.Diagnostics
}

// importState imports a resource and reads it.
func (r *client) importState(resource, id string) (*resourceState, []*tfprotov6.Diagnostic) {
	r.t.Helper()
	imported, err := r.server.ImportResourceState(r.t.Context(), &tfprotov6.ImportResourceStateRequest{TypeName: resource, ID: id})
	if err != nil || failed(imported.Diagnostics) {
		r.t.Fatal(err, messages(imported.Diagnostics))
	}
	got := imported.ImportedResources[0]
	return r.read(resource, &resourceState{r.value(resource, got.State), got.Private, got.Identity})
}

// withoutOwner is a state as the release before this one wrote it.
func withoutOwner(t *testing.T, s *resourceState) *resourceState {
	t.Helper()
	var private map[string]json.RawMessage
	if err := json.Unmarshal(s.private, &private); err != nil {
		t.Fatal(err)
	}
	if _, ok := private["owner"]; !ok {
		t.Fatalf("private state has no owner: %s", s.private)
	}
	delete(private, "owner")
	text, err := json.Marshal(private)
	if err != nil {
		t.Fatal(err)
	}
	return &resourceState{value: s.value, private: text}
}

// checklist 67: after an import in another workspace the first resource says at each
// plan that it is not the owner, cannot change the object, and leaves it at destroy.
func TestAnImportedObjectIsNoLongerTheFirstResources(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	first := newClient(t, env)
	state := first.create("lytics_field", emailGiven)
	second := newClient(t, env)
	imported, diags := second.importState("lytics_field", "email")
	if failed(diags) || len(diags) != 1 || !strings.Contains(messages(diags)[0], "takes the field email from another resource") {
		t.Fatalf("import: got %q, want one warning", messages(diags))
	}
	if imported, diags = second.read("lytics_field", imported); len(diags) != 0 {
		t.Errorf("the plan after the import: got %q, want none", messages(diags))
	}
	state, diags = first.read("lytics_field", state)
	if failed(diags) || len(diags) != 1 || !strings.Contains(messages(diags)[0], "The field email belongs to another resource") {
		t.Errorf("the first plan: got %q, want one warning", messages(diags))
	}
	changed := build(first.typ("lytics_field"), map[string]any{"id": "email", "type": "string", "description": "mine"})
	if _, diags = first.apply(t.Context(), "lytics_field", state, changed); !failed(diags) ||
		!strings.Contains(strings.Join(messages(diags), "\n"), "was not changed") {
		t.Errorf("a change by the first: got %q, want an error", messages(diags))
	}
	diags = first.destroy("lytics_field", state)
	if failed(diags) || len(diags) != 1 || !strings.Contains(messages(diags)[0], "The field email is not deleted") {
		t.Errorf("destroy by the first: got %q, want one warning", messages(diags))
	}
	if f, ok := env.Only().Fields["email"]; !ok || f.Description != "" {
		t.Errorf("the field is %+v, %t; want it unchanged", f, ok)
	}
	if diags = second.destroy("lytics_field", imported); len(diags) != 0 {
		t.Errorf("destroy by the second: got %q, want none", messages(diags))
	}
	if n := len(env.Only().Fields); n != 0 {
		t.Errorf("%d fields are left, want none", n)
	}
}

// checklist 67: of two states of an earlier release that hold one field, the first
// to be applied by this release owns it. A plan changes nothing of that.
func TestAStateOfAnEarlierReleaseClaimsItsObjects(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	old := withoutOwner(t, c.create("lytics_field", emailGiven))
	env.Change(func() { clear(env.Only().Owners) })
	for range 2 {
		if _, diags := c.read("lytics_field", old); len(diags) != 0 {
			t.Fatalf("a plan: got %q, want none", messages(diags))
		}
	}
	applied, _ := c.read("lytics_field", old)
	if applied, diags := c.read("lytics_field", applied); len(diags) != 0 {
		t.Fatalf("the state after an apply: got %q, %v", messages(diags), applied)
	}
	if _, diags := c.read("lytics_field", old); failed(diags) || len(diags) != 1 {
		t.Errorf("the other state: got %q, want one warning", messages(diags))
	}
	if diags := c.destroy("lytics_field", old); failed(diags) || len(diags) != 1 {
		t.Errorf("destroy from the other state: got %q, want one warning", messages(diags))
	}
	if len(env.Only().Fields) != 1 {
		t.Error("the other state's destroy removed the field")
	}
	// Without a refresh, a state of an earlier release is still its object's.
	env.Change(func() { clear(env.Only().Owners) })
	changed := build(c.typ("lytics_field"), map[string]any{"id": "email", "type": "string", "description": "new"})
	state, diags := c.apply(t.Context(), "lytics_field", old, changed)
	if len(diags) != 0 {
		t.Fatalf("a change without a refresh: got %q, want none", messages(diags))
	}
	if diags := c.destroy("lytics_field", state); len(diags) != 0 || len(env.Only().Fields) != 0 {
		t.Errorf("destroy: got %q, and %d fields; want none", messages(diags), len(env.Only().Fields))
	}
}

// checklist 67: what exists and has no owner is refused at plan, with its import block.
func TestAForeignObjectIsRefusedAtPlan(t *testing.T) {
	t.Parallel()
	env := providertest.New()
	c := newClient(t, env)
	c.create("lytics_field", map[string]any{"id": "other", "type": "string"})
	env.Change(func() {
		s := env.Only()
		s.Fields["email"] = jobs.Field{ID: "email", Type: "string", MergeOperation: "latest"}
		s.Mappings["s/email"] = jobs.Mapping{ID: "s/email", Stream: "s", Field: "email", Expression: "email"}
		s.Audiences["aud-all"] = jobs.Audience{ID: "aud-all", Name: "All", Slug: "all", Filter: "*"}
	})
	for resource, given := range map[string]map[string]any{
		"lytics_field": emailGiven, "lytics_mapping": {"stream": "s", "field": "email", "expression": "email"},
		"lytics_audience": {"name": "All", "filter": "*"},
	} {
		diags := c.validateAndPlan(resource, given)
		if text := strings.Join(messages(diags), "\n"); !failed(diags) || !strings.Contains(text, "import {\n    to = "+resource+".NAME") {
			t.Errorf("%s: got %q, want an error with an import block", resource, text)
		}
	}
	// A platform that cannot be reached is reported by the create.
	env.Change(func() {
		env.Intercept = func(call *jobstest.Call) (bool, error) {
			return call.Method == "CheckCreate", &jobs.Error{Code: jobs.CodeUnreachable, Summary: "No answer"}
		}
	})
	if diags := c.validateAndPlan("lytics_field", emailGiven); failed(diags) {
		t.Errorf("the platform cannot be reached: got %q, want no error", messages(diags))
	}
}
