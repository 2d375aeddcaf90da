package provider

import (
	"context"
	"fmt"

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
	api, info := r.openForPlan(ctx, req, resp, true)
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
	if s, known := readSchedule(ctx, planned.job().Schedule, &resp.Diagnostics); known && r.session.known() && !info.RunnerAlive && !lytics {
		warnNoRunner(s, len(planned.job().After.Elements()) > 0, &resp.Diagnostics)
	}
	resp.RequiresReplace = append(resp.RequiresReplace, r.kind.planComputed(ctx, api, config, prior, planned)...)
	r.checkManager(ctx, api, info, prior, planned, &resp.Diagnostics)
	if i, ok := planned.(*tableImportModel); ok && !i.Stream.IsUnknown() {
		var s jobs.JobSpec
		i.addToSpec(ctx, &s, &resp.Diagnostics)
		r.session.warnDoubleCounting(*s.Import, r.session.planned.addImport(*s.Import), attributeTarget{objectType: resp.Plan.Schema.Type()},
			"timestamp_column", &resp.Diagnostics)
	}
	r.planLastRun(prior, planned)
	if p := planned.job(); p.LastRun.IsUnknown() && p.Wait.Equal(types.BoolValue(false)) && r.session.known() && !info.RunnerAlive && !lytics {
		refuseWithoutRunner(&resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
}

func (r *jobResource) planLastRun(prior, planned jobModel) {
	p := planned.job()
	unknown := types.ObjectUnknown(runTypes(r.kind.usage))
	switch {
	case prior == nil && (p.runsInApply() || p.Schedule.IsUnknown() || p.After.IsUnknown()):
		p.LastRun = unknown
	case prior == nil:
		// The runner executes the first run.
		p.LastRun = types.ObjectNull(runTypes(r.kind.usage))
	case triggersChanged(prior.job().Triggers, p.Triggers):
		p.LastRun = unknown
	default:
		p.LastRun = prior.job().LastRun
	}
}

// openForPlan returns the API for planning an object. For an object in state it
// checks the store and, with confirm, tells the store that state has the object:
// with -refresh=false nothing else does. For a new object it does not create the
// store, and returns nil if there is none.
func (m *resourceBase) openForPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
	confirm bool) (jobs.API, jobs.StoreInfo) {
	if m.session == nil || !m.session.known() {
		return nil, jobs.StoreInfo{}
	}
	if req.State.Raw.IsNull() {
		api, err := m.session.connect(ctx)
		if err != nil {
			addError(&resp.Diagnostics, noAttribute, "open the store", err)
			return nil, jobs.StoreInfo{}
		}
		info, err := api.Store(ctx, false)
		if jobs.IsCode(err, jobs.CodeStore) {
			// There is no store yet. Create makes it, or reports why it cannot.
			return nil, jobs.StoreInfo{}
		}
		if err != nil {
			addError(&resp.Diagnostics, noAttribute, "read the store", err)
			return nil, jobs.StoreInfo{}
		}
		return api, info
	}
	api, info := m.session.openForExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || req.Plan.Raw.IsNull() || !confirm {
		return api, info
	}
	id := idFromState(ctx, req.State, &resp.Diagnostics)
	if err := api.Confirm(ctx, id); err != nil {
		e := *toJobsError(err, "confirm "+id)
		if e.Code == jobs.CodeNotFound {
			e.Next = fmt.Sprintf("%s is in state but no longer in the store: plan without -refresh=false, so that Terraform notices "+
				"and creates it again.", id)
		}
		addError(&resp.Diagnostics, noAttribute, "confirm "+id, &e)
	}
	return api, info
}
