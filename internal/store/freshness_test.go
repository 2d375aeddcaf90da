//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"slices"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// A job with a schedule that has just succeeded is left out; one that has not is listed,
// and one with expected_every always, as it may be expected more often.
func TestFreshnessesLeaveOutWhatHasJustSucceeded(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		put := func(name string, schedule bool, change func(*store.JobRow)) store.JobRow {
			j := job(t, db, auth, name)
			if schedule {
				j.Schedule = &jobs.Schedule{Frequency: jobs.Hourly}
			}
			change(&j)
			if err := db.PutJob(t.Context(), j); err != nil {
				t.Fatal(err)
			}
			return j
		}
		nothing := func(*store.JobRow) {}
		succeed := func(j store.JobRow, ago time.Duration) {
			run := queue(t, db, j, "in_1")
			c, _ := claim(t, db, run, "in_1")
			run.Status = jobs.StatusSucceeded
			if err := db.FinishRun(t.Context(), c, run); err != nil {
				t.Fatal(err)
			}
			exec(t, db, `UPDATE runs SET finished_at = finished_at - ? WHERE id = ?`, ago.Microseconds(), run.ID)
		}
		succeed(put("recent", true, nothing), time.Minute)
		succeed(put("old", true, nothing), 3*time.Hour)
		put("never", true, nothing)
		succeed(put("expected", false, func(j *store.JobRow) { j.ExpectedEverySeconds = 60 }), time.Minute)
		put("unscheduled", false, nothing)
		put("paused", true, func(j *store.JobRow) { j.Paused = true })
		all, err := db.Freshnesses(t.Context(), 2*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range all {
			names = append(names, f.Job.Label)
			if never := f.Job.Label == "never"; never != (f.Job.LastSuccessAt == nil) {
				t.Errorf("%s: last success %v", f.Job.Label, f.Job.LastSuccessAt)
			}
		}
		slices.Sort(names)
		if want := []string{"expected", "never", "old"}; !slices.Equal(names, want) {
			t.Errorf("got %v, want %v", names, want)
		}
	})
}

// Of the processes that look for late jobs each minute, one is the first; after that
// minute, the next one.
func TestOneProcessLooksForLateJobs(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		claims := make(chan bool, 8)
		for range cap(claims) {
			go func() {
				claimed, err := db.ClaimStaleCheck(t.Context(), time.Hour)
				if err != nil {
					t.Error(err)
				}
				claims <- claimed
			}()
		}
		n := 0
		for range cap(claims) {
			if <-claims {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d of %d processes look for late jobs, want one", n, cap(claims))
		}
		exec(t, db, `UPDATE store SET stale_checked_at = stale_checked_at - ?`, (2 * time.Hour).Microseconds())
		if claimed, err := db.ClaimStaleCheck(t.Context(), time.Hour); err != nil || !claimed {
			t.Errorf("%t, %v; want another look after an hour", claimed, err)
		}
	})
}
