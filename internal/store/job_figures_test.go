//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// ended executes a run of a job that ends with a status and a number of rows.
func ended(t *testing.T, db *store.DB, j store.JobRow, status jobs.Status, rows int64) {
	t.Helper()
	run := queue(t, db, j, "in_1")
	c, _ := claim(t, db, run, "in_1")
	run.Status, run.RowsRead = status, rows
	if err := db.FinishRun(t.Context(), c, run); err != nil {
		t.Fatal(err)
	}
	// The clock of the database has microseconds, and the runs must differ.
	if err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE runs SET created_at = created_at - 1000, started_at = started_at - 1000,
			finished_at = finished_at - 1000 WHERE job_id = ?`, j.ID)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestJobFiguresAreThoseOfTheOldestJobs(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		first, never, last := job(t, db, auth, "first"), job(t, db, auth, "never ran"), job(t, db, auth, "last")
		for i, j := range []store.JobRow{first, never, last} {
			if err := db.Write(t.Context(), func(tx *store.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE jobs SET created_at = ? WHERE id = ?`, i+1, j.ID)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		ended(t, db, first, jobs.StatusFailed, 1)
		ended(t, db, first, jobs.StatusSucceeded, 2)
		ended(t, db, first, jobs.StatusFailed, 3)
		ended(t, db, first, jobs.StatusCancelled, 4)
		ended(t, db, first, jobs.StatusFailed, 5)
		ended(t, db, last, jobs.StatusFailed, 6)
		queue(t, db, first, "in_1")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			// A cursor of another job whose key begins with this one's.
			for key, document := range map[string]string{first.Key + "|lytics|7": "mine", first.Key + "2": "another's"} {
				if err := store.PutCursorDocument(t.Context(), tx, key, []byte(document)); err != nil {
					return err
				}
			}
			of := store.RejectedRun{ImportKey: first.Key, JobID: first.ID, RunID: "run_1", Stream: "s"}
			_, err := store.AddQuarantined(t.Context(), tx, of,
				[]jobs.RejectedEvent{{Event: jobs.Event{ID: "e0"}, Reason: "why"}, {Event: jobs.Event{ID: "e1"}, Reason: "why"}}, 10, nil)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		type figures struct {
			ID, Cursor            string
			Succeeded             bool
			Rows                  int64
			Failures, Quarantined int64
		}
		read := func(limit int) (got []figures) {
			all, err := db.JobFigures(t.Context(), limit)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range all {
				g := figures{ID: f.Job.ID, Cursor: string(f.Cursor), Succeeded: f.LastSuccess != nil, Failures: f.Failures, Quarantined: f.Quarantined}
				if f.Ended != nil {
					g.Rows = f.Ended.RowsRead
					if d := f.Ended.FinishedAt.Sub(*f.Ended.StartedAt); d < 0 || d > time.Hour {
						t.Errorf("the run of job %s took %s", f.Job.Label, d)
					}
				}
				got = append(got, g)
			}
			return got
		}
		want := []figures{
			{ID: first.ID, Cursor: "mine", Succeeded: true, Rows: 5, Failures: 2, Quarantined: 2},
			{ID: never.ID},
			{ID: last.ID, Rows: 6, Failures: 1},
		}
		if diff := cmp.Diff(want, read(3)); diff != "" {
			t.Errorf("want -, got +:\n%s", diff)
		}
		if diff := cmp.Diff(want[:2], read(2)); diff != "" {
			t.Errorf("with a limit, want -, got +:\n%s", diff)
		}
	})
}
