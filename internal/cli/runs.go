package cli

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// runsFlags are the flags of the command runs.
type runsFlags struct {
	job, status string
	since       time.Duration
	limit       int
	follow      bool
}

func setupRuns(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	var f runsFlags
	flags.StringVar(&f.job, "job", "", "only the runs of this job (id or label)")
	flags.StringVar(&f.status, "status", "", "only runs in these states, separated by commas")
	flags.DurationVar(&f.since, "since", 0, "only runs created in the last period, such as 24h")
	flags.IntVar(&f.limit, "limit", 20, "maximum number of runs")
	flags.BoolVar(&f.follow, "follow", false, "keep watching until no run is active")
	return withAPI(flags, in, func(ctx context.Context) error {
		filter, err := in.runFilter(ctx, f)
		if err != nil {
			return err
		}
		if f.follow {
			return in.followRuns(ctx, filter)
		}
		runs, err := in.api.ListRuns(ctx, filter)
		if err != nil {
			return err
		}
		if in.json {
			return writeJSON(in, runs)
		}
		w := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "RUN\tJOB\tSTATUS\tREASON\tSTARTED\tTOOK\tREAD\tWRITTEN\tNOW")
		for _, r := range runs {
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.JobID, r.Status, r.Reason, formatTime(r.StartedAt),
				formatDuration(r),
				humanize.Comma(r.RowsRead), humanize.Comma(r.RowsWritten), Describe(r))
		}
		return w.Flush()
	})
}

var statuses = []jobs.Status{
	jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning, jobs.StatusSucceeded, jobs.StatusFailed, jobs.StatusCancelled,
	jobs.StatusMissed,
}

func (in *invocation) runFilter(ctx context.Context, f runsFlags) (jobs.RunFilter, error) {
	out := jobs.RunFilter{Limit: f.limit}
	if f.limit < 1 {
		return out, jobs.Invalid("limit", "The limit is too small", fmt.Sprintf("The limit is %d.", f.limit), "Give a limit of 1 or more")
	}
	if f.job != "" {
		// A deleted job still has runs.
		out.JobID = f.job
		j, err := in.findJob(ctx, f.job)
		if err == nil {
			out.JobID = j.ID
		} else if !jobs.IsCode(err, jobs.CodeNotFound) {
			return out, err
		}
	}
	if f.since > 0 {
		out.Since = time.Now().Add(-f.since)
	}
	for name := range strings.SplitSeq(f.status, ",") {
		if name == "" {
			continue
		}
		if !slices.Contains(statuses, jobs.Status(name)) {
			return out, jobs.Invalid("status", fmt.Sprintf("%q is not the status of a run", name), "There is no such status.",
				fmt.Sprintf("Use one of %v", statuses))
		}
		out.Statuses = append(out.Statuses, jobs.Status(name))
	}
	return out, nil
}

// followEvery is how often --follow polls. A run writes its progress with its
// heartbeat, every two seconds.
const followEvery = time.Second

// followRuns prints a line whenever a run changes, until no run is active.
func (in *invocation) followRuns(ctx context.Context, filter jobs.RunFilter) error {
	shown := map[string]string{}
	for {
		runs, err := in.api.ListRuns(ctx, filter)
		if err != nil {
			return err
		}
		active := false
		for i := len(runs) - 1; i >= 0; i-- {
			r := runs[i]
			active = active || r.Status.Active()
			line := fmt.Sprintf("%s  %s  %s", r.ID, r.Status, Describe(r))
			if (r.Status.Active() || shown[r.ID] != "") && shown[r.ID] != line {
				shown[r.ID] = line
				if in.json {
					err = writeJSON(in, runs[i:i+1])
				} else {
					_, err = fmt.Fprintln(in.out, line)
				}
				if err != nil {
					return err
				}
			}
		}
		if !active {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followEvery):
		}
	}
}
