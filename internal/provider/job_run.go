package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// errTimeLimit is the cause of a context that ended because of the timeouts
// attribute.
var errTimeLimit = errors.New("the time limit of the timeouts attribute has passed")

// runOptions says how runJob runs a job.
type runOptions struct {
	limit time.Duration
	// attribute is the attribute that sets the limit.
	attribute string
	target    attributeTarget
	// first marks the run of the apply that creates the job.
	first bool
	// detach leaves the run to the runner and does not wait for it.
	detach bool
	// reason is why the job runs: ReasonApply if empty.
	reason jobs.Reason
	// onChange, unless nil, is called when the run's progress changes.
	onChange func(jobs.Run)
	// page is the URL of the run's page; empty if it has none.
	page string
}

// runJob runs a job and waits for the run to end. It returns nil if there is no
// run. A failed run is an error, or a warning if the job's fail_on_error is
// false.
func runJob(ctx context.Context, api jobs.API, job jobs.Job, terms runOptions, diags *diag.Diagnostics) *jobs.Run {
	what := fmt.Sprintf("run %s %q", nounOfJob(job), job.Label)
	if terms.detach && !job.ManagedBy.IsLytics() {
		info, err := api.Store(ctx, false)
		if err != nil {
			addError(diags, terms.target, what, err)
			return nil
		}
		if !info.RunnerAlive {
			refuseWithoutRunner(diags)
			return nil
		}
	}
	started, err := api.StartRun(ctx, job.ID, cmp.Or(terms.reason, jobs.ReasonApply))
	if err != nil {
		addError(diags, terms.target, what, err)
		return nil
	}
	terms.page = jobs.RunURL(api, started.ID)
	tflog.Info(ctx, "run queued", map[string]any{"job": job.ID, "run": started.ID, "page": terms.page})

	if terms.detach {
		return &started
	}
	bounded, cancel := context.WithTimeoutCause(ctx, terms.limit, errTimeLimit)
	defer cancel()
	logged := progressLog(ctx)
	run, err := api.WaitRun(bounded, started.ID, func(r jobs.Run) {
		logged(r)
		if terms.onChange != nil {
			terms.onChange(r)
		}
	})
	if run.ID == "" {
		run = started
	}
	if err == nil && bounded.Err() == nil {
		addRunDiagnostic(run, job, terms, diags)
		return &run
	}
	if bounded.Err() == nil {
		addError(diags, terms.target, what, err)
		return &run
	}
	// The run was cancelled because this apply ended.
	if run.Status.Active() {
		run = finalRun(ctx, api, run)
	}
	if !run.Status.Active() && run.Status != jobs.StatusCancelled {
		addRunDiagnostic(run, job, terms, diags)
		return &run
	}
	if errors.Is(context.Cause(bounded), errTimeLimit) {
		terms.target.add(diags, diag.SeverityError, terms.attribute,
			fmt.Sprintf("The run of %q took longer than %s", job.Label, terms.limit),
			paragraphs(fmt.Sprintf("Run %s was cancelled after %s, at %s. %s Raise %s to let one run finish.",
				run.ID, terms.limit, describeProgress(run), afterCancel(job), terms.attribute), terms.afterTaint(job)))
		return &run
	}
	diags.AddError(fmt.Sprintf("The run of %q was interrupted", job.Label),
		paragraphs(fmt.Sprintf("Terraform was asked to stop, so run %s was cancelled at %s. %s",
			run.ID, describeProgress(run), afterCancel(job)), terms.afterTaint(job)))
	return &run
}

// afterTaint says what becomes of a job whose creation failed with its first run, or
// is empty. Terraform taints it, and does not tell the provider about lifecycle.
func (t runOptions) afterTaint(job jobs.Job) string {
	if !t.first {
		return ""
	}
	keeps := "its id, its history and its cursor"
	if job.Export != nil {
		keeps = "its id and its history"
	}
	return "Terraform marks the resource as tainted, and the next apply replaces it in name only: the job keeps " + keeps +
		". If lifecycle has prevent_destroy or create_before_destroy, the replacement is refused: run terraform untaint ADDRESS " +
		"first. The next apply then runs the job in place."
}

