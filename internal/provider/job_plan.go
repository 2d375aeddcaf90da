package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// ModifyPlan checks the store, settles computed attributes, and makes last_run
// unknown exactly when this apply will run the job.
func (r *jobResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.session == nil {
		return
	}
	update, destroy := !req.State.Raw.IsNull(), req.Plan.Raw.IsNull()
	api, info := r.planStore(ctx, req, resp, true)
	if destroy || resp.Diagnostics.HasError() {
		return
	}

	config, planned := r.kind.empty(), r.kind.empty()
	resp.Diagnostics.Append(req.Config.Get(ctx, config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, planned)...)
	var prior model
	if update {
		prior = r.kind.empty()
		resp.Diagnostics.Append(req.State.Get(ctx, prior)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}

	if s, known := readSchedule(ctx, planned.job().Schedule, &resp.Diagnostics); known && r.session.known() && !info.RunnerAlive {
		warnNobodyRuns(s, len(planned.job().After.Elements()) > 0, &resp.Diagnostics)
	}
	resp.RequiresReplace = append(resp.RequiresReplace, r.kind.plan(ctx, api, config, prior, planned)...)
	if i, ok := planned.(*tableImportModel); ok && !i.Stream.IsUnknown() {
		var s jobs.JobSpec
		i.define(ctx, &s, &resp.Diagnostics)
		r.session.warnDoubleCounting(*s.Import, r.session.planned.addImport(*s.Import), &resp.Diagnostics)
	}
	r.planLastRun(prior, planned)
	if p := planned.job(); p.LastRun.IsUnknown() && p.Wait.Equal(types.BoolValue(false)) && r.session.known() && !info.RunnerAlive {
		refuseToLeave(&resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, planned)...)
}

func (r *jobResource) planLastRun(prior, planned model) {
	p := planned.job()
	unknown := types.ObjectUnknown(runTypes(r.kind.in))
	switch {
	case prior == nil && (p.ownRun() || p.Schedule.IsUnknown() || p.After.IsUnknown()):
		p.LastRun = unknown
	case prior == nil:
		// The runner gives it its first run.
		p.LastRun = types.ObjectNull(runTypes(r.kind.in))
	case triggered(prior.job().Triggers, p.Triggers):
		p.LastRun = unknown
	default:
		p.LastRun = prior.job().LastRun
	}
}

// planStore checks the store of an object that state holds, and confirms that
// state holds it: with -refresh=false nothing else does. For a new object it
// looks whether a store is there, and makes none.
func (m *resourceBase) planStore(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse, confirm bool) (jobs.API, jobs.StoreInfo) {
	if m.session == nil || !m.session.known() {
		return nil, jobs.StoreInfo{}
	}
	if req.State.Raw.IsNull() {
		api, err := m.session.connect(ctx)
		if err != nil {
			addError(&resp.Diagnostics, nowhere, "open the store", err)
			return nil, jobs.StoreInfo{}
		}
		info, err := api.Store(ctx, false)
		if jobs.IsCode(err, jobs.CodeStore) {
			// None yet: Create makes it, or says what is wrong with it.
			return nil, jobs.StoreInfo{}
		}
		if err != nil {
			addError(&resp.Diagnostics, nowhere, "read the store", err)
			return nil, jobs.StoreInfo{}
		}
		return api, info
	}
	api, info := m.session.forExisting(ctx, req.Private, &resp.Diagnostics)
	if api == nil || req.Plan.Raw.IsNull() || !confirm {
		return api, info
	}
	id := idIn(ctx, req.State, &resp.Diagnostics)
	if err := api.Confirm(ctx, id); err != nil {
		e := *asError(err, "confirm "+id)
		if e.Code == jobs.CodeNotFound {
			e.Next = fmt.Sprintf("%s is in state but no longer in the store: plan without -refresh=false, so that Terraform sees it and creates it again.", id)
		}
		addError(&resp.Diagnostics, nowhere, "confirm "+id, &e)
	}
	return api, info
}
