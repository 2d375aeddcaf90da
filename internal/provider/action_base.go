package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// notTriedAgain is in the documentation of every action.
const notTriedAgain = " An action that fails makes its apply fail and is not tried again: Terraform keeps no state of actions, and with " +
	"`action_trigger` the change of the resource is saved. Invoke it again with `terraform apply -invoke=action.TYPE.NAME`."

// checkedWhen is in the documentation of the actions that check the job's definition.
const checkedWhen = " The plan checks the job as the same apply changes it. The invocation checks and uses the definition that the job " +
	"has then; what is not known at plan, such as a job that the same apply creates, is checked only there."

// actionBase is the part that all actions share.
type actionBase struct{ session *session }

// Configure receives the session. There is none while Terraform validates.
func (a *actionBase) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		a.session = s
	}
}

// jobOf reads the job that an action names.
func (a *actionBase) jobOf(ctx context.Context, config tfsdk.Config, doing string, diags *diag.Diagnostics) (jobs.API, jobs.Job) {
	var id types.String
	diags.Append(config.GetAttribute(ctx, path.Root("job_id"), &id)...)
	if diags.HasError() {
		return nil, jobs.Job{}
	}
	api, err := a.session.connect(ctx)
	var job jobs.Job
	if err == nil {
		job, err = api.Job(ctx, id.ValueString())
	}
	if err != nil {
		a.addError(config, doing, id.ValueString(), err, diags)
		return nil, jobs.Job{}
	}
	return api, job
}

func (a *actionBase) target(config tfsdk.Config) attributeTarget {
	return attributeTarget{objectType: config.Schema.Type(), via: attributeOfReference}
}

func (a *actionBase) addError(config tfsdk.Config, doing, id string, err error, diags *diag.Diagnostics) {
	e := *toJobsError(err, doing+" "+nounWithID("job", id))
	if e.Attribute == "" && e.Code == jobs.CodeNotFound {
		e.Attribute = "job_id"
	}
	addError(diags, a.target(config), doing+" the job", &e)
}

// jobAtPlan reads the job at plan, with the definition that this plan gives it: Terraform
// plans the job's resource before an action that refers to it. It is nil while the job, its
// definition or the store is not known yet: then the invocation checks what it needs.
func (a *actionBase) jobAtPlan(ctx context.Context, req action.ModifyPlanRequest, doing string, diags *diag.Diagnostics) *plannedJob {
	var id types.String
	diags.Append(req.Config.GetAttribute(ctx, path.Root("job_id"), &id)...)
	if diags.HasError() || id.IsUnknown() || a.session == nil || !a.session.known() {
		return nil
	}
	api, job := a.jobOf(ctx, req.Config, doing, diags)
	if api == nil {
		return nil
	}
	info, err := api.Store(ctx, false)
	if err != nil {
		a.addError(req.Config, doing, id.ValueString(), err, diags)
		return nil
	}
	if spec, ok := a.session.planned.job(job.ID); ok {
		if spec == nil {
			return nil
		}
		job.JobSpec = *spec
	}
	return &plannedJob{api, job, info}
}

type plannedJob struct {
	api  jobs.API
	job  jobs.Job
	info jobs.StoreInfo
}

// requireRunner refuses what only a runner executes.
func (p plannedJob) requireRunner(at attributeTarget, diags *diag.Diagnostics) {
	if p.info.RunnerAlive || p.job.ManagedBy.IsLytics() {
		return
	}
	at.add(diags, diag.SeverityError, "wait", "No runner is connected to this store, so nothing would execute the run",
		"wait is false, and Terraform stops the provider as soon as the action is done.\n\nLeave wait out, or start a runner "+
			"(terraform-provider-lytics runner) and give the provider block its address.")
}

// progress returns what reports progress of an action.
func progress(resp *action.InvokeResponse) func(format string, args ...any) {
	return func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
}
