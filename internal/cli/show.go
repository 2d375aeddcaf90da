package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// followEvery is how often --follow looks: progress is written at heartbeats,
// every two seconds.
const followEvery = time.Second

func (c *command) listJobs(ctx context.Context) error {
	all, err := c.api.Jobs(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, all)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
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
}

func (c *command) listRuns(ctx context.Context) error {
	if c.follow {
		return c.followRuns(ctx)
	}
	runs, err := c.api.ListRuns(ctx, jobs.RunFilter{JobID: c.jobID, Limit: c.limit})
	if err != nil {
		return err
	}
	if c.json {
		return writeJSON(c, runs)
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "RUN\tJOB\tSTATUS\tSTARTED\tTOOK\tREAD\tWRITTEN\tNOW")
	for _, r := range runs {
		_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.JobID, r.Status, stamp(r.StartedAt), took(r),
			humanize.Comma(r.RowsRead), humanize.Comma(r.RowsWritten), Describe(r))
	}
	return w.Flush()
}

// followRuns prints a line whenever a run has moved, until none is active.
func (c *command) followRuns(ctx context.Context) error {
	shown := map[string]string{}
	for {
		runs, err := c.api.ListRuns(ctx, jobs.RunFilter{JobID: c.jobID, Limit: c.limit})
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
				if c.json {
					err = writeJSON(c, runs[i:i+1])
				} else {
					_, err = fmt.Fprintln(c.out, line)
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
	case r.Error != "":
		return r.Error
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
	return t.Format(time.DateTime) + "Z"
}

func took(r jobs.Run) string {
	if r.StartedAt == nil || r.FinishedAt == nil {
		return "-"
	}
	return r.FinishedAt.Sub(*r.StartedAt).Round(100 * time.Millisecond).String()
}

func writeJSON[T any](c *command, all []T) error {
	enc := json.NewEncoder(c.out)
	var errs []error
	for _, v := range all {
		errs = append(errs, enc.Encode(v))
	}
	return errors.Join(errs...)
}
