package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// openForPlan returns the API for planning an object. For an object in state it
// checks the store and, with confirm, tells the store that state has the object:
// with -refresh=false nothing else does. For a new object it does not create the
// store, and returns nil if there is none. ok is false after an error. If the error was
// shown at another object, resp has none, and the object is planned without the store:
// a plan in an apply must be the plan of before.
func (m *resourceBase) openForPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse,
	confirm bool) (api jobs.API, info jobs.StoreInfo, ok bool) {
	if m.session == nil || !m.session.known() {
		return nil, jobs.StoreInfo{}, !resp.Diagnostics.HasError()
	}
	var found diag.Diagnostics
	if req.State.Raw.IsNull() {
		api, info = m.session.openForNew(ctx, &found)
	} else {
		api, info = m.session.openForExisting(ctx, req.Private, &found)
		if api != nil && !req.Plan.Raw.IsNull() && confirm {
			confirmForPlan(ctx, api, idFromState(ctx, req.State, &found), &found)
		}
	}
	ok = !found.HasError() && !resp.Diagnostics.HasError()
	m.session.showOnce(found, &resp.Diagnostics)
	return api, info, ok
}

// confirmForPlan tells the store that state has the object.
func confirmForPlan(ctx context.Context, api jobs.API, id string, diags *diag.Diagnostics) {
	err := confirmInState(ctx, api, id)
	if err == nil {
		return
	}
	e := *toJobsError(err, "confirm "+id)
	if e.Code == jobs.CodeNotFound {
		e.Next = fmt.Sprintf("%s is in state but no longer in the store: plan without -refresh=false, so that Terraform notices "+
			"and creates it again.", id)
	}
	addError(diags, noAttribute, "confirm "+id, &e)
}

// openForNew returns the API for planning a new object; nil if there is no store yet,
// which Create makes, and after an error.
func (s *session) openForNew(ctx context.Context, diags *diag.Diagnostics) (jobs.API, jobs.StoreInfo) {
	api, err := s.connect(ctx)
	if err != nil {
		addError(diags, noAttribute, "open the store", err)
		return nil, jobs.StoreInfo{}
	}
	info, err := api.Store(ctx, false)
	if jobs.IsCode(err, jobs.CodeStore) {
		return nil, jobs.StoreInfo{}
	}
	if err != nil {
		addError(diags, noAttribute, "read the store", err)
		return nil, jobs.StoreInfo{}
	}
	return api, info
}
