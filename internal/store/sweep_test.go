//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// exec executes a statement on the store's tables.
func exec(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// shared queues a shared run.
func shared(t *testing.T, db *store.DB, j store.JobRow) jobs.Run {
	t.Helper()
	run, err := db.QueueRun(t.Context(), store.NewRun{Job: j.Job, Reason: jobs.ReasonManual})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func TestAWaitingRunIsEnqueuedAfterTheActiveRunsProcessDied(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "a")
		held := queue(t, db, j, "in_dead")
		claim(t, db, held, "in_dead")
		waits := shared(t, db, j)
		if got, wait := claim(t, db, waits, "in_1"); got != nil || wait == "" {
			t.Fatal("a second run of the job was claimed")
		}
		var enqueued []string
		db.SetEnqueue(func(_ context.Context, _ *store.Tx, ids []string) error {
			enqueued = append(enqueued, ids...)
			return nil
		})
		if err := db.WakeWaiting(t.Context(), 2); err != nil || len(enqueued) != 0 {
			t.Fatalf("enqueued %v, %v", enqueued, err)
		}
		expire(t, db, held)
		if ids, err := db.TakeOverLost(t.Context()); err != nil || len(ids) != 1 {
			t.Fatalf("%d, %v", len(ids), err)
		}
		if err := db.WakeWaiting(t.Context(), 2); err != nil || len(enqueued) != 1 || enqueued[0] != waits.ID {
			t.Fatalf("enqueued %v, %v", enqueued, err)
		}
		// The run was enqueued, and the queue lost it.
		if late, err := db.Undelivered(t.Context(), time.Hour, nil); err != nil || len(late) != 0 {
			t.Fatalf("%v, %v", late, err)
		}
		exec(t, db, `UPDATE runs SET dispatched_at = dispatched_at - ?`, (2 * time.Hour).Microseconds())
		busy := time.Now().Add(-150 * time.Minute)
		if late, err := db.Undelivered(t.Context(), time.Hour, &busy); err != nil || len(late) != 0 {
			t.Fatalf("got %v, %v, want no undelivered runs while the queue has older entries", late, err)
		}
		late, err := db.Undelivered(t.Context(), time.Hour, nil)
		if err != nil || len(late) != 1 {
			t.Fatalf("%v, %v", late, err)
		}
		if err := db.Redeliver(t.Context(), late); err != nil || len(enqueued) != 2 {
			t.Fatalf("%v, %v", enqueued, err)
		}
	})
}

func TestOldRunsAreForgottenExceptTheLatestAndTheLatestSuccess(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "a")
		var ids []string
		for _, status := range []jobs.Status{jobs.StatusSucceeded, jobs.StatusFailed, jobs.StatusSucceeded, jobs.StatusFailed, jobs.StatusFailed} {
			run := queue(t, db, j, "in_1")
			c, _ := claim(t, db, run, "in_1")
			run.Status = status
			if err := db.FinishRun(t.Context(), c, run, store.LogEntry{Level: store.LogInfo, Message: "done"}); err != nil {
				t.Fatal(err)
			}
			ids = append(ids, run.ID)
		}
		if err := db.ForgetRuns(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if all, err := db.Runs(t.Context(), jobs.RunFilter{}); err != nil || len(all) != 5 {
			t.Fatalf("%d runs, %v", len(all), err)
		}
		exec(t, db, `UPDATE runs SET finished_at = finished_at - ?`, (2 * time.Hour).Microseconds())
		if err := db.ForgetRuns(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		all, err := db.Runs(t.Context(), jobs.RunFilter{})
		if err != nil || len(all) != 2 || all[0].ID != ids[4] || all[1].ID != ids[2] {
			t.Fatalf("%v, %v", all, err)
		}
		if lines, err := db.RunLog(t.Context(), ids[0]); err != nil || len(lines) != 0 {
			t.Fatalf("%v, %v", lines, err)
		}
	})
}

// Old runs are removed in several transactions; the ones that stay, among them and at
// the bounds of a batch, end at the same times as the removed ones.
func TestManyOldRunsAreForgotten(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		const each, ended = 40, 30
		for i := range ended {
			j := job(t, db, auth, strconv.Itoa(i))
			run := queue(t, db, j, "in_1")
			c, _ := claim(t, db, run, "in_1")
			run.Status = jobs.StatusSucceeded
			if err := db.FinishRun(t.Context(), c, run); err != nil {
				t.Fatal(err)
			}
			// The runs before it are copies, which ended earlier at the times of other jobs' runs.
			exec(t, db, `INSERT INTO runs (id, job_id, authorization_id, status, reason, epoch, created_at, started_at, finished_at)
				WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < CAST(? AS INTEGER))
				SELECT r.id || n.i, r.job_id, r.authorization_id, r.status, r.reason, 1, r.created_at - n.i, n.i, n.i FROM n, runs AS r WHERE r.id = ?`,
				each, run.ID)
			exec(t, db, `UPDATE runs SET finished_at = ? WHERE id = ?`, each+1, run.ID)
		}
		if err := db.ForgetRuns(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		all, err := db.Runs(t.Context(), jobs.RunFilter{Limit: each * ended})
		if err != nil || len(all) != ended {
			t.Fatalf("%d runs, %v; want one of each of %d jobs", len(all), err, ended)
		}
		for _, r := range all {
			if r.FinishedAt.UnixMicro() != each+1 {
				t.Errorf("run %s that ended at %s is left, want the latest one", r.ID, r.FinishedAt)
			}
		}
	})
}

// checklist 37: when several processes claim an occurrence at once, one succeeds.
func TestAnOccurrenceIsClaimedOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "a")
		exec(t, db, `UPDATE jobs SET next_run_at = 1000000 WHERE id = ?`, j.ID)
		plan := func(_ store.JobRow, due, now time.Time) store.Plan {
			next := now.Add(time.Hour)
			return store.Plan{Next: &next, Run: &due}
		}
		taken := make(chan int, 8)
		for range cap(taken) {
			go func() {
				n, err := db.ClaimDue(t.Context(), 10, plan)
				if err != nil {
					t.Error(err)
				}
				taken <- n
			}()
		}
		sum := 0
		for range cap(taken) {
			sum += <-taken
		}
		if all, err := db.Runs(t.Context(), jobs.RunFilter{}); err != nil || len(all) != 1 || sum != 1 {
			t.Fatalf("%d runs, %d claims, %v", len(all), sum, err)
		}
		// An occurrence does not run again after a definition set its time back.
		exec(t, db, `UPDATE jobs SET next_run_at = 1000000 WHERE id = ?`, j.ID)
		if _, err := db.ClaimDue(t.Context(), 10, plan); err != nil {
			t.Fatal(err)
		}
		if all, err := db.Runs(t.Context(), jobs.RunFilter{}); err != nil || len(all) != 1 {
			t.Fatalf("%d runs, %v", len(all), err)
		}
	})
}
