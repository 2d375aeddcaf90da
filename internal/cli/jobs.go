package cli

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func setupJobs(flags *pflag.FlagSet, in *invocation) func(context.Context) error {
	return withAPI(flags, in, func(ctx context.Context) error {
		all, err := in.api.Jobs(ctx)
		if err != nil {
			return err
		}
		if in.json {
			return writeJSON(in, all)
		}
		now := time.Now()
		w := in.table("JOB", "LABEL", "KIND", "MANAGED BY", "NEXT RUN", "EXPECTED", "LAST RUN", "STATUS")
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
			expected := "-"
			if every := j.ExpectedEvery(); every > 0 {
				expected = "every " + jobs.ShortDuration(every)
			}
			if j.LateBy(now) > 0 {
				status = strings.TrimPrefix(status+", late", ", ")
			}
			w.row(j.ID, j.Label, string(j.Kind()), string(manager), next, expected, last, status)
		}
		return w.print()
	})
}
