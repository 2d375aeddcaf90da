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
	_ resource.ResourceWithImportState    = (*jobResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*jobResource)(nil)
	_ resource.ResourceWithValidateConfig = (*jobResource)(nil)
)

func (r *jobResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + r.kind.name
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
// the next apply continues from the cursor.
func (r *jobResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
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
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	if !j.runsInApply() || resp.Diagnostics.HasError() {
		return
	}
	run := runJob(ctx, api, job, runOptions{limit: limit, attribute: "timeouts.create", target: at, detach: !j.Wait.ValueBool()},
		&resp.Diagnostics)
	if run != nil {
		j.LastRun = runObject(r.kind.usage, *run)
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
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
		err = api.Confirm(ctx, job.ID) // an import of a job in Lytics gives it an id of this store
	}
	if err != nil {
		addReadError(ctx, resp, nounWithID(r.kind.noun, id), err)
		return
	}
	setFromJob(ctx, m, job, &resp.Diagnostics)
	if imported {
		run, err := lastRunOfApply(ctx, api, job)
		if err != nil {
			addError(&resp.Diagnostics, noAttribute, "read the runs of "+id, err)
			return
		}
		m.job().LastRun = optionalRunObject(r.kind.usage, run)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	}
}

// Update saves the definition, and runs the job if triggers changed. The store and
// state get the new triggers only after the run has succeeded: until then the
// next plan shows the difference again, and the next apply runs the job again.
func (r *jobResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
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
	if !asked {
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
		return
	}
	j.Triggers, j.LastRun = prior.job().Triggers, prior.job().LastRun
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	run := runJob(ctx, api, job, runOptions{limit: limit, attribute: "timeouts.update", target: at, detach: !j.Wait.ValueBool()},
		&resp.Diagnostics)
	if run == nil || resp.Diagnostics.HasError() {
		return
	}
	definition.Triggers = wanted
	if _, err := api.UpdateJob(ctx, id, definition); err != nil {
		addError(&resp.Diagnostics, at, "update "+nounWithID(r.kind.noun, id), err)
		return
	}
	j.Triggers, j.LastRun = planned, runObject(r.kind.usage, *run)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// Delete removes the definition. The cursor, the events and the table stay.
func (r *jobResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	addDeleteError(resp, nounWithID(r.kind.noun, id), api.DeleteJob(ctx, id))
}
