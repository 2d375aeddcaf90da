package runner_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// schedulesForBench is the number of jobs in the benchmarks.
const schedulesForBench = 10000

// seed creates authorizations and jobs with schedules that are due in a year.
func (b *fixture) seed(authorizations, jobsOfEach int) {
	b.t.Helper()
	e := b.apply()
	auth := b.authorize(e)
	first := b.job(e, auth.ID, "t0", func(s *jobs.JobSpec) { s.Schedule = &jobs.Schedule{Frequency: jobs.Hourly} })
	later := time.Now().AddDate(1, 0, 0).UnixMicro()
	for i := range authorizations {
		id := fmt.Sprintf("auth_%d", i)
		b.sql(`INSERT INTO authorizations (id, label, description, host, port, http_path, token_env, token_version, check_connection, secret, creator, confirmed, created_at, updated_at)
			SELECT ?, label, description, host, port, http_path, token_env, token_version, check_connection, secret, creator, confirmed, created_at, updated_at
			FROM authorizations WHERE id = ?`, id, auth.ID)
		b.sql(`INSERT INTO jobs (id, key, label, authorization_id, spec, next_run_at, paused, creator, confirmed, created_at, updated_at)
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(? AS INTEGER))
			SELECT CAST(? AS TEXT) || i, CAST(? AS TEXT) || i, 't' || i, CAST(? AS TEXT), spec, CAST(? AS BIGINT) + i, 0, creator, 1, created_at, updated_at
			FROM n, (SELECT spec, creator, created_at, updated_at FROM jobs WHERE id = ?) AS j`,
			jobsOfEach, "job_"+id+"_", "key_"+id+"_", id, later, first.ID)
	}
	b.sql(`UPDATE jobs SET next_run_at = ? WHERE id = ?`, later, first.ID)
}

// benchmarkEachDatabase runs a benchmark on SQLite and on PostgreSQL.
func benchmarkEachDatabase(b *testing.B, f func(b *testing.B, fx *fixture)) {
	b.Helper()
	b.Run("sqlite", func(b *testing.B) { f(b, newFixture(b)) })
	b.Run("postgres", func(b *testing.B) {
		fx := newFixture(b)
		fx.url = jobs.NewSecret(storetest.URL(b))
		f(b, fx)
	})
}

func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		tb.Skip("there is no /proc/self/stat to read the CPU time from")
	}
	fields := strings.Fields(string(text))
	var ticks int64
	for _, f := range fields[13:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			tb.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkIdle measures the CPU use of 10,000 schedules that are not due, in
// percent of one core.
func BenchmarkIdle(b *testing.B) {
	benchmarkEachDatabase(b, func(b *testing.B, fx *fixture) {
		b.Helper()
		fx.seed(10, schedulesForBench/10)
		fx.runner(runner.Config{})
		time.Sleep(3 * time.Second)
		for b.Loop() {
			const span = 20 * time.Second
			before := cpu(b)
			time.Sleep(span)
			b.ReportMetric(100*(cpu(b)-before).Seconds()/span.Seconds(), "%core")
		}
	})
}

// BenchmarkDue measures how late 100 of 10,000 schedules that are due at the
// same time begin their runs.
func BenchmarkDue(b *testing.B) {
	benchmarkEachDatabase(b, func(b *testing.B, fx *fixture) {
		b.Helper()
		const due = 100
		fx.seed(due, schedulesForBench/due)
		e := fx.apply()
		fx.runner(runner.Config{})
		time.Sleep(3 * time.Second)
		for b.Loop() {
			at := time.Now().Add(1500 * time.Millisecond)
			fx.sql(`UPDATE jobs SET next_run_at = ? WHERE id LIKE 'job\_auth\_%\_1' ESCAPE '\'`, at.UnixMicro())
			var lags []time.Duration
			eventually(b, "all of them ran", func() bool {
				time.Sleep(200 * time.Millisecond)
				all, err := e.ListRuns(context.Background(), jobs.RunFilter{Statuses: []jobs.Status{jobs.StatusSucceeded}, Since: at.Add(-time.Second), Limit: due})
				if err != nil {
					b.Fatal(err)
				}
				lags = lags[:0]
				for _, r := range all {
					lags = append(lags, r.StartedAt.Sub(*r.PlannedAt))
				}
				return len(all) == due
			})
			slices.Sort(lags)
			b.ReportMetric(lags[due/2].Seconds()*1000, "ms/p50")
			b.ReportMetric(lags[due*99/100].Seconds()*1000, "ms/p99")
		}
	})
}
