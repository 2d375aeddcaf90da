package cli

import (
	"context"
	"flag"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupLogs(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	follow := flags.Bool("follow", false, "wait for more lines until the run ends")
	return withAPI(flags, in, func(ctx context.Context) error {
		shown := 0
		for {
			// The status is read before the log: when it says that the run has ended,
			// the log is complete.
			run, err := in.api.Run(ctx, in.arguments[0])
			if jobs.IsCode(err, jobs.CodeNotFound) {
				return in.printJobLog(ctx, in.arguments[0], err)
			}
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

// printJobLog prints Lytics' log of a job. noRun is the error to return if there is
// no such job either.
func (in *invocation) printJobLog(ctx context.Context, name string, noRun error) error {
	j, err := in.findJob(ctx, name)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return noRun
	}
	if err != nil {
		return err
	}
	lines, err := in.api.JobLog(ctx, j.ID)
	if err != nil {
		return err
	}
	return in.printLog(lines)
}

func (in *invocation) printLog(lines []jobs.LogLine) error {
	if in.json {
		return writeJSON(in, lines)
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(in.out, "%s  %-5s  %s\n", formatTime(&l.At), l.Level, l.Message); err != nil {
			return err
		}
	}
	return nil
}
