package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// pauseJobAction pauses or resumes a job.
type pauseJobAction struct {
	actionBase
	name, did string
	doc       string
	paused    bool
}

var _ action.ActionWithModifyPlan = (*pauseJobAction)(nil)

func newPauseJobAction() action.Action {
	return &pauseJobAction{name: "pause", did: "is paused", paused: true,
		doc: "Pauses a job: its schedule, and the runs that follow other jobs, until it is resumed. A run that is active goes on. " +
			"A job that Lytics executes is paused in Lytics."}
}

func newResumeJobAction() action.Action {
	return &pauseJobAction{name: "resume", did: "is resumed",
		doc: "Resumes a job that was paused. A job that Lytics executes is resumed in Lytics."}
}

func (a *pauseJobAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + a.name + "_job"
}

func (a *pauseJobAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: a.doc + " A job whose definition has `schedule.paused` is refused at plan: the next plan of the resource would " +
			"undo the action." + checkedWhen + " It needs Terraform 1.14 or newer." + notTriedAgain,
		Attributes: map[string]schema.Attribute{"job_id": actionJobID()},
	}
}

func actionJobID() schema.StringAttribute {
	return schema.StringAttribute{
		Required: true, MarkdownDescription: "Id of the table import or audience export.", Validators: []validator.String{nonEmptyText()},
	}
}

// ModifyPlan refuses a job that has nothing to pause, or whose definition decides.
func (a *pauseJobAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	if p := a.jobAtPlan(ctx, req, a.name, &resp.Diagnostics); p != nil {
		a.check(p.job, a.target(req.Config), &resp.Diagnostics)
	}
}

func (a *pauseJobAction) check(job jobs.Job, at attributeTarget, diags *diag.Diagnostics) {
	switch s := job.Schedule; {
	case s == nil && len(job.After) == 0 && !job.ManagedBy.IsLytics():
		at.add(diags, diag.SeverityError, "job_id", "The job has nothing to "+a.name,
			nounWithID("Job", job.ID)+" has no schedule and runs after no other job: only an apply or a person runs it.\n\n"+
				"Give it a schedule, or leave the action out.")
	case s != nil && s.Paused != nil && *s.Paused != a.paused:
		at.add(diags, diag.SeverityError, "job_id", "The job's definition decides whether it is paused",
			nounWithID("Job", job.ID)+" has schedule.paused in its definition, so the next plan of its resource would undo the action.\n\n"+
				"Change schedule.paused there, or leave it out, so that the action decides.")
	}
}

// Invoke pauses or resumes the job.
func (a *pauseJobAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	api, job := a.jobOf(ctx, req.Config, a.name, &resp.Diagnostics)
	if api == nil {
		return
	}
	if a.check(job, a.target(req.Config), &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	changed, err := api.PauseJob(ctx, job.ID, a.paused)
	if err != nil {
		a.addError(req.Config, a.name, job.ID, err, &resp.Diagnostics)
		return
	}
	say := progress(resp)
	if next := formatTime(changed.NextRunAt); !next.IsNull() && !a.paused {
		say("job %s (%q) %s; its next run is planned for %s", job.ID, job.Label, a.did, next.ValueString())
		return
	}
	say("job %s (%q) %s", job.ID, job.Label, a.did)
}
