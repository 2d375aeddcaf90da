package provider

import (
	"context"
	"fmt"
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
	noun     string
	kind     jobs.ObjectKind
	schema   func() schema.Schema
	identity resourceIdentity
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

	// placed returns the object that is planned, if all is known that tells whether
	// it exists already.
	placed func(M) (jobs.Object, bool)

	create, put func(jobs.API, context.Context, O, jobs.Owner) (O, error)
	get         func(jobs.API, context.Context, string) (O, error)
	delete      func(jobs.API, context.Context, string, jobs.Owner) error
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
	_ resource.ResourceWithIdentity       = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithConfigure      = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithImportState    = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithModifyPlan     = (*platformObjectResource[fieldModel, jobs.Field])(nil)
	_ resource.ResourceWithValidateConfig = (*platformObjectResource[fieldModel, jobs.Field])(nil)
)

func newPlatformObjectResource[M, O any](kind func() platformObject[M, O]) func() resource.Resource {
	return func() resource.Resource {
		k := kind()
		return &platformObjectResource[M, O]{resourceBase{identity: k.identity}, k}
	}
}

func (r *platformObjectResource[M, O]) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + r.kind.noun
	resp.ResourceBehavior = r.behavior()
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
	api, _, ok := r.openForPlan(ctx, req, resp, false)
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
		if ok && !slices.ContainsFunc(prior, t.equal) {
			p.session.judgeText(ctx, attributeTarget{objectType: p.objectType}, t, &resp.Diagnostics)
		}
	}
	resp.RequiresReplace = append(resp.RequiresReplace, p.requiresReplace...)
	resp.Diagnostics.Append(resp.Plan.Set(ctx, p.planned)...)
	if o, known := r.kind.placed(p.planned); known && p.prior == nil && api != nil && !resp.Diagnostics.HasError() {
		// If the platform cannot be reached, the create reports it.
		if err := api.CheckCreate(ctx, o); err != nil && !jobs.IsCode(err, jobs.CodeUnreachable) && !jobs.IsCode(err, jobs.CodeTimeout) {
			addError(&resp.Diagnostics, attributeTarget{objectType: resp.Plan.Schema.Type()}, "create "+r.kind.label(p.planned), err)
		}
	}
}

func (r *platformObjectResource[M, O]) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.session.applying.Store(true)
	ctx, end := jobs.BeginCreate(ctx)
	defer end()
	var m M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api := r.session.openForCreate(ctx, resp.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	owner := newOwner()
	rememberOwner(ctx, resp.Private, owner, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	stored, err := r.kind.create(api, ctx, r.kind.object(m), owner)
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "create "+r.kind.label(m), err)
		return
	}
	r.kind.setComputed(&m, stored)
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *platformObjectResource[M, O]) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, imported := r.openForRead(ctx, req, resp)
	if api == nil {
		return
	}
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	stored, err := r.kind.get(api, ctx, id)
	if err != nil {
		addReadError(ctx, resp, nounWithID(r.kind.noun, id), err)
		return
	}
	r.setState(ctx, r.kind.model(stored), &resp.State, resp.Identity, &resp.Diagnostics)
	reason := jobs.ClaimByState
	if imported {
		reason = jobs.ClaimByImport
	}
	// The object's own id: an audience is also imported by its slug.
	id = idFromState(ctx, resp.State, &resp.Diagnostics)
	r.claim(ctx, api, id, reason, req.Private, resp.Private, &resp.Diagnostics)
}

func (r *platformObjectResource[M, O]) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.session.applying.Store(true)
	var m M
	resp.Diagnostics.Append(req.Plan.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil {
		return
	}
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	owner := r.claim(ctx, api, id, jobs.ClaimByState, req.Private, resp.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	stored, err := r.kind.put(api, ctx, r.kind.object(m), owner)
	if err != nil {
		addError(&resp.Diagnostics, attributeTarget{objectType: resp.State.Schema.Type()}, "update "+r.kind.label(m), err)
		return
	}
	r.kind.setComputed(&m, stored)
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
}

func (r *platformObjectResource[M, O]) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.session.applying.Store(true)
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	owner := ownerFromPrivate(ctx, req.Private, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	err := r.kind.delete(api, ctx, id, owner)
	if jobs.IsCode(err, jobs.CodeNotOwned) {
		resp.Diagnostics.AddWarning(fmt.Sprintf("The %s %s is not deleted", r.kind.noun, id),
			"Another resource of this store owns it or imports it. It is only removed from this state.")
		return
	}
	addDeleteError(resp, nounWithID(r.kind.noun, id), err)
}

// claim claims the object for the owner in private state, or for a new one, which it
// puts there. It returns the owner. If the object belongs to another resource, it adds
// a warning and returns what private state has.
func (r *platformObjectResource[M, O]) claim(ctx context.Context, api jobs.API, id string, reason jobs.ClaimReason,
	private privateReader, to privateWriter, diags *diag.Diagnostics) jobs.Owner {
	owner := ownerFromPrivate(ctx, private, diags)
	if diags.HasError() {
		return ""
	}
	c := jobs.Claim{Kind: r.kind.kind, ID: id, Owner: owner, Reason: jobs.ClaimByOwner}
	if owner == "" {
		c.Owner, c.Reason = newOwner(), reason
	}
	answer, err := api.Claim(ctx, c)
	switch {
	case jobs.IsCode(err, jobs.CodeForbidden):
		// A runner's token with the role read may plan, and not claim: the owner in
		// state stays, and the next apply claims.
		return owner
	case err != nil:
		addError(diags, noAttribute, "read the owner of "+nounWithID(r.kind.noun, id), err)
		return ""
	case answer == jobs.OwnershipOther:
		diags.AddWarning(fmt.Sprintf("The %s %s belongs to another resource", r.kind.noun, id), fmt.Sprintf(
			"Another resource of this store owns it: it created or imported it, in this configuration or in another workspace. "+
				"This resource cannot change it, and its destroy leaves it.\n\n"+
				"Remove it from this state (terraform state rm ADDRESS) and from this configuration, or take it over: "+
				"terraform state rm ADDRESS, then an import block with id = %q.", id))
		return owner
	case answer == jobs.OwnershipTaken:
		diags.AddWarning(fmt.Sprintf("The import takes the %s %s from another resource", r.kind.noun, id),
			"Another resource of this store owns it until the import is applied. If that resource is still in a state, "+
				"remove it there (terraform state rm ADDRESS): afterwards it can neither change nor delete the "+r.kind.noun+".")
	}
	if owner == "" {
		rememberOwner(ctx, to, c.Owner, diags)
	}
	return c.Owner
}
