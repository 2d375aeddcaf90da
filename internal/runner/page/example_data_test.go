package page_test

import (
	"math/rand/v2"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func tableImport(label, table string, s *jobs.Schedule) jobs.Job {
	return jobs.Job{JobSpec: jobs.JobSpec{
		Label: label, AuthorizationID: "auth_7f3a", QueryTimeout: time.Hour, Schedule: s,
		Import: &jobs.TableImport{Catalog: "main", Database: "sales", Table: table, TimestampColumn: "updated_at", Stream: table},
	}}
}

func audienceExport(label, slug string, s *jobs.Schedule) jobs.Job {
	return jobs.Job{JobSpec: jobs.JobSpec{
		Label: label, AuthorizationID: "auth_7f3a", QueryTimeout: time.Hour, Schedule: s,
		Export: &jobs.AudienceExport{AudienceID: slug, Catalog: "main", Database: "marketing", TableName: jobs.ExportTable(slug)},
	}}
}

// exampleProduct has jobs in every state: most succeeded, one failed because of
// a missing permission, one is late, one is running.
type exampleProduct struct {
	*product
	failed, running, ok, paused, late string
	failedRun, runningRun             string
}

var noPermission = jobs.Failure{
	Code: jobs.CodeForbidden, Summary: "The import of main.sales.refunds failed: the warehouse refused the query",
	Detail: "User `etl@example.com` does not have SELECT on table main.sales.refunds (SQLSTATE 42501).",
	Next:   "Grant it: GRANT SELECT ON TABLE main.sales.refunds TO `etl@example.com`; then run the job again",
}

func newExampleProduct(now time.Time) *exampleProduct {
	b := &exampleProduct{product: newProduct()}
	hourly := &jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:15"}
	daily := &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "06:30", Timezone: "Europe/Berlin"}
	chance := rand.New(rand.NewPCG(3, 9))
	schedule := func(j jobs.Job, in time.Duration) string {
		at := now.Add(in)
		j.NextRunAt = &at
		return b.add(j)
	}
	past := func(id string, runs int, every time.Duration, rows int64, odd map[int]jobs.Status) {
		for i := range runs {
			n := rows/2 + chance.Int64N(rows)
			long := time.Duration(4+n/90_000)*time.Second + time.Duration(chance.Int64N(3000))*time.Millisecond
			if i == 0 {
				n, long = rows*140, 11*time.Minute // the first run reads everything
			}
			b.addRun(id, now.Add(-time.Duration(runs-i)*every+4*time.Minute), long, n, func(r *jobs.Run) {
				st, ok := odd[runs-1-i]
				if !ok {
					return
				}
				r.Status, r.RowsWritten = st, n/4
				switch st {
				case jobs.StatusFailed:
					r.Failure, r.Attempt = noPermission, 3
				case jobs.StatusMissed:
					r.PlannedAt, r.StartedAt, r.RowsWritten = r.StartedAt, nil, 0
				}
			})
		}
	}

	b.failed = schedule(tableImport("refunds", "refunds", hourly), 23*time.Minute)
	past(b.failed, 46, time.Hour, 8_000, map[int]jobs.Status{0: jobs.StatusFailed, 1: jobs.StatusFailed, 17: jobs.StatusMissed, 18: jobs.StatusMissed, 29: jobs.StatusCancelled})
	b.failedRun = b.lastRun(b.failed).ID
	at := now.Add(-58 * time.Minute)
	b.log(b.failedRun, at, "info", "attempt 3 of 3")
	b.log(b.failedRun, at.Add(2*time.Second), "info", "connected to warehouse 8fd1c2 in 1.8 s")
	b.log(b.failedRun, at.Add(3*time.Second), "warn", "the table main.sales.refunds has no row tracking; rows of one timestamp are told apart by a digest")
	b.log(b.failedRun, at.Add(4*time.Second), "error", "the warehouse refused the query: User `etl@example.com` does not have SELECT on table main.sales.refunds (SQLSTATE 42501)")

	b.running = schedule(tableImport("orders", "orders", hourly), 51*time.Minute)
	past(b.running, 38, time.Hour, 420_000, map[int]jobs.Status{11: jobs.StatusFailed})
	b.runningRun = b.addRun(b.running, now.Add(-95*time.Second), 0, 0, func(r *jobs.Run) {
		r.Status, r.FinishedAt, r.Phase, r.Watermark = jobs.StatusRunning, nil, "importing rows", nil
		r.Progress = jobs.Progress{Done: 1_184_200, Total: 2_960_000}
		r.RowsRead, r.RowsWritten, r.Bytes = 1_190_000, 1_184_200, 488_000_000
	})
	for i, line := range []string{"connected to warehouse 8fd1c2 in 0.9 s", "pinned version 813 of main.sales.orders", "2,960,000 rows to import after 2026-11-22 08:00:00", "committed 500,000 events", "committed 1,000,000 events"} {
		b.log(b.runningRun, now.Add(time.Duration(i*12-92)*time.Second), "info", "%s", line)
	}

	b.late = schedule(audienceExport("win-back to marketing", "win_back", daily), -3*time.Hour)
	past(b.late, 9, 24*time.Hour, 64_000, nil)
	b.ok = schedule(tableImport("customers", "customers", hourly), 12*time.Minute)
	past(b.ok, 60, time.Hour, 21_000, map[int]jobs.Status{33: jobs.StatusFailed})
	for _, x := range []struct {
		label, table string
		rows         int64
	}{{"web sessions", "web_sessions", 900_000}, {"newsletter clicks", "newsletter_clicks", 30_000}, {"returns", "returns", 1_200}, {"product views", "product_views", 2_400_000}, {"store visits", "store_visits", 55_000}} {
		past(schedule(tableImport(x.label, x.table, hourly), time.Duration(8+chance.IntN(50))*time.Minute), 30, time.Hour, x.rows, nil)
	}
	past(schedule(audienceExport("loyal customers to marketing", "loyal_customers", daily), 16*time.Hour), 14, 24*time.Hour, 120_000, nil)
	after := audienceExport("churn risk to marketing", "churn_risk", nil)
	after.After = []string{b.ok, b.running}
	past(b.add(after), 20, 6*time.Hour, 9_000, nil)
	paused := tableImport("legacy tickets", "legacy_tickets", daily)
	paused.Paused, paused.Description = true, "Support tickets of the old system, until it is switched off."
	b.paused = b.add(paused)
	past(b.paused, 12, 24*time.Hour, 700, nil)
	b.add(tableImport("gift cards, first load", "gift_cards", nil))
	b.store.Audit = []jobs.AuditEntry{
		{ID: 2, At: now, Actor: "ci <b>", Role: jobs.RoleOperate, Via: jobs.ViaAPI, Address: "192.0.2.7", Action: "pause-job",
			Object: b.ok, Label: "orders", Result: jobs.AuditOK},
		{ID: 1, At: now, Actor: "schedule", Via: jobs.ViaSchedule, Action: "start-run", Object: b.ok, RunID: b.failedRun, Result: "store"},
	}
	return b
}
