package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// ModifyPlan checks the store, plans computed attributes, and makes last_run
// unknown exactly if this apply will run the job.
func (r *jobResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.session == nil {
		return
	}
	update, destroy := !req.State.Raw.IsNull(), req.Plan.Raw.IsNull()
	api, info, ok := r.openForPlan(ctx, req, resp, true)
	if destroy || resp.Diagnostics.HasError() {
		return
	}

	config, planned := r.kind.newModel(), r.kind.newModel()
	resp.Diagnostics.Append(req.Config.Get(ctx, config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, planned)...)
	var prior jobModel
	if update {
		prior = r.kind.newModel()
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}

	lytics := planned.job().inLytics()
	noRunner := ok && r.session.known() && !info.RunnerAlive && !lytics
	if s, known := readSchedule(ctx, planned.job().Schedule, &resp.Diagnostics); known && noRunner {
		warnNoRunner(s, len(planned.job().After.Elements()) > 0, &resp.Diagnostics)
	}
	resp.RequiresReplace = append(resp.RequiresReplace, r.kind.planComputed(ctx, api, config, prior, planned)...)
	r.checkManager(ctx, api, info, prior, planned, &resp.Diagnostics)
	if !update && api != nil {
		r.warnKeyTaken(ctx, api, planned, &resp.Diagnostics)
	}
	if i, ok := planned.(*tableImportModel); ok && !i.Stream.IsUnknown() {
		var s jobs.JobSpec
		i.addToSpec(ctx, &s, &resp.Diagnostics)
		r.session.warnDoubleCounting(*s.Import, r.session.planned.addImport(*s.Import), attributeTarget{objectType: resp.Plan.Schema.Type()},
			"timestamp_column", &resp.Diagnostics)
	}
	r.planLastRun(prior, planned, update && owesRun(ctx, req.Private, &resp.Diagnostics))
	if p := planned.job(); noRunner && p.LastRun.IsUnknown() && p.Wait.Equal(types.BoolValue(false)) {
		refuseWithoutRunner(&resp.Diagnostics)
	}
	if ok && !resp.Diagnostics.HasError() {
		(&runPlan{r: r, api: api, info: info, prior: prior, planned: planned}).explain(ctx, &resp.Diagnostics)
	}
	if update && !resp.Diagnostics.HasError() {
		r.session.planned.addJob(planned.job().ID.ValueString(), plannedSpec(ctx, planned))
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
}

// plannedSpec is the definition after the apply, for the actions that this plan checks; nil
// if a part that they check is not known yet.
func plannedSpec(ctx context.Context, planned jobModel) *jobs.JobSpec {
	var ignored diag.Diagnostics // the plan of the resource shows them
	p := planned.job()
	_, known := readSchedule(ctx, p.Schedule, &ignored)
	if i, ok := planned.(*tableImportModel); ok && i.FullRefresh.IsUnknown() {
		known = false
	}
	if !known || p.After.IsUnknown() || p.ManagedBy.IsUnknown() {
		return nil
	}
	spec := jobSpec(ctx, planned, &ignored)
	return &spec
}

func (r *jobResource) planLastRun(prior, planned jobModel, owed bool) {
	p := planned.job()
	unknown := types.ObjectUnknown(runTypes(r.kind.usage))
	switch {
	case prior == nil && (p.runsInApply() || p.Schedule.IsUnknown() || p.After.IsUnknown()):
		p.LastRun = unknown
	case prior == nil:
		// The runner executes the first run.
		p.LastRun = types.ObjectNull(runTypes(r.kind.usage))
	case triggersChanged(prior.job().Triggers, p.Triggers), owed && p.runsInApply():
		p.LastRun = unknown
	default:
		p.LastRun = prior.job().LastRun
	}
}
