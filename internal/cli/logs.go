package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

func setupLogs(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	follow := flags.Bool("follow", false, "wait for more lines until the run ends")
	return withAPI(flags, in, func(ctx context.Context) error {
		run, err := in.api.Run(ctx, in.arguments[0])
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return in.jobLog(ctx, in.arguments[0], *follow, err)
		}
		if err != nil {
			return err
		}
		return in.runLog(ctx, run, *follow)
	})
}

// runLog prints the log of a run. With follow, it waits for more lines until the run ends.
func (in *invocation) runLog(ctx context.Context, run jobs.Run, follow bool) error {
	shown := 0
	for {
		// The status was read before the log: when it says that the run has ended,
		// the log is complete.
		lines, err := in.api.RunLog(ctx, run.ID)
		if err != nil {
			return err
		}
		if err := in.printLog(lines[min(shown, len(lines)):]); err != nil {
			return err
		}
		shown = max(shown, len(lines))
		if !follow || !run.Status.Active() {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
		if run, err = in.api.Run(ctx, run.ID); err != nil {
			return err
		}
	}
}

// jobLog prints the log of the last run of a job, or Lytics' log of a job that Lytics
// executes. noRun is the error to return if there is no such job either.
func (in *invocation) jobLog(ctx context.Context, name string, follow bool, noRun error) error {
	j, err := in.findJob(ctx, name)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return noRun
	}
	if err != nil {
		return err
	}
	if j.Lytics != nil {
		lines, err := in.api.JobLog(ctx, j.ID)
		if err != nil {
			return err
		}
		return in.printLog(lines)
	}
	last, err := in.api.ListRuns(ctx, jobs.RunFilter{JobID: j.ID, Limit: 1})
	if err != nil {
		return err
	}
	if len(last) == 0 {
		return &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("%q has no run yet", j.Label),
			Detail: "The log of a job is that of its last run.", Next: "Start a run with the command run"}
	}
	return in.runLog(ctx, last[0], follow)
}

func (in *invocation) printLog(lines []jobs.LogLine) error {
	if in.json {
		return writeJSON(in, lines)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(in.out, "%s  %-5s  %s\n", formatTime(&l.At), l.Level, terminal.Line(l.Message)); err != nil {
			return err
		}
	}
	return nil
}