// afterCancel says what becomes of the work of a cancelled run.
func afterCancel(job jobs.Job) string {
	if job.ManagedBy.IsLytics() {
		return "Only the waiting ended: Lytics continues its work."
	}
	if job.Export != nil {
		return "The next apply exports the audience from the beginning."
	}
	return "Nothing is lost or duplicated, and the cursor is kept: the next apply continues from there."
}

// refuseWithoutRunner adds the error for wait = false without a runner.
func refuseWithoutRunner(diags *diag.Diagnostics) {
	diags.AddAttributeError(path.Root("wait"), "No runner is connected to this store, so nothing would execute the run",
		"wait is false, and Terraform stops the provider as soon as the apply is done. "+
			"Leave wait out, or start a runner (terraform-provider-lytics runner) and give the provider block its address.")
}

// addRunDiagnostic reports a finished run that did not succeed.
func addRunDiagnostic(run jobs.Run, job jobs.Job, terms runOptions, diags *diag.Diagnostics) {
	if run.Status == jobs.StatusSucceeded {
		return
	}
	severity, next, taint := diag.SeverityError, "Correct the cause and apply again: "+continues(job), terms.afterTaint(job)
	if !job.FailOnError {
		taint = ""
		severity, next = diag.SeverityWarning, "fail_on_error is false, so the apply continues. Change triggers to run the job again."
	}
	summary := fmt.Sprintf("The run of %q %s", job.Label, describeStatus(run.Status))
	detail := paragraphs(jobs.Failure{Summary: run.Failure.Summary, Detail: run.Failure.Detail}.String(), run.Failure.Next,
		fmt.Sprintf("It was run %s of %s %s, and ended at %s.%s", run.ID, nounOfJob(job), job.ID, describeProgress(run),
			terms.logAddress()), next, taint)
	terms.target.add(diags, severity, run.Failure.Attribute, summary, detail)
}

// continues says where the next run of a job begins.
func continues(job jobs.Job) string {
	if job.Export != nil {
		return "the next run exports the audience from the beginning."
	}
	return "the job continues from its cursor."
}

// logAddress is a sentence with the address of the run's log, or "".
func (t runOptions) logAddress() string {
	if t.page == "" {
		return ""
	}
	return " Its log: " + t.page
}

func describeStatus(s jobs.Status) string {
	switch s {
	case jobs.StatusCancelled:
		return "was cancelled"
	case jobs.StatusFailed:
		return "failed"
	}
	return "ended as " + string(s)
}

func nounOfJob(job jobs.Job) string { return nounOfKind(job.Kind()) }

func describeProgress(r jobs.Run) string {
	phase := valueOr(r.Phase, string(r.Status))
	return fmt.Sprintf("%q with %d rows read and %d written", phase, r.RowsRead, r.RowsWritten)
}

// finalRun waits up to 5 seconds for a run that is being cancelled to end.
func finalRun(ctx context.Context, api jobs.API, run jobs.Run) jobs.Run {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if now, err := api.WaitRun(ctx, run.ID, nil); err == nil && now.ID != "" {
		return now
	}
	return run
}

// lastRunOfApply returns the last run that an apply started and would have kept
// in state, or nil.
func lastRunOfApply(ctx context.Context, api jobs.API, job jobs.Job) (*jobs.Run, error) {
	runs, err := api.ListRuns(ctx, jobs.RunFilter{JobID: job.ID})
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		kept := r.Status == jobs.StatusSucceeded || !job.FailOnError && !r.Status.Active()
		if r.Reason == jobs.ReasonApply && kept {
			return &r, nil
		}
	}
	return nil, nil
}

// progressLog logs changes of status or phase at level INFO, and other progress
// at level DEBUG.
func progressLog(ctx context.Context) func(jobs.Run) {
	var status jobs.Status
	var phase string
	return func(r jobs.Run) {
		fields := map[string]any{"run": r.ID, "status": string(r.Status), "phase": printable(r.Phase),
			"done": r.Done, "total": r.Total, "rows_read": r.RowsRead, "rows_written": r.RowsWritten}
		if r.Status == status && r.Phase == phase {
			tflog.Debug(ctx, "run progress", fields)
			return
		}
		status, phase = r.Status, r.Phase
		tflog.Info(ctx, "run "+string(r.Status), fields)
	}
}
