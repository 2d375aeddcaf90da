package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// runsFlags are the flags of the command runs.
type runsFlags struct {
	job, status string
	since       string
	limit       int
	follow      bool
}

func setupRuns(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	var f runsFlags
	flags.StringVar(&f.job, "job", "", "only the runs of this job (id or label)")
	flags.StringVar(&f.status, "status", "", "only runs in these states, separated by commas")
	flags.StringVar(&f.since, "since", "", "only runs created in the last period, such as 90m, 24h or 7d, or since a time such as "+
		"2026-11-20 or 2026-11-20T06:30:00Z")
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
		labels, err := in.jobLabels(ctx)
		if err != nil {
			return err
		}
		w := in.table("RUN", "JOB", "STATUS", "REASON", "STARTED", "TOOK", "READ", "WRITTEN", "NOW")
		for _, r := range runs {
			w.row(r.ID, cmp.Or(labels[r.JobID], r.JobID), string(r.Status), string(r.Reason), formatTime(r.StartedAt), formatDuration(r),
				humanize.Comma(r.RowsRead), humanize.Comma(r.RowsWritten), Describe(r))
		}
		return w.print()
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
		if j, err := in.findJob(ctx, f.job); err == nil {
			out.JobID = j.ID
		} else if !jobs.IsCode(err, jobs.CodeNotFound) {
			return out, err
		}
	}
	since, err := parseSince(f.since, time.Now())
	if err != nil {
		return out, err
	}
	out.Since = since
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

// jobLabels are the labels of the jobs that have one, by id.
func (in *invocation) jobLabels(ctx context.Context) (map[string]string, error) {
	all, err := in.api.Jobs(ctx)
	labels := make(map[string]string, len(all))
	for _, j := range all {
		labels[j.ID] = j.Label
	}
	return labels, err
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
					_, err = fmt.Fprintln(in.out, terminal.Line(line))
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
