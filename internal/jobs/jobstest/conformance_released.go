package jobstest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Checklist 70: a replacement is one in name only. The job of the same key has the id
// of the deleted one, the time of its creation and its runs.
func releasedJob(t *testing.T, open Opener) {
	t.Helper()
	ctx := t.Context()
	a := open()
	if err := a.CheckCreateJob(ctx, importSpec("auth_x", "customers")); jobs.IsCode(err, jobs.CodeConflict) {
		t.Errorf("before there is a job: %v", err)
	}
	made := createImport(t, a, "customers")
	spec := importSpec(made.AuthorizationID, "customers")
	if err := a.CheckCreateJob(ctx, spec); err != nil {
		t.Errorf("a job that no state file holds: got %v, want that the create decides", err)
	}
	if err := a.Confirm(ctx, made.ID); err != nil {
		t.Fatal(err)
	}
	err := a.CheckCreateJob(ctx, spec)
	refused(t, "a job that a state file holds", err, jobs.CodeConflict, "table")
	if err == nil || !strings.Contains(err.Error(), made.ID) {
		t.Errorf("the error does not name job %s: %v", made.ID, err)
	}
	run, err := a.StartRun(ctx, made.ID, jobs.ReasonApply)
	run = must(t, "start", run, err)
	if err := a.CancelRun(ctx, run.ID); err != nil {
		t.Fatal(err)
	}
	run, err = a.WaitRun(ctx, run.ID, nil)
	run = must(t, "wait", run, err)
	if err := a.DeleteJob(ctx, made.ID); err != nil {
		t.Fatal(err)
	}

	refused(t, "read after it was deleted", errorOf(a.Job(ctx, made.ID)), jobs.CodeNotFound, "")
	refused(t, "run after it was deleted", errorOf(a.StartRun(ctx, made.ID, jobs.ReasonManual)), jobs.CodeNotFound, "")
	refused(t, "confirmed after it was deleted", a.Confirm(ctx, made.ID), jobs.CodeNotFound, "")
	if all, err := a.Jobs(ctx); err != nil || len(all) != 0 {
		t.Errorf("the list after it was deleted: got %+v, %v; want no job", all, err)
	}
	if err := a.CheckCreateJob(ctx, spec); err != nil {
		t.Errorf("after it was deleted: %v", err)
	}
	if other := createImport(t, a, "orders"); other.ID == made.ID {
		t.Errorf("a job of another key has the id %s too", made.ID)
	}

	b := open()
	again, err := b.CreateJob(ctx, spec)
	again = must(t, "create again", again, err)
	if again.ID != made.ID || !again.CreatedAt.Equal(made.CreatedAt) || again.LastRun == nil || again.LastRun.ID != run.ID {
		t.Errorf("created again: got %+v, want id %s, created at %s, with run %s", again, made.ID, made.CreatedAt, run.ID)
	}
	runs, err := b.ListRuns(ctx, jobs.RunFilter{JobID: made.ID})
	if d := cmp.Diff([]jobs.Run{run}, must(t, "list runs", runs, err)); d != "" {
		t.Errorf("the runs (-want +got):\n%s", d)
	}
	refused(t, "a second job of the key", errorOf(b.CreateJob(ctx, spec)), jobs.CodeConflict, "table")
}
