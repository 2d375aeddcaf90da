//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/promtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// jobsOfEveryKind makes a runner with a job that succeeds, with a watermark and rows in
// quarantine, and one that fails. Both have ended when it returns.
func (b *fixture) jobsOfEveryKind(c runner.Config) (r *runner.Runner, good, bad jobs.Job) {
	b.t.Helper()
	b.work = func(_ context.Context, job jobs.Job, p engine.Progress) error {
		p.Count(func(c *jobs.Counts) { c.RowsRead, c.RowsWritten = 7, 5 })
		if job.Label == "bad" {
			return &jobs.Error{Code: jobs.CodeForbidden, Summary: "No right to read it"}
		}
		return nil
	}
	apply := b.apply()
	auth := b.authorize(apply)
	r, _ = b.runner(c)
	// The next planned run is half an hour away.
	hourly := func(s *jobs.JobSpec) {
		startImmediately(s)
		s.Schedule.TimeOfDay = fmt.Sprintf("00:%02d", (time.Now().Minute()+30)%60)
	}
	expected := func(s *jobs.JobSpec) {
		hourly(s)
		s.ExpectedEverySeconds = 7200
	}
	good, bad = b.job(apply, auth.ID, "good", hourly), b.job(apply, auth.ID, "bad", expected)
	b.onlyRun(r.API(), good.ID, jobs.StatusSucceeded)
	b.onlyRun(r.API(), bad.ID, jobs.StatusFailed)
	b.putCursor(good, watermark)
	return r, good, bad
}

// watermark is that of the job that succeeds.
var watermark = time.Date(2026, 11, 29, 6, 0, 0, 250000000, time.UTC)

