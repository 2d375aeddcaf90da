package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// defaultRunTimeout is how long an apply waits for a run by default.
const defaultRunTimeout = 24 * time.Hour

// jobResource is a table import or an audience export.
type jobResource struct {
	resourceBase
	kind jobKind
}

var (
	_ resource.ResourceWithConfigure      = (*jobResource)(nil)
	_ resource.ResourceWithIdentity       = (*jobResource)(nil)
	_ resource.ResourceWithImportState    = (*jobResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*jobResource)(nil)
	_ resource.ResourceWithValidateConfig = (*jobResource)(nil)
)

func (r *jobResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + r.kind.name
	resp.ResourceBehavior = r.behavior()
}

func (r *jobResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = r.kind.schema(ctx)
}

func (r *jobResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var o types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("schedule"), &o)...)
	if resp.Diagnostics.HasError() {
		return
	}
	validateSchedule(ctx, o, r.target(req.Config.Schema.Type()), &resp.Diagnostics)
}

func (r *jobResource) target(t attr.Type) attributeTarget {
	return attributeTarget{objectType: t, via: attributeOfReference}
}

// Create saves the job and, if neither a schedule nor other jobs start it, runs
// it. State is set before the run: if the run fails, the resource is tainted, and
// the next apply continues from the cursor. An untainted one still owes the run.
func (r *jobResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	r.session.applying.Store(true)
	ctx, end := jobs.BeginCreate(ctx)
	defer end()
	m := r.kind.newModel()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	j := m.job()
	limit, d := j.Timeouts.Create(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(d...)
	definition := jobSpec(ctx, m, &resp.Diagnostics)
	api := r.session.openForCreate(ctx, resp.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	at := r.target(resp.State.Schema.Type())
	job, err := withinLimits(
		ctx,
		limit,
		"timeouts.create",
		func(ctx context.Context) (jobs.Job, error) { return api.CreateJob(ctx, definition) },
	)
	if err != nil {
		addError(&resp.Diagnostics, at, "create "+r.kind.noun, err)
		return
	}
	j.ID = types.StringValue(job.ID)
	m.setComputed(job.JobSpec)
	j.LastRun = types.ObjectNull(runTypes(r.kind.usage))
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
	if !j.runsInApply() || resp.Diagnostics.HasError() {
		return
	}
	rememberOwedRun(ctx, resp.Private, true, &resp.Diagnostics)
	run := runJob(ctx, api, job, runOptions{limit: limit, attribute: "timeouts.create", target: at, detach: !j.Wait.ValueBool(), first: true},
		&resp.Diagnostics)
	if run != nil {
		rememberOwedRun(ctx, resp.Private, resp.Diagnostics.HasError(), &resp.Diagnostics)
		j.LastRun = runObject(r.kind.usage, *run)
		r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
	}
}

// Read refreshes the definition. last_run stays as it is in state; only an import
// takes it from the store.
func (r *jobResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, imported := r.openForRead(ctx, req, resp)
	if api == nil {
		return
	}
	m := r.kind.newModel()
	resp.Diagnostics.Append(req.State.Get(ctx, m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := m.job().ID.ValueString()
	job, err := api.Job(ctx, id)
	if err == nil && job.Kind() != r.kind.kind {
		err = jobs.Invalid("id", "The job is of another kind",
			nounWithID("Job", id)+" is a "+string(job.Kind())+".", "Import it as a lytics_databricks_"+string(job.Kind())+".")
	}
	if err == nil {
		err = confirmInState(ctx, api, job.ID) // an import of a job in Lytics gives it an id of this store
	}
	if err != nil {
		addReadError(ctx, resp, nounWithID(r.kind.noun, id), err)
		return
	}
	setFromJob(ctx, m, job, &resp.Diagnostics)
	// Of what Lytics did before the import, the store has no runs.
	if imported && !job.ManagedBy.IsLytics() || owesRun(ctx, req.Private, &resp.Diagnostics) {
		owed, err := neverSucceeded(ctx, api, job)
		if err != nil {
			addError(&resp.Diagnostics, noAttribute, "read the runs of "+id, err)
			return
		}
		rememberOwedRun(ctx, resp.Private, owed, &resp.Diagnostics)
	}
	if imported {
		run, err := lastRunOfApply(ctx, api, job)
		if err != nil {
			addError(&resp.Diagnostics, noAttribute, "read the runs of "+id, err)
			return
		}
		m.job().LastRun = optionalRunObject(r.kind.usage, run)
	}
	if !resp.Diagnostics.HasError() {
		r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
	}
}

// Update saves the definition, and runs the job if triggers changed or a run is owed.
// The store and state get the new triggers only after the run has succeeded: until
// then the next plan shows the difference again, and the next apply runs the job again.
func (r *jobResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	r.session.applying.Store(true)
	m, prior := r.kind.newModel(), r.kind.newModel()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	j := m.job()
	limit, d := j.Timeouts.Update(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(d...)
	definition := jobSpec(ctx, m, &resp.Diagnostics)
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	at := r.target(resp.State.Schema.Type())
	planned := j.Triggers
	asked := triggersChanged(prior.job().Triggers, planned)
	wanted := definition.Triggers
	if asked {
		definition.Triggers = triggerValues(ctx, prior.job().Triggers, &resp.Diagnostics)
	}
	id := j.ID.ValueString()
	job, err := withinLimits(
		ctx,
		limit,
		"timeouts.update",
		func(ctx context.Context) (jobs.Job, error) { return api.UpdateJob(ctx, id, definition) },
	)
	if err != nil {
		addError(&resp.Diagnostics, at, "update "+nounWithID(r.kind.noun, id), err)
		return
	}
	if j.inLytics() && !prior.job().inLytics() {
		reportMove(job, &resp.Diagnostics)
	}
	m.setComputed(job.JobSpec)
	if !asked && !(j.runsInApply() && owesRun(ctx, req.Private, &resp.Diagnostics)) {
		r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
		return
	}
	j.Triggers, j.LastRun = prior.job().Triggers, prior.job().LastRun
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
	run := runJob(ctx, api, job, runOptions{limit: limit, attribute: "timeouts.update", target: at, detach: !j.Wait.ValueBool()},
		&resp.Diagnostics)
	if run == nil || resp.Diagnostics.HasError() {
		return
	}
	rememberOwedRun(ctx, resp.Private, false, &resp.Diagnostics)
	if asked {
		definition.Triggers = wanted
		if _, err := api.UpdateJob(ctx, id, definition); err != nil {
			addError(&resp.Diagnostics, at, "update "+nounWithID(r.kind.noun, id), err)
			return
		}
	}
	j.Triggers, j.LastRun = planned, runObject(r.kind.usage, *run)
	r.setState(ctx, m, &resp.State, resp.Identity, &resp.Diagnostics)
}

// Delete removes the definition. The cursor, the events and the table stay.
func (r *jobResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	r.session.applying.Store(true)
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	addDeleteError(resp, nounWithID(r.kind.noun, id), api.DeleteJob(ctx, id))
}
