package provider

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// progressEvery is how often the action reports progress while neither the run's
// status nor its phase changes.
const progressEvery = 10 * time.Second

// runJobAction runs any job now, invoked directly or by a lifecycle event of
// another resource. It needs Terraform 1.14.
type runJobAction struct{ actionBase }

var (
	_ action.ActionWithConfigure  = (*runJobAction)(nil)
	_ action.ActionWithModifyPlan = (*runJobAction)(nil)
)

func newRunJobAction() action.Action { return &runJobAction{} }

type runJobModel struct {
	JobID       types.String `tfsdk:"job_id"`
	Wait        types.Bool   `tfsdk:"wait"`
	Timeout     types.String `tfsdk:"timeout"`
	FullRefresh types.Bool   `tfsdk:"full_refresh"`
}

// detached reports whether the action leaves the run to a runner.
func (m runJobModel) detached() bool { return m.Wait.Equal(types.BoolValue(false)) }

func (a *runJobAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_run_job"
}

func (a *runJobAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Runs a job now, no matter what its schedule is, and reports its progress." + checkedWhen +
			" It needs Terraform 1.14 or newer; with older versions, change the job's `triggers`." + notTriedAgain + " What the failed run has " +
			"imported stays, and the job's next run goes on from there. A change of the job's `triggers` is the way that is tried again.",
		Attributes: map[string]schema.Attribute{
			"job_id": actionJobID(),
			"wait": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether to wait for the run to end, and to fail if it fails. " +
					"With `false` the runner executes the run; this needs a runner. Default `true`.",
			},
			"timeout": schema.StringAttribute{
				Optional: true,
				MarkdownDescription: "Time limit of the run, including the time that it waits (`\"90m\"`, `\"36h\"`). A run that takes longer is " +
					"cancelled, and the action fails. Default `\"24h\"`.",
				Validators: []validator.String{positiveDuration()},
			},
			"full_refresh": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "Whether an import reads its table from `since_timestamp` again and sends every row as a new event. " +
					"It needs `wait`, and an import without the attribute `full_refresh`, which does the same in its definition. On a runner it " +
					"needs a token with the role `admin`. Default `false`.",
			},
		},
	}
}

// ModifyPlan checks the job.
func (a *runJobAction) ModifyPlan(ctx context.Context, req action.ModifyPlanRequest, resp *action.ModifyPlanResponse) {
	var m runJobModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if p := a.jobAtPlan(ctx, req, "run", &resp.Diagnostics); p != nil {
		a.check(*p, m, a.target(req.Config), &resp.Diagnostics)
	}
}

// check refuses what the run cannot do.
func (a *runJobAction) check(p plannedJob, m runJobModel, at attributeTarget, diags *diag.Diagnostics) {
	if m.detached() {
		p.requireRunner(at, diags)
	}
	if !m.FullRefresh.ValueBool() {
		return
	}
	refuse := func(summary, detail string) { at.add(diags, diag.SeverityError, "full_refresh", summary, detail) }
	switch {
	case m.detached():
		refuse("A full refresh needs wait", "The definition says only during the run that every row is sent again.\n\n"+
			"Leave wait out, or set full_refresh and triggers of the job's resource.")
	case p.job.Import == nil:
		refuse("An export has no full refresh", "Each of its runs replaces all rows of the table.\n\nLeave full_refresh out.")
	case p.job.ManagedBy.IsLytics():
		refuse("Lytics has no full refresh", "An import of Lytics does not begin anew.\n\nReplace its resource to read the table again.")
	case p.job.Import.FullRefresh != "":
		refuse("The definition of the job has full_refresh", fmt.Sprintf("It is %q. If the action changed it for one run, the run after that "+
			"would send every row once more.\n\nChange full_refresh and triggers of the job's resource.", p.job.Import.FullRefresh))
	}
}

// Invoke runs the job.
func (a *runJobAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var m runJobModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	api, job := a.jobOf(ctx, req.Config, "run", &resp.Diagnostics)
	if api == nil {
		return
	}
	at := a.target(req.Config)
	info, err := api.Store(ctx, false)
	if err != nil {
		a.addError(req.Config, "run", job.ID, err, &resp.Diagnostics)
		return
	}
	if a.check(plannedJob{api, job, info}, m, at, &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	say := progress(resp)
	terms := runOptions{
		limit: defaultRunTimeout, attribute: "timeout", target: at, detach: m.detached(), reason: jobs.ReasonManual,
		onChange: reportPage(api, say, reportProgress(say, time.Now)),
	}
	if d, err := time.ParseDuration(m.Timeout.ValueString()); err == nil {
		terms.limit = d
	}
	if m.FullRefresh.ValueBool() {
		restore, err := refreshOnce(ctx, api, job)
		if err != nil {
			a.addError(req.Config, "run", job.ID, err, &resp.Diagnostics)
			return
		}
		defer restore(&resp.Diagnostics)
	}
	// A failed run always fails the action: no later plan would show the failure. The
	// stored definition keeps its own value.
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

// refreshOnce makes the next run send every row again. restore takes the mark from the
// definition, so that the job's resource has no change to undo; a run without a mark
// goes on from the cursor.
func refreshOnce(ctx context.Context, api jobs.API, job jobs.Job) (restore func(*diag.Diagnostics), err error) {
	spec := job.JobSpec
	marked := *spec.Import
	marked.FullRefresh = "action " + strings.ToLower(rand.Text())
	spec.Import = &marked
	if _, err := api.UpdateJob(ctx, job.ID, spec); err != nil {
		return nil, err
	}
	return func(diags *diag.Diagnostics) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), restoreLimit)
		defer cancel()
		if err := removeMark(ctx, api, job.ID, marked.FullRefresh); err != nil {
			e := toJobsError(err, "take full_refresh from the definition of "+job.ID)
			diags.AddWarning(e.Summary, paragraphs(e.Detail, e.Next,
				"The next plan of the job's resource shows full_refresh, and its apply takes it away. Nothing is sent twice by that."))
		}
	}, nil
}

// removeMark takes a mark from the definition as it is now: an apply may have changed it
// during the run.
func removeMark(ctx context.Context, api jobs.API, id, mark string) error {
	job, err := api.Job(ctx, id)
	if err != nil || job.Import == nil || job.Import.FullRefresh != mark {
		return err
	}
	spec, unmarked := job.JobSpec, *job.Import
	unmarked.FullRefresh = ""
	spec.Import = &unmarked
	_, err = api.UpdateJob(ctx, id, spec)
	return err
}

// restoreLimit is how long restoring the definition may take.
const restoreLimit = 30 * time.Second

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
