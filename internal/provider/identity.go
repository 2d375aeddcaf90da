package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

// resourceIdentity tells the objects of a resource apart. Since Terraform 1.12 an import
// block may give it in place of an id.
type resourceIdentity struct {
	attributes []identityAttribute
	// changes is whether an update or a change outside Terraform may give the object
	// another identity.
	changes bool
	// find returns the id of the object that has the given attributes. Those that an
	// import block leaves out are not among them.
	find func(ctx context.Context, api jobs.API, given map[string]string) (string, error)
}

// identityAttribute is a text. The resource has an attribute of the same name with it.
type identityAttribute struct {
	name, doc string
	// optional is whether an import block may leave it out.
	optional bool
}

func (i resourceIdentity) schema() identityschema.Schema {
	s := identityschema.Schema{Attributes: map[string]identityschema.Attribute{}}
	for _, a := range i.attributes {
		s.Attributes[a.name] = identityschema.StringAttribute{
			RequiredForImport: !a.optional, OptionalForImport: a.optional, Description: a.doc,
		}
	}
	return s
}

// IdentitySchema implements resource.ResourceWithIdentity.
func (m *resourceBase) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = m.identity.schema()
}

// behavior says to the framework whether the identity may change.
func (m *resourceBase) behavior() resource.ResourceBehavior {
	return resource.ResourceBehavior{MutableIdentity: m.identity.changes}
}

// setState sets state and identity.
func (m *resourceBase) setState(ctx context.Context, model any, state *tfsdk.State, identity *tfsdk.ResourceIdentity,
	diags *diag.Diagnostics) {
	diags.Append(state.Set(ctx, model)...)
	if !diags.HasError() {
		m.identity.set(ctx, state.Raw, identity, diags)
	}
}

// set takes the identity from an object's attributes.
func (i resourceIdentity) set(ctx context.Context, object tftypes.Value, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	var all map[string]tftypes.Value
	if err := object.As(&all); err != nil || object.IsNull() {
		return // a resource that was removed
	}
	values := map[string]tftypes.Value{}
	for _, a := range i.attributes {
		if values[a.name] = all[a.name]; !all[a.name].IsKnown() {
			diags.AddError("The identity of the object is not known",
				fmt.Sprintf("Its attribute %s has no value yet. This is a defect of the provider; please report it.", a.name))
			return
		}
	}
	identity.Raw = tftypes.NewValue(identity.Schema.Type().TerraformType(ctx), values)
}

// keepIdentity gives a refresh an identity even if it reads nothing: an older Terraform,
// and a state of an earlier release, have none, and the framework refuses to go without.
func (m *resourceBase) keepIdentity(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	if resp.Identity.Raw.IsFullyNull() {
		m.identity.set(ctx, req.State.Raw, resp.Identity, &resp.Diagnostics)
	}
	if resp.Identity.Raw.IsFullyNull() { // imported by id, and about to be read
		values := map[string]tftypes.Value{}
		for _, a := range m.identity.attributes {
			values[a.name] = tftypes.NewValue(tftypes.String, "")
		}
		resp.Identity.Raw = tftypes.NewValue(resp.Identity.Schema.Type().TerraformType(ctx), values)
	}
}

// givenIdentity is the identity of an import block. It is empty if the block has an id.
func givenIdentity(identity *tfsdk.ResourceIdentity) map[string]string {
	given := map[string]string{}
	var values map[string]tftypes.Value
	if identity == nil || identity.Raw.IsNull() || identity.Raw.As(&values) != nil {
		return given
	}
	for name, v := range values {
		var text string
		if v.IsKnown() && !v.IsNull() && v.As(&text) == nil {
			given[name] = text
		}
	}
	return given
}

// describeIdentity writes an identity in messages.
func describeIdentity(given map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		parts = append(parts, fmt.Sprintf("%s = %q", name, given[name]))
	}
	return strings.Join(parts, ", ")
}

// byID is the identity of an object whose id never changes.
func byID(doc string) resourceIdentity {
	return resourceIdentity{
		attributes: []identityAttribute{{name: "id", doc: doc}},
		find: func(_ context.Context, _ jobs.API, given map[string]string) (string, error) {
			return given["id"], nil
		},
	}
}

// mostNamed is how many objects the error of an identity names: a store has thousands.
const mostNamed = 10

// firstOf joins the first objects of a list, and counts the others.
func firstOf(objects []string, separator string) string {
	if more := len(objects) - mostNamed; more > 0 {
		return strings.Join(objects[:mostNamed], separator) + fmt.Sprintf("%sand %d more", separator, more)
	}
	return strings.Join(objects, separator)
}

// noneWithIdentity is the error of an import that finds nothing.
func noneWithIdentity(noun string, given map[string]string, have []string) error {
	if len(have) == 0 {
		have = []string{"none"}
	}
	return &jobs.Error{
		Code: jobs.CodeNotFound, Summary: "There is no " + noun + " with this identity",
		Detail: fmt.Sprintf("The import block has %s. The store has: %s.", describeIdentity(given), firstOf(have, "; ")),
		Next:   "Correct the identity, or give the id",
	}
}

func mappingIdentity() resourceIdentity {
	return resourceIdentity{
		changes: true, // guard_expression changes in place
		attributes: []identityAttribute{
			{name: "stream", doc: "The stream that the mapping reads."},
			{name: "field", doc: "Id of the field that it fills."},
			{name: "guard_expression", doc: "Condition of the mapping. Default empty.", optional: true},
		},
		find: func(ctx context.Context, api jobs.API, given map[string]string) (string, error) {
			all, err := api.Mappings(ctx)
			if err != nil {
				return "", err
			}
			var have []string
			for _, m := range all {
				if m.Stream != given["stream"] || m.Field != given["field"] {
					continue
				}
				if platform.SameText(m.GuardExpression, given["guard_expression"]) {
					return m.ID, nil
				}
				have = append(have, fmt.Sprintf("%s, guard_expression = %q", m.ID, m.GuardExpression))
			}
			return "", noneWithIdentity("mapping", given, have)
		},
	}
}

func audienceIdentity() resourceIdentity {
	return resourceIdentity{
		changes:    true, // a slug that was changed outside is drift
		attributes: []identityAttribute{{name: "slug", doc: "Slug of the audience."}},
		find: func(ctx context.Context, api jobs.API, given map[string]string) (string, error) {
			a, err := api.Audience(ctx, given["slug"])
			if err == nil && a.Slug != given["slug"] {
				err = noneWithIdentity("audience", given, []string{fmt.Sprintf("an audience with this id, and the slug %q", a.Slug)})
			}
			return a.ID, err
		},
	}
}
