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

// defaultRunTimeout bounds an apply's wait for a run.
const defaultRunTimeout = 24 * time.Hour

// jobResource is a table import or an audience export.
type jobResource struct {
	resourceBase
	kind kind
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
	checkSchedule(ctx, o, r.place(req.Config.Schema.Type()), &resp.Diagnostics)
}

func (r *jobResource) place(t attr.Type) place { return place{schema: t, via: others} }

// Create registers the job and, without a schedule, runs it. The definition is
// in state before the run ends in whatever way: a failed first run leaves a
// tainted resource, and the next apply goes on from the cursor.
func (r *jobResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	m := r.kind.empty()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	j := m.job()
	limit, d := j.Timeouts.Create(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(d...)
	definition := spec(ctx, m, &resp.Diagnostics)
	api := r.session.forNew(ctx, resp.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	at := r.place(resp.State.Schema.Type())
	job, err := api.CreateJob(ctx, definition)
	if err != nil {
		addError(&resp.Diagnostics, at, "create "+r.kind.noun, err)
		return
	}
	j.ID = types.StringValue(job.ID)
	m.settle(job.JobSpec)
	j.LastRun = types.ObjectNull(runTypes(r.kind.in))
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	if !j.ownRun() || resp.Diagnostics.HasError() {
		return
	}
	run := runJob(ctx, api, job, runTerms{limit: limit, attribute: "timeouts.create", at: at, leave: !j.Wait.ValueBool()}, &resp.Diagnostics)
	if run != nil {
		j.LastRun = runObject(r.kind.in, *run)
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	}
}

// Read refreshes the definition. last_run is the state's own, and comes from
// the store only with an import.
func (r *jobResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	api, imported := r.forRead(ctx, req, resp)
	if api == nil {
		return
	}
	m := r.kind.empty()
	resp.Diagnostics.Append(req.State.Get(ctx, m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := m.job().ID.ValueString()
	job, err := api.Job(ctx, id)
	if err == nil && job.Kind() != r.kind.kind {
		err = jobs.Invalid("id", "The job is of another kind",
			describe("Job", id)+" is a "+string(job.Kind())+".", "Import it as a lytics_databricks_"+string(job.Kind())+".")
	}
	if err == nil {
		err = api.Confirm(ctx, id)
	}
	if err != nil {
		readFailed(ctx, resp, describe(r.kind.noun, id), err)
		return
	}
	show(ctx, m, job, &resp.Diagnostics)
	if imported {
		run, err := lastApplied(ctx, api, job)
		if err != nil {
			addError(&resp.Diagnostics, nowhere, "read the runs of "+id, err)
			return
		}
		m.job().LastRun = lastRunObject(r.kind.in, run)
	}
	if !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	}
}

// Update saves the definition, and runs the job when triggers changed. The new
// triggers count, in the store as in state, only once their run has ended
// well: until then the difference comes back and the run is tried again.
func (r *jobResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	m, prior := r.kind.empty(), r.kind.empty()
	resp.Diagnostics.Append(req.Plan.Get(ctx, m)...)
	resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	j := m.job()
	limit, d := j.Timeouts.Update(ctx, defaultRunTimeout)
	resp.Diagnostics.Append(d...)
	definition := spec(ctx, m, &resp.Diagnostics)
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	at := r.place(resp.State.Schema.Type())
	planned := j.Triggers
	asked := triggered(prior.job().Triggers, planned)
	wanted := definition.Triggers
	if asked {
		definition.Triggers = triggersOf(ctx, prior.job().Triggers, &resp.Diagnostics)
	}
	id := j.ID.ValueString()
	job, err := api.UpdateJob(ctx, id, definition)
	if err != nil {
		addError(&resp.Diagnostics, at, "update "+describe(r.kind.noun, id), err)
		return
	}
	m.settle(job.JobSpec)
	if !asked {
		resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
		return
	}
	j.Triggers, j.LastRun = prior.job().Triggers, prior.job().LastRun
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
	run := runJob(ctx, api, job, runTerms{limit: limit, attribute: "timeouts.update", at: at, leave: !j.Wait.ValueBool()}, &resp.Diagnostics)
	if run == nil || resp.Diagnostics.HasError() {
		return
	}
	definition.Triggers = wanted
	if _, err := api.UpdateJob(ctx, id, definition); err != nil {
		addError(&resp.Diagnostics, at, "update "+describe(r.kind.noun, id), err)
		return
	}
	j.Triggers, j.LastRun = planned, runObject(r.kind.in, *run)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}

// Delete removes the definition; cursor, events and tables stay.
func (r *jobResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	id := idIn(ctx, req.State, &resp.Diagnostics)
	api, _ := r.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || resp.Diagnostics.HasError() {
		return
	}
	deleteFailed(resp, describe(r.kind.noun, id), api.DeleteJob(ctx, id))
}
