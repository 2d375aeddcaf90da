//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

func scrape(t *testing.T, r *runner.Runner) string {
	t.Helper()
	w := httptest.NewRecorder()
	r.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		b.work = func(_ context.Context, job jobs.Job, p engine.Progress) error {
			p.Count(func(c *jobs.Counts) { c.RowsRead, c.RowsWritten = 7, 5 })
			if job.Label == "bad" {
				return &jobs.Error{Code: jobs.CodeForbidden, Summary: "No right to read it"}
			}
			return nil
		}
		apply := b.apply()
		auth := b.authorize(apply)
		r, stop := b.runner(runner.Config{})
		good, bad := b.job(apply, auth.ID, "good", startImmediately), b.job(apply, auth.ID, "bad", startImmediately)
		b.onlyRun(r.API(), good.ID, jobs.StatusSucceeded)
		b.onlyRun(r.API(), bad.ID, jobs.StatusFailed)
		if _, err := apply.PauseJob(t.Context(), bad.ID, true); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`lytics_runs_total{reason="schedule",status="succeeded"} 1`, `lytics_runs_total{reason="schedule",status="failed"} 1`,
			`lytics_rows_total{direction="read"} 14`, `lytics_rows_total{direction="written"} 10`,
			`lytics_run_duration_seconds_count{status="failed"} 1`, `lytics_run_start_lag_seconds_count 2`,
			`lytics_store_jobs{paused="true"} 1`, `lytics_store_jobs{paused="false"} 1`, `lytics_store_runners 1`,
			`lytics_store_runs{status="queued"} 0`, `lytics_runs_executing 0`, `lytics_lease_losses_total 0`,
		}
		var text string
		eventually(t, "all metrics have their values", func() bool {
			text = scrape(t, r)
			for _, w := range want {
				if !strings.Contains(text, w+"\n") {
					return false
				}
			}
			return true
		})
		stop()
		if err := r.Ready(httptest.NewRequest(http.MethodGet, "/readyz", nil)); err == nil {
			t.Error("a stopped runner reports that it is ready")
		}
	})
}

// checklist 38 39: a runner that lost a run to another process can no longer
// write it, and counts the loss.
func TestARunnerCannotWriteARunThatItLost(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		r, _ := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", startImmediately)
		g.next(t)
		b.sql(`UPDATE runs SET owner = 'in_other', epoch = epoch + 1, lease_until = lease_until + 60000000`)
		eventually(t, "the loss is counted", func() bool {
			return strings.Contains(scrape(t, r), "lytics_lease_losses_total 1\n")
		})
		if run := b.runs(apply, j.ID)[0]; !run.Status.Active() || run.FinishedAt != nil || !run.Failure.IsZero() {
			t.Errorf("the runner wrote a run that it had lost: %+v", run)
		}
	})
}
