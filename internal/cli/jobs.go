package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"text/tabwriter"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupJobs(flags *flag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, func(ctx context.Context) error {
		all, err := in.api.Jobs(ctx)
		if err != nil {
			return err
		}
		if in.json {
			return writeJSON(in, all)
		}
		w := tabwriter.NewWriter(in.out, 0, 0, 2, ' ', 0)
		_, _ = fmt.Fprintln(w, "JOB\tLABEL\tKIND\tMANAGED BY\tNEXT RUN\tLAST RUN\tSTATUS")
		for _, j := range all {
			last, status := "never", ""
			if r := j.LastRun; r != nil {
				last, status = formatTime(&r.CreatedAt), string(r.Status)
			}
			manager := jobs.ManagedByProvider
			if l := j.Lytics; l != nil {
				// Lytics does not tell when it last ran the job.
				manager, last, status = jobs.ManagedByLytics, "-", cmp.Or(l.Status, l.Problem)
			}
			next := formatTime(j.NextRunAt)
			if j.Paused {
				next = "paused"
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", j.ID, j.Label, j.Kind(), manager, next, last, status)
		}
		return w.Flush()
	})
}
