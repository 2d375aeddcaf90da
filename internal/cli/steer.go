package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupRun(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	detach := flags.Bool("detach", false, "leave it to the runner, and do not follow it")
	dry := flags.Bool("dry-run", false, "say what a run would read and write, and change nothing")
	return reaching(flags, in, func(ctx context.Context) error {
		j, err := in.job(ctx, in.arguments[0])
		if err != nil {
			return err
		}
		if *dry {
			d, err := in.api.DryRun(ctx, j.ID)
			if err != nil {
				return err
			}
			return in.printDryRun(d)
		}
		if *detach {
			if err := in.wantRunner(ctx); err != nil {
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
		run, err = in.api.WaitRun(ctx, run.ID, show.moved)
		if err != nil {
			return show.end(err)
		}
		show.moved(run)
		return show.end(outcome(run, j))
	})
}

// printPage says where a run can be looked at, if it can.
func (in *invocation) printPage(run jobs.Run) error {
	page := jobs.RunURL(in.api, run.ID)
	if page == "" || in.json {
		return nil
	}
	_, err := fmt.Fprintln(in.out, page)
	return err
}

// wantRunner refuses to leave a run to nobody.
func (in *invocation) wantRunner(ctx context.Context) error {
	info, err := in.api.Store(ctx, false)
	if err == nil && !info.RunnerAlive {
		err = jobs.Invalid("detach", "Nobody would execute the run", "No runner is alive on "+info.Location+", and this command does not stay.",
			"Leave --detach out, or start a runner")
	}
	return err
}

// outcome is the error of a run that did not succeed.
func outcome(run jobs.Run, j jobs.Job) error {
	if run.Status == jobs.StatusSucceeded {
		return nil
	}
	f := run.Failure
	return &jobs.Error{
		Code: jobs.CodeFailed, Summary: fmt.Sprintf("The run of %q ended as %s", j.Label, run.Status),
		Detail: jobs.Failure{Summary: f.Summary, Detail: f.Detail}.String(), Next: f.Next, Attribute: f.Attribute,
	}
}

func setupPause(paused bool) func(*flag.FlagSet, *invocation) func(context.Context) error {
	return func(flags *flag.FlagSet, in *invocation) func(context.Context) error {
		return reaching(flags, in, func(ctx context.Context) error {
			j, err := in.job(ctx, in.arguments[0])
			if err != nil {
				return err
			}
			if j, err = in.api.PauseJob(ctx, j.ID, paused); err != nil {
				return err
			}
			if in.json {
				return writeJSON(in, []jobs.Job{j})
			}
			text := fmt.Sprintf("%q is paused\n", j.Label)
			if !j.Paused {
				text = fmt.Sprintf("%q runs next at %s\n", j.Label, stamp(j.NextRunAt))
			}
			if !j.Paused && j.NextRunAt == nil {
				text = fmt.Sprintf("%q runs after its other jobs\n", j.Label)
			}
			_, err = fmt.Fprint(in.out, text)
			return err
		})
	}
}

func setupCancel(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	return reaching(flags, in, func(ctx context.Context) error {
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

// runToCancel takes a run's id, or a job with an active run.
func (in *invocation) runToCancel(ctx context.Context, name string) (jobs.Run, error) {
	run, err := in.api.Run(ctx, name)
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		return run, err
	}
	j, notJob := in.job(ctx, name)
	if jobs.IsCode(notJob, jobs.CodeNotFound) {
		return run, &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("No run and no job %q", name), Detail: "Nothing has this id.", Next: "See the commands runs and jobs"}
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
		return run, &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("%q is not running", j.Label), Detail: "It has no active run.", Next: "See the command runs"}
	}
	// The oldest is the one that runs; others wait for it.
	return active[len(active)-1], nil
}

func setupLogs(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	follow := flags.Bool("follow", false, "wait for more until the run ends")
	return reaching(flags, in, func(ctx context.Context) error {
		shown := 0
		for {
			// Whether it goes on is asked first: what it says last is then there.
			run, err := in.api.Run(ctx, in.arguments[0])
			if err != nil {
				return err
			}
			lines, err := in.api.RunLog(ctx, run.ID)
			if err != nil {
				return err
			}
			if err := in.printLog(lines[min(shown, len(lines)):]); err != nil {
				return err
			}
			shown = max(shown, len(lines))
			if !*follow || !run.Status.Active() {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(followEvery):
			}
		}
	})
}

func (in *invocation) printLog(lines []jobs.LogLine) error {
	if in.json {
		return writeJSON(in, lines)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(in.out, "%s  %-5s  %s\n", stamp(&l.At), l.Level, l.Message); err != nil {
			return err
		}
	}
	return nil
}
