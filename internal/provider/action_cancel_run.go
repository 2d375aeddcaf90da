package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// cancelLimit is how long the action waits for a cancelled run to end.
const cancelLimit = 2 * time.Minute

// cancelRunAction cancels the active runs of a job.
type cancelRunAction struct{ actionBase }

var _ action.ActionWithModifyPlan = (*cancelRunAction)(nil)

func newCancelRunAction() action.Action { return &cancelRunAction{} }

func (a *cancelRunAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_cancel_run"
}

func (a *cancelRunAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Cancels the active run of a job, and those that wait for it, and waits until they have ended. The cursor is " +
			"kept: the next run goes on from there. Without an active run it does nothing. It needs Terraform 1.14 or newer." + notTriedAgain,
		Attributes: map[string]schema.Attribute{
			"job_id": actionJobID(),
			"run_id": schema.StringAttribute{
				Optional: true, MarkdownDescription: "Only this run of the job. Default: all that are active.",
			},
		},
	}
}

// ModifyPlan checks that the job exists.
func (a *cancelRunAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	a.jobAtPlan(ctx, req, "cancel the run of", &resp.Diagnostics)
}

// Invoke cancels the runs, and waits until they have ended.
func (a *cancelRunAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m struct {
		JobID types.String `tfsdk:"job_id"`
		RunID types.String `tfsdk:"run_id"`
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	const doing = "cancel the run of"
	api, job := a.jobOf(ctx, req.Config, doing, &resp.Diagnostics)
	if api == nil {
		return
	}
	runs, err := activeRuns(ctx, api, job.ID, m.RunID.ValueString())
	if err != nil {
		a.addError(req.Config, doing, job.ID, err, &resp.Diagnostics)
		return
	}
	say := progress(resp)
	if len(runs) == 0 {
		say("job %s (%q) has no active run", job.ID, job.Label)
	}
	// The newest first: a run that waits would start when the one before it ends.
	for _, r := range runs {
		if err := api.CancelRun(ctx, r.ID); err != nil {
			a.addError(req.Config, doing, job.ID, err, &resp.Diagnostics)
			return
		}
		bounded, cancel := context.WithTimeout(ctx, cancelLimit)
		ended, err := api.WaitRun(bounded, r.ID, nil)
		cancel()
		if jobs.IsCode(err, jobs.CodeTimeout) {
			err = notEnded(r.ID, ended, err)
		}
		if err != nil {
			a.addError(req.Config, doing, job.ID, err, &resp.Diagnostics)
			return
		}
		say("run %s of %q %s, at %s", ended.ID, job.Label, describeStatus(ended.Status), describeProgress(ended))
	}
}

// notEnded is the error of a run that goes on after it was cancelled. The error of the
// wait is about the timeouts of a resource, which an action does not have.
func notEnded(id string, run jobs.Run, cause error) error {
	return &jobs.Error{
		Code: jobs.CodeTimeout, Summary: "Run " + id + " has not ended yet", Err: cause,
		Detail: fmt.Sprintf("It was cancelled %s ago, and is at %s.", jobs.ShortDuration(cancelLimit), describeProgress(run)),
		Next:   "Look at its log (terraform-provider-lytics logs " + id + "), and invoke the action again",
	}
}

// activeRuns are the active runs of a job, or that with an id, the newest first.
func activeRuns(ctx context.Context, api jobs.API, jobID, runID string) ([]jobs.Run, error) {
	if runID != "" {
		r, err := api.Run(ctx, runID)
		switch {
		case err != nil:
			e := *toJobsError(err, "read the run")
			e.Attribute = "run_id"
			return nil, &e
		case r.JobID != jobID:
			return nil, jobs.Invalid("run_id", "The run belongs to another job", nounWithID("Run", runID)+" is one of job "+r.JobID+".",
				"Give a run of this job, or leave run_id out")
		case !r.Status.Active():
			return nil, nil
		}
		return []jobs.Run{r}, nil
	}
	all, err := api.ListRuns(ctx, jobs.RunFilter{JobID: jobID})
	var active []jobs.Run
	for _, r := range all {
		if r.Status.Active() {
			active = append(active, r)
		}
	}
	return active, err
}
