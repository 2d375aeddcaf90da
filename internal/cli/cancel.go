package cli

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupCancel(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, func(ctx context.Context) error {
		run, err := in.runToCancel(ctx, in.arguments[0])
		if err != nil {
			return err
		}
		if run.Status.Active() {
			if err := in.api.CancelRun(ctx, run.ID); err != nil {
				return err
			}
			if run, err = in.api.WaitRun(ctx, run.ID, nil); err != nil {
				return err
			}
		}
		if in.json {
			return writeJSON(in, []jobs.Run{run})
		}
		_, err = fmt.Fprintf(in.out, "%s %s\n", run.ID, run.Status)
		return err
	})
}

// runToCancel finds a run by its id, or the active run of a job.
func (in *invocation) runToCancel(ctx context.Context, name string) (jobs.Run, error) {
	run, err := in.api.Run(ctx, name)
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		return run, err
	}
	j, notJob := in.findJob(ctx, name)
	if jobs.IsCode(notJob, jobs.CodeNotFound) {
		return run, &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("No run and no job %q", name),
			Detail: "Neither a run nor a job has this id.",
			Next:   "List them with the commands runs and jobs"}
	}
	if notJob != nil {
		return run, notJob
	}
	active, err := in.api.ListRuns(ctx, jobs.RunFilter{
		JobID: j.ID, Statuses: []jobs.Status{jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning}, Limit: 100,
	})
	if err != nil {
		return run, err
	}
	if len(active) == 0 {
		return run, &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("%q is not running", j.Label),
			Detail: "It has no active run.", Next: "List its runs with the command runs"}
	}
	// The oldest one is running; the others wait for it.
	return active[len(active)-1], nil
}
