package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// followEvery is how often --follow looks: progress is written at heartbeats,
// every two seconds.
const followEvery = time.Second

func setupJobs(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	return reaching(flags, in, func(ctx context.Context) error {
		all, err := in.api.Jobs(ctx)
		if err != nil {
			return err
		}
		if in.json {
			return writeJSON(in, all)
		}
		w := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "JOB\tLABEL\tKIND\tNEXT RUN\tLAST RUN\tSTATUS")
		for _, j := range all {
			last, status := "never", ""
			if r := j.LastRun; r != nil {
				last, status = stamp(&r.CreatedAt), string(r.Status)
			}
			next := stamp(j.NextRunAt)
			if j.Paused {
				next = "paused"
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", j.ID, j.Label, j.Kind(), next, last, status)
		}
		return w.Flush()
	})
}

// runsFlags select runs.
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
	flags.DurationVar(&f.since, "since", 0, "only runs made so long ago at most, such as 24h")
	flags.IntVar(&f.limit, "limit", 20, "at most so many runs")
	flags.BoolVar(&f.follow, "follow", false, "watch the runs until none is active")
	return reaching(flags, in, func(ctx context.Context) error {
		filter, err := in.filter(ctx, f)
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
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.JobID, r.Status, r.Reason, stamp(r.StartedAt), took(r),
				humanize.Comma(r.RowsRead), humanize.Comma(r.RowsWritten), Describe(r))
		}
		return w.Flush()
	})
}

var statuses = []jobs.Status{
	jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning, jobs.StatusSucceeded, jobs.StatusFailed, jobs.StatusCancelled, jobs.StatusMissed,
}

func (in *invocation) filter(ctx context.Context, f runsFlags) (jobs.RunFilter, error) {
	out := jobs.RunFilter{Limit: f.limit}
	if f.limit < 1 {
		return out, jobs.Invalid("limit", "No runs are asked for", fmt.Sprintf("The limit is %d.", f.limit), "Give a limit of 1 or more")
	}
	if f.job != "" {
		// A job that is gone has runs still.
		out.JobID = f.job
		j, err := in.job(ctx, f.job)
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
			return out, jobs.Invalid("status", fmt.Sprintf("No run is ever %q", name), "It is not a state of runs.", fmt.Sprintf("Choose among %v", statuses))
		}
		out.Statuses = append(out.Statuses, jobs.Status(name))
	}
	return out, nil
}

// followRuns prints a line whenever a run has moved, until none is active.
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

// Describe says in a few words what a run is doing or how it ended.
func Describe(r jobs.Run) string {
	switch {
	case !r.Failure.IsZero():
		return r.Failure.String()
	case !r.Status.Active():
		return leftOut(r.Counts)
	case r.Total > 0:
		return fmt.Sprintf("%s: %s of %s (%d%%)", r.Phase, humanize.Comma(r.Done), humanize.Comma(r.Total), r.Done*100/r.Total)
	case r.Done > 0:
		return fmt.Sprintf("%s: %s", r.Phase, humanize.Comma(r.Done))
	default:
		return r.Phase
	}
}

// leftOut says what of a run's events is doubtful or in no profile.
func leftOut(c jobs.Counts) string {
	var parts []string
	add := func(n int64, what string) {
		if n > 0 {
			parts = append(parts, humanize.Comma(n)+" "+what)
		}
	}
	add(c.PossiblyDuplicated, "possibly duplicated")
	add(c.RowsErased, "of erased users left out")
	add(c.Unidentified, "events without an identifier")
	add(c.Unfit, "values that do not fit their field")
	conflicts := "identity conflicts"
	if c.ConflictExample != "" {
		conflicts += " (" + c.ConflictExample + ")"
	}
	add(c.Conflicts, conflicts)
	return strings.Join(parts, ", ")
}

func stamp(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.DateTime) + "Z"
}

func took(r jobs.Run) string {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return "-"
	}
	return r.FinishedAt.Sub(*r.StartedAt).Round(100 * time.Millisecond).String()
}

func writeJSON[T any](in *invocation, all []T) error {
	enc := json.NewEncoder(in.out)
	enc.SetEscapeHTML(false)
	var errs []error
	for _, v := range all {
		errs = append(errs, enc.Encode(v))
	}
	return errors.Join(errs...)
}