// putCursor leaves the cursor of a finished import, and two rejected rows of it.
func (b *fixture) putCursor(j jobs.Job, at time.Time) {
	b.t.Helper()
	ctx, micros := context.Background(), at.UnixMicro()
	document, err := json.Marshal(importer.Cursor{Version: 2, Generation: 1, DigestColumns: []string{"id"}, Watermark: &micros})
	if err != nil {
		b.t.Fatal(err)
	}
	row, err := b.store().Job(ctx, j.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := b.store().Write(ctx, func(tx *store.Tx) error {
		if err := store.PutCursorDocument(ctx, tx, row.Key, document); err != nil {
			return err
		}
		_, err := store.AddQuarantined(ctx, tx, store.RejectedRun{ImportKey: row.Key, JobID: j.ID, RunID: "run_1", Stream: "s"},
			[]jobs.RejectedEvent{{Event: jobs.Event{ID: "e0"}, Reason: "why"}, {Event: jobs.Event{ID: "e1"}, Reason: "why"}}, 10, nil)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
}

// value returns the value of a series in a scrape.
func value(t *testing.T, text, series string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Errorf("there is no %s", series)
	return 0
}

// scrapeWith scrapes until the text has all lines.
func scrapeWith(t *testing.T, r *runner.Runner, lines ...string) (text string) {
	t.Helper()
	eventually(t, "metrics with "+strings.Join(lines, ", "), func() bool {
		text = scrape(t, r)
		return !slices.ContainsFunc(lines, func(line string) bool { return !strings.Contains(text, line+"\n") })
	})
	// A scrape reads the store before the counters of this process: a run that ended in
	// between is in the counters only. The next scrape has it in both.
	return scrape(t, r)
}

func TestEachJobHasMetrics(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		r, good, bad := b.jobsOfEveryKind(runner.Config{Version: "1.2.3"})
		// The labels of a series are sorted by name.
		of := func(name string, j jobs.Job, label string) string {
			if strings.HasPrefix(label, "direction=") {
				return fmt.Sprintf(`%s{%s,job_id=%q}`, name, label, j.ID)
			}
			return fmt.Sprintf(`%s{job_id=%q%s}`, name, j.ID, label)
		}
		text := scrapeWith(t, r,
			of("lytics_job_runs_total", good, `,status="succeeded"`)+" 1", of("lytics_job_runs_total", good, `,status="failed"`)+" 0",
			of("lytics_job_runs_total", bad, `,status="failed"`)+" 1", of("lytics_job_runs_total", bad, `,status="succeeded"`)+" 0",
			of("lytics_job_run_duration_seconds_count", good, "")+" 1",
		)
		for series, want := range map[string]float64{
			fmt.Sprintf(`lytics_job_info{job_id=%q,kind="table_import",name="good"}`, good.ID): 1,
			of("lytics_job_watermark_timestamp_seconds", good, ""):                             float64(watermark.UnixMicro()) / 1e6,
			of("lytics_job_schedule_interval_seconds", good, ""):                               3600,
			of("lytics_job_expected_every_seconds", bad, ""):                                   7200,
			of("lytics_job_last_run_rows", good, `direction="read"`):                           7,
			of("lytics_job_last_run_rows", bad, `direction="written"`):                         5,
			of("lytics_job_rows_total", good, `direction="read"`):                              7,
			of("lytics_job_rows_total", bad, `direction="written"`):                            5,
			of("lytics_job_rows_total", bad, `direction="quarantined"`):                        0,
			of("lytics_job_consecutive_failures", good, ""):                                    0,
			of("lytics_job_consecutive_failures", bad, ""):                                     1,
			of("lytics_job_quarantined_rows", good, ""):                                        2,
			of("lytics_job_quarantined_rows", bad, ""):                                         0,
			"lytics_store_jobs_without_metrics":                                                0,
		} {
			if got := value(t, text, series); got != want {
				t.Errorf("%s is %v, want %v", series, got, want)
			}
		}
		run := b.runs(r.API(), good.ID)[0]
		if got := value(t, text, of("lytics_job_last_success_timestamp_seconds", good, "")); got != float64(run.FinishedAt.UnixMicro())/1e6 {
			t.Errorf("the last success was at %v, and the run ended at %v", got, run.FinishedAt)
		}
		took := run.FinishedAt.Sub(*run.StartedAt).Seconds()
		if got := value(t, text, of("lytics_job_last_run_duration_seconds", good, "")); got != took {
			t.Errorf("the last run took %v s, want %v", got, took)
		}
		if !regexp.MustCompile(`lytics_build_info\{goversion="go1[^"]*",version="1\.2\.3"\} 1\n`).MatchString(text) {
			t.Errorf("there is no build info:\n%s", text)
		}
		for _, absent := range []string{
			of("lytics_job_last_success_timestamp_seconds", bad, ""), of("lytics_job_watermark_timestamp_seconds", bad, ""),
			of("lytics_job_expected_every_seconds", good, ""),
		} {
			if strings.Contains(text, absent) {
				t.Errorf("%s is there without a value", absent)
			}
		}
		// A job that is gone has no metrics, and a paused one no interval.
		if err := r.API().DeleteJob(t.Context(), bad.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.API().PauseJob(t.Context(), good.ID, true); err != nil {
			t.Fatal(err)
		}
		text = scrape(t, r)
		if strings.Contains(text, bad.ID) || strings.Contains(text, "lytics_job_schedule_interval_seconds") {
			t.Errorf("a deleted job has metrics, or a paused one an interval:\n%s", text)
		}
	})
}

func TestMetricsOfJobsAreBoundedAndCanBeLeftOut(t *testing.T) {
	t.Parallel()
	t.Run("bounded", func(t *testing.T) {
		t.Parallel()
		r, good, bad := newFixture(t).jobsOfEveryKind(runner.Config{Metrics: runner.MetricsConfig{MaxJobs: 1}})
		text := scrapeWith(t, r, "lytics_store_jobs_without_metrics 1", fmt.Sprintf(`lytics_job_consecutive_failures{job_id=%q} 0`, good.ID))
		if strings.Contains(text, bad.ID) {
			t.Errorf("the bound is one job, and the second has metrics:\n%s", text)
		}
	})
	t.Run("left out", func(t *testing.T) {
		t.Parallel()
		r, _, _ := newFixture(t).jobsOfEveryKind(runner.Config{Metrics: runner.MetricsConfig{WithoutJobs: true}})
		text := scrapeWith(t, r, `lytics_store_jobs{paused="false"} 2`)
		if strings.Contains(text, "lytics_job_") || strings.Contains(text, "lytics_store_jobs_without_metrics") {
			t.Errorf("jobs have metrics:\n%s", text)
		}
	})
}

// registerWorkers adds the metrics of worker processes.
func registerWorkers(t *testing.T, r *runner.Runner) {
	t.Helper()
	for _, c := range worker.NewPool(worker.Config{}).Collectors() {
		if err := r.Registry().Register(c); err != nil {
			t.Fatal(err)
		}
	}
}

func TestNamesAndUnitsOfMetricsFollowThoseOfPrometheus(t *testing.T) {
	t.Parallel()
	r, _, _ := newFixture(t).jobsOfEveryKind(runner.Config{})
	registerWorkers(t, r)
	text := scrapeWith(t, r, "lytics_runs_executing 0")
	if said := promtest.Run(t, text, "check", "metrics"); said != "" {
		t.Errorf("promtool finds:\n%s", said)
	}
}
