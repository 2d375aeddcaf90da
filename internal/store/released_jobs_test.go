//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Checklist 70: nothing shows or runs a released job, and its runs stay.
func TestAReleasedJobIsNeitherShownNorRun(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		auth := authorization(t, db)
		up := job(t, db, auth.ID, "upstream")
		j := job(t, db, auth.ID, "released")
		j.After = []string{up.ID}
		if err := db.PutJob(ctx, j); err != nil {
			t.Fatal(err)
		}
		exec(t, db, `UPDATE jobs SET next_run_at = 1000000 WHERE id = ?`, j.ID)
		own := shared(t, db, j)
		c, _ := claim(t, db, shared(t, db, up), "in_1")
		if err := db.FinishRun(ctx, c, jobs.Run{Status: jobs.StatusSucceeded}); err != nil {
			t.Fatal(err)
		}
		if err := db.DeleteJob(ctx, j.ID); err != nil {
			t.Fatal(err)
		}

		if cancelled, err := db.CancelRequested(ctx, own.ID); err != nil || !cancelled {
			t.Errorf("the run of the job is told to stop: %t, %v", cancelled, err)
		}
		if _, err := db.JobByKey(ctx, j.Key); !jobs.IsCode(err, jobs.CodeNotFound) {
			t.Errorf("the job of the key: %v", err)
		}
		if f, err := db.Figures(ctx); err != nil || f.Jobs != 1 || f.DueLag != 0 {
			t.Errorf("the figures are %+v, %v; want one job, and none due", f, err)
		}
		if last, err := db.LastRuns(ctx); err != nil || last[j.ID] != nil {
			t.Errorf("the last runs are %v, %v", last, err)
		}
		due, _, err := db.Due(ctx)
		n, claimErr := db.ClaimDue(ctx, 10, func(store.JobRow, time.Time, time.Time) store.Plan { return store.Plan{} })
		queued, followErr := db.QueueFollowers(ctx)
		if err := errors.Join(err, claimErr, followErr); err != nil || due != nil || n != 0 || queued != 0 {
			t.Errorf("due %v, claimed %d, queued %d, %v; want nothing to run", due, n, queued, err)
		}
		runs, err := db.Runs(ctx, jobs.RunFilter{JobID: j.ID})
		if err != nil || len(runs) != 1 {
			t.Errorf("the runs are %v, %v; want the one that was there", runs, err)
		}
		if id, err := db.ReleasedJob(ctx, j.Key); err != nil || id != j.ID {
			t.Errorf("the released job is %q, %v; want %s", id, err, j.ID)
		}
		if err := db.DeleteAuthorization(ctx, auth.ID); !jobs.IsCode(err, jobs.CodeInUse) {
			t.Errorf("the authorization of the other job: %v", err)
		}
	})
}

// Of several processes that take a released job back at once, one succeeds.
func TestAReleasedJobIsTakenBackOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		j := job(t, db, authorization(t, db).ID, "a")
		before, err := db.Job(t.Context(), j.ID)
		if err := errors.Join(err, db.DeleteJob(t.Context(), j.ID)); err != nil {
			t.Fatal(err)
		}
		results := make(chan error, 8)
		for range cap(results) {
			go func() { results <- db.CreateJob(t.Context(), j, nil) }()
		}
		made := 0
		for range cap(results) {
			switch err := <-results; {
			case err == nil:
				made++
			case !jobs.IsCode(err, jobs.CodeConflict):
				t.Error(err)
			}
		}
		after, err := db.Job(t.Context(), j.ID)
		after.UpdatedAt = before.UpdatedAt
		if d := cmp.Diff(before, after); made != 1 || err != nil || d != "" {
			t.Errorf("%d were made, %v; the job (-want +got):\n%s", made, err, d)
		}
		if id, err := db.ReleasedJob(t.Context(), j.Key); err != nil || id != "" {
			t.Errorf("still released: %q, %v", id, err)
		}
	})
}

// A released job and its runs are forgotten after the time for which runs are kept.
func TestReleasedJobsAreForgotten(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		auth := authorization(t, db)
		for _, name := range []string{"old", "young", "present"} {
			j := job(t, db, auth.ID, name)
			c, _ := claim(t, db, shared(t, db, j), "in_1")
			if err := db.FinishRun(ctx, c, jobs.Run{Status: jobs.StatusSucceeded}); err != nil {
				t.Fatal(err)
			}
			if name == "present" {
				continue
			}
			if err := db.DeleteJob(ctx, j.ID); err != nil {
				t.Fatal(err)
			}
			if name == "old" {
				exec(t, db, `UPDATE released_jobs SET released_at = released_at - ?`, (2 * time.Hour).Microseconds())
			}
		}
		exec(t, db, `UPDATE runs SET finished_at = finished_at - ?`, (3 * time.Hour).Microseconds())
		if err := db.ForgetRuns(ctx, time.Hour); err != nil {
			t.Fatal(err)
		}
		if runs, err := db.Runs(ctx, jobs.RunFilter{}); err != nil || len(runs) != 2 {
			t.Errorf("%d runs are left, %v; want those of the released and of the present job", len(runs), err)
		}
		for name, want := range map[string]bool{"old": false, "young": true} {
			j := store.JobRow{Job: jobs.Job{JobSpec: jobs.JobSpec{Import: &jobs.TableImport{
				Catalog: "main", Database: "sales", Table: name, TimestampColumn: "ts", Stream: "s"}}}}
			if id, err := db.ReleasedJob(ctx, jobs.Key("host", j.JobSpec)); err != nil || (id != "") != want {
				t.Errorf("the job %s: %q, %v; want it kept: %t", name, id, err, want)
			}
		}
	})
}
