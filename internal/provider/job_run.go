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

// errTimeLimit is the cause of a context that the timeouts attribute ended.
var errTimeLimit = errors.New("the time limit of the timeouts attribute has passed")

// runTerms is how an apply runs a job.
type runTerms struct {
	limit time.Duration
	// attribute sets the limit.
	attribute string
	at        place
	// leave has the runner execute it, unfollowed.
	leave bool
	// reason is why it runs: ReasonApply when empty.
	reason jobs.Reason
	// moved hears of the run's moves; nil for none.
	moved func(jobs.Run)
	// page is where the run can be looked at; empty for nowhere.
	page string
}

// runJob runs a job and waits. It returns nil when there is no run to show.
// What went wrong is in diags: as a warning for a failed run when the job says
// that a failure is none of Terraform's business.
func runJob(ctx context.Context, api jobs.API, job jobs.Job, terms runTerms, diags *diag.Diagnostics) *jobs.Run {
	what := fmt.Sprintf("run %s %q", noun(job), job.Label)
	if terms.leave {
		info, err := api.Store(ctx, false)
		if err != nil {
			addError(diags, terms.at, what, err)
			return nil
		}
		if !info.RunnerAlive {
			refuseToLeave(diags)
			return nil
		}
	}
	started, err := api.StartRun(ctx, job.ID, cmp.Or(terms.reason, jobs.ReasonApply))
	if err != nil {
		addError(diags, terms.at, what, err)
		return nil
	}
	terms.page = jobs.RunURL(api, started.ID)
	tflog.Info(ctx, "run queued", map[string]any{"job": job.ID, "run": started.ID, "page": terms.page})

	if terms.leave {
		return &started
	}
	bounded, cancel := context.WithTimeoutCause(ctx, terms.limit, errTimeLimit)
	defer cancel()
	logged := progressLog(ctx)
	run, err := api.WaitRun(bounded, started.ID, func(r jobs.Run) {
		logged(r)
		if terms.moved != nil {
			terms.moved(r)
		}
	})
	if run.ID == "" {
		run = started
	}
	if err == nil && bounded.Err() == nil {
		judge(run, job, terms, diags)
		return &run
	}
	if bounded.Err() == nil {
		addError(diags, terms.at, what, err)
		return &run
	}
	// The run ended, or is ending, because this apply did.
	if run.Status.Active() {
		run = latest(ctx, api, run)
	}
	if !run.Status.Active() && run.Status != jobs.StatusCancelled {
		judge(run, job, terms, diags)
		return &run
	}
	if errors.Is(context.Cause(bounded), errTimeLimit) {
		terms.at.add(diags, diag.SeverityError, terms.attribute,
			fmt.Sprintf("The run of %q took longer than %s", job.Label, terms.limit),
			fmt.Sprintf("Run %s was cancelled after %s, at %s. Its cursor is kept: the next apply goes on where it was. Raise %s to let it finish in one.",
				run.ID, terms.limit, whereItWas(run), terms.attribute))
		return &run
	}
	diags.AddError(fmt.Sprintf("The run of %q was interrupted", job.Label),
		fmt.Sprintf("Terraform was asked to stop, so run %s was cancelled at %s. Nothing is lost or doubled: apply again, and it goes on where it was.",
			run.ID, whereItWas(run)))
	return &run
}

// refuseToLeave says that nobody would execute a run that is not waited for.
func refuseToLeave(diags *diag.Diagnostics) {
	diags.AddAttributeError(path.Root("wait"), "Nobody would execute the run",
		"wait is false, but no runner is alive on the store, and Terraform ends the provider as soon as an apply is done. "+
			"Leave wait out, or start a runner (terraform-provider-lytics runner) and give the provider block its address.")
}

// judge reports how a finished run ended.
func judge(run jobs.Run, job jobs.Job, terms runTerms, diags *diag.Diagnostics) {
	if run.Status == jobs.StatusSucceeded {
		return
	}
	severity, next := diag.SeverityError, "Correct the cause and apply again: the job goes on from where it was."
	if !job.FailOnError {
		severity, next = diag.SeverityWarning, "fail_on_error is false, so the apply goes on. Change triggers to run the job again."
	}
	summary := fmt.Sprintf("The run of %q %s", job.Label, endedAs(run.Status))
	detail := paragraphs(jobs.Failure{Summary: run.Failure.Summary, Detail: run.Failure.Detail}.String(), run.Failure.Next, fmt.Sprintf("It was run %s of %s %s, and ended at %s.%s", run.ID, noun(job), job.ID, whereItWas(run), terms.see()), next)
	terms.at.add(diags, severity, run.Failure.Attribute, summary, detail)
}

// see says where a run's log is.
func (t runTerms) see() string {
	if t.page == "" {
		return ""
	}
	return " Its log: " + t.page
}

func endedAs(s jobs.Status) string {
	switch s {
	case jobs.StatusCancelled:
		return "was cancelled"
	case jobs.StatusFailed:
		return "failed"
	}
	return "ended as " + string(s)
}

func noun(job jobs.Job) string {
	if job.Kind() == jobs.KindAudienceExport {
		return "audience export"
	}
	return "table import"
}

func whereItWas(r jobs.Run) string {
	phase := orDefault(r.Phase, string(r.Status))
	return fmt.Sprintf("%q with %d rows read and %d written", phase, r.RowsRead, r.RowsWritten)
}

// latest asks how a cancelled run ended, for as long as a cancel may take.
func latest(ctx context.Context, api jobs.API, run jobs.Run) jobs.Run {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if now, err := api.WaitRun(ctx, run.ID, nil); err == nil && now.ID != "" {
		return now
	}
	return run
}

// lastApplied gives the run that an apply's state would hold as its last.
func lastApplied(ctx context.Context, api jobs.API, job jobs.Job) (*jobs.Run, error) {
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

// progressLog logs changes of status or phase, and progress in between at a
// finer level.
func progressLog(ctx context.Context) func(jobs.Run) {
	var status jobs.Status
	var phase string
	return func(r jobs.Run) {
		fields := map[string]any{"run": r.ID, "status": string(r.Status), "phase": r.Phase,
			"done": r.Done, "total": r.Total, "rows_read": r.RowsRead, "rows_written": r.RowsWritten}
		if r.Status == status && r.Phase == phase {
			tflog.Debug(ctx, "run progress", fields)
			return
		}
		status, phase = r.Status, r.Phase
		tflog.Info(ctx, "run "+string(r.Status), fields)
	}
}
