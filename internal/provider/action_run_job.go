package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// progressEvery is how often the action reports progress while neither the run's
// status nor its phase changes.
const progressEvery = 10 * time.Second

// runJobAction runs any job now, invoked directly or by a lifecycle event of
// another resource. It needs Terraform 1.14.
type runJobAction struct{ session *session }

var _ action.ActionWithConfigure = (*runJobAction)(nil)

type runJobModel struct {
	JobID types.String `tfsdk:"job_id"`
	Wait  types.Bool   `tfsdk:"wait"`
}

func (a *runJobAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_run_job"
}

func (a *runJobAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Runs a job now, no matter what its schedule is, and reports its progress. It needs Terraform 1.14 or newer; " +
			"with older versions, change the job's `triggers`.",
		Attributes: map[string]schema.Attribute{
			"job_id": schema.StringAttribute{
				Required: true, MarkdownDescription: "Id of the table import or audience export.",
				Validators: []validator.String{nonEmptyText()},
			},
			"wait": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to wait for the run to end, and to fail if it fails. " +
					"With `false` the runner executes the run; this needs a runner. Default `true`.",
			},
		},
	}
}

// Configure receives the session. There is none while Terraform validates.
func (a *runJobAction) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	if s, ok := req.ProviderData.(*session); ok {
		a.session = s
	}
}

// Invoke runs the job.
func (a *runJobAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m runJobModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	at := attributeTarget{objectType: req.Config.Schema.Type(), via: attributeOfReference}
	id := m.JobID.ValueString()
	api, err := a.session.connect(ctx)
	var job jobs.Job
	if err == nil {
		job, err = api.Job(ctx, id)
	}
	if err != nil {
		e := *toJobsError(err, "run "+nounWithID("Job", id))
		if e.Attribute == "" && e.Code == jobs.CodeNotFound {
			e.Attribute = "job_id"
		}
		addError(&resp.Diagnostics, at, "run the job", &e)
		return
	}
	say := func(format string, args ...any) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf(format, args...)})
	}
	terms := runOptions{
		limit: defaultRunTimeout, target: at, detach: !m.Wait.IsNull() && !m.Wait.ValueBool(), reason: jobs.ReasonManual,
		onChange: reportPage(api, say, reportProgress(say, time.Now)),
	}
	// A failed run always fails the action: no later plan would show the failure.
	job.FailOnError = true
	run := runJob(ctx, api, job, terms, &resp.Diagnostics)
	if run != nil {
		terms.page = jobs.RunURL(api, run.ID)
	}
	switch {
	case run == nil || resp.Diagnostics.HasError():
	case terms.detach:
		say("run %s of %q is left to the runner%s", run.ID, job.Label, terms.logAddress())
	default:
		say("run %s of %q %s: %d rows read, %d written", run.ID, job.Label, run.Status, run.RowsRead, run.RowsWritten)
	}
}

// reportPage reports the URL of the run's page before the first progress.
func reportPage(api jobs.API, say func(format string, args ...any), moved func(jobs.Run)) func(jobs.Run) {
	said := false
	return func(r jobs.Run) {
		if !said {
			said = true
			if page := jobs.RunURL(api, r.ID); page != "" {
				say("%s: %s", r.ID, page)
			}
		}
		moved(r)
	}
}

// reportProgress reports each change of status or phase, and other progress once in
// progressEvery.
func reportProgress(say func(format string, args ...any), now func() time.Time) func(jobs.Run) {
	var status jobs.Status
	var phase string
	var told time.Time
	return func(r jobs.Run) {
		if r.Status == status && r.Phase == phase && now().Sub(told) < progressEvery {
			return
		}
		status, phase, told = r.Status, r.Phase, now()
		switch {
		case r.Total > 0:
			say("%s: %s, %d of %d (%d%%)", r.ID, valueOr(r.Phase, string(r.Status)), r.Done, r.Total, r.Done*100/r.Total)
		case r.Done > 0:
			say("%s: %s, %d", r.ID, valueOr(r.Phase, string(r.Status)), r.Done)
		default:
			say("%s: %s", r.ID, valueOr(r.Phase, string(r.Status)))
		}
	}
}
