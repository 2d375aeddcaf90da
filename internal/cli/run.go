package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupRun(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	detach := flags.Bool("detach", false, "leave the run to the runner and do not wait for it")
	dry := flags.Bool("dry-run", false, "show what a run would read and write, and change nothing")
	return withAPI(flags, in, func(ctx context.Context) error {
		j, err := in.findJob(ctx, in.arguments[0])
		if err != nil {
			return err
		}
		if *dry {
			d, err := in.api.DryRun(ctx, j.ID, 0)
			if err != nil {
				return err
			}
			return in.printDryRun(d)
		}
		if *detach {
			if err := in.requireRunner(ctx); err != nil {
				return err
			}
		}
		run, err := in.api.StartRun(ctx, j.ID, jobs.ReasonManual)
		if err != nil {
			return err
		}
		if *detach {
			if in.json {
				return writeJSON(in, []jobs.Run{run})
			}
			_, err := fmt.Fprintf(in.out, "%s of %q is %s\n", run.ID, j.Label, run.Status)
			return errors.Join(err, in.printPage(run))
		}
		if err := in.printPage(run); err != nil {
			return err
		}
		show := in.progress()
		run, err = in.api.WaitRun(ctx, run.ID, show.update)
		if err != nil {
			return show.finish(err)
		}
		show.update(run)
		if err := show.finish(runError(run, j)); err != nil || run.Status != jobs.StatusCancelled {
			return err
		}
		return errRunCancelled
	})
}

// printPage prints the URL of the run's page, if it has one.
func (in *invocation) printPage(run jobs.Run) error {
	page := jobs.RunURL(in.api, run.ID)
	if page == "" || in.json {
		return nil
	}
	_, err := fmt.Fprintln(in.out, page)
	return err
}

// requireRunner returns an error if no runner is connected to the store.
func (in *invocation) requireRunner(ctx context.Context) error {
	info, err := in.api.Store(ctx, false)
	if err == nil && !info.RunnerAlive {
		err = jobs.Invalid("detach", "No runner is connected to this store, so nothing would execute the run",
			"With --detach this command does not execute the run itself, and no runner is connected to "+info.Location+".",
			"Leave out --detach, or start a runner")
	}
	return err
}

// errRunCancelled ends the command with exitCancelled. Nothing failed: the output says
// that the run was cancelled.
var errRunCancelled = errors.New("the run was cancelled")

// runError is the error of a run that failed or was missed.
func runError(run jobs.Run, j jobs.Job) error {
	if run.Status == jobs.StatusSucceeded || run.Status == jobs.StatusCancelled {
		return nil
	}
	f := run.Failure
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: fmt.Sprintf("The run of %q ended as %s", j.Label, run.Status),
		Detail: jobs.Failure{Summary: f.Summary, Detail: f.Detail}.String(), Next: f.Next, Attribute: f.Attribute,
	}
}
