package provider

import (
	"context"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// platformObject describes one kind of object of the platform, such as a field,
// to platformObjectResource. M is the Terraform model and O the object of
// jobs.API.
type platformObject[M, O any] struct {
	// noun names the kind in messages, and the resource: lytics_{noun}.
	noun   string
	schema func() schema.Schema
	// label identifies an object in messages, even before it has an id.
	label  func(M) string
	object func(M) O
	model  func(O) M
	// setComputed takes the attributes that were unknown at plan from the stored
	// object. It must leave the others as planned: Terraform refuses a result
	// that differs from its plan.
	setComputed func(m *M, stored O)
	// validate checks everything but texts. It returns *jobs.Error, with the
	// attribute at fault.
	validate func(O) error
	// texts are the filters and expressions of an object. The platform judges them.
	texts func(M) []text
	// plan sets computed attributes of the plan and checks the plan.
	plan func(context.Context, *objectPlan[M], *diag.Diagnostics)

	create, put func(jobs.API, context.Context, O) (O, error)
	get         func(jobs.API, context.Context, string) (O, error)
	delete      func(jobs.API, context.Context, string) error
}

func (k platformObject[M, O]) textsOf(m M) []text {
	if k.texts == nil {
		return nil
	}
	return k.texts(m)
}

// objectPlan is one planned change of a platform object.
type objectPlan[M any] struct {
	session *session
	// api is nil if there is no store yet, or if it is not known which one.
	api             jobs.API
	config, planned M
	// prior is nil for a new object.
	prior *M
	// objectType is the type of the object, for diagnostics.
	objectType attr.Type
	// requiresReplace collects the attributes whose change replaces the object.
	requiresReplace path.Paths
}

// platformObjectResource is the resource of one kind of platform object.
type platformObjectResource[M, O any] struct {
	resourceBase
	kind platformObject[M, O]
}

var (
	_ resource.ResourceWithConfigure      = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithImportState    = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithModifyPlan     = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithValidateConfig = (*platformObjectResource[fieldModel, jobs.Field])(nil)
)

func newPlatformObjectResource[M, O any](kind func() platformObject[M, O]) func() resource.Resource {
	return func() resource.Resource { return &platformObjectResource[M, O]{kind: kind()} }
}

func (r *platformObjectResource[M, O]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + r.kind.noun
}

func (r *platformObjectResource[M, O]) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.schema()
}

func (r *platformObjectResource[M, O]) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest,
	resp *resource.ValidateConfigResponse) {
	var m M
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.session == nil {
		// A configured provider asks the platform, in ModifyPlan.
		for _, t := range r.kind.textsOf(m) {
			warnUnjudged(attributeTarget{objectType: req.Config.Schema.Type()}, t, &resp.Diagnostics)
		}
	}
	if !req.Config.Raw.IsFullyKnown() {
		return
	}
	if err := r.kind.validate(r.kind.object(m)); err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: req.Config.Schema.Type()}, "use the "+r.kind.noun, err)
	}
}

func (r *platformObjectResource[M, O]) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	api, _ := r.openForPlan(ctx, req, resp, false)
	if r.session == nil || req.Plan.Raw.IsNull() || resp.Diagnostics.HasError() {
		return
	}
	p := &objectPlan[M]{session: r.session, api: api, objectType: resp.Plan.Schema.Type()}
	resp.Diagnostics.Append(req.Config.Get(ctx, &p.config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &p.planned)...)
	if !req.State.Raw.IsNull() {
		p.prior = new(M)
		resp.Diagnostics.Append(req.State.Get(ctx, p.prior)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	r.kind.plan(ctx, p, &resp.Diagnostics)
	var prior []text
	if p.prior != nil {
		prior = r.kind.textsOf(*p.prior)
	}
	for _, t := range r.kind.textsOf(p.planned) {
		// What this plan does not change was judged when it was written.
		if !slices.ContainsFunc(prior, t.equal) {
			p.session.judgeText(ctx, attributeTarget{objectType: p.objectType}, t, &resp.Diagnostics)
		}
	}
	resp.RequiresReplace = append(resp.RequiresReplace, p.requiresReplace...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, p.planned)...)
}

func (r *platformObjectResource[M, O]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var m M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.openForCreate(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	stored, err := r.kind.create(api, ctx, r.kind.object(m))
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "create "+r.kind.label(m), err)
		return
	}
	r.kind.setComputed(&m, stored)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *platformObjectResource[M, O]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, _ := r.openForRead(ctx, req, resp)
	if api == nil {
		return
	}
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	stored, err := r.kind.get(api, ctx, id)
	if err != nil {
		addReadError(ctx, resp, nounWithID(r.kind.noun, id), err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, r.kind.model(stored))...)
}

func (r *platformObjectResource[M, O]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var m M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	stored, err := r.kind.put(api, ctx, r.kind.object(m))
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "update "+r.kind.label(m), err)
		return
	}
	r.kind.setComputed(&m, stored)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

func (r *platformObjectResource[M, O]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	addDeleteError(resp, nounWithID(r.kind.noun, id), r.kind.delete(api, ctx, id))
}
