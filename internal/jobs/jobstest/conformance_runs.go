package jobstest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 44: the next process adopts the unconfirmed objects of a process
// that was killed, but not those of a process that is alive or was closed.
func adoption(t *testing.T, open Opener) {
	t.Helper()
	first := open()
	made := createImport(t, first, "customers")
	spec := importSpec(made.AuthorizationID, "customers")
	second := open()
	refused(t, "while the first lives", errorOf(second.CreateJob(t.Context(), spec)), jobs.CodeConflict, "table")
	dies, ok := first.(interface{ Die() })
	if !ok {
		return
	}
	dies.Die()
	if got, err := second.CreateJob(t.Context(), spec); err != nil || got.ID != made.ID {
		t.Fatalf("after the first died: got job %q, %v; want %s", got.ID, err, made.ID)
	}
	if auth := authorize(t, second, "customers"); auth.ID != made.AuthorizationID {
		t.Errorf("after the first died: got authorization %q, want %s", auth.ID, made.AuthorizationID)
	}
	// A process that was killed a moment ago looks alive.
	killed := open()
	left := authorize(t, killed, "left behind")
	killed.(interface{ Die() }).Die() //nolint:forcetypeassert // as the first one has it
	if auth := authorize(t, second, "left behind"); auth.ID != left.ID {
		t.Errorf("a moment after its creator died: got authorization %q, want %s", auth.ID, left.ID)
	}
}

// checklist 44
func confirmation(t *testing.T, open Opener) {
	t.Helper()
	first := open()
	made := createImport(t, first, "customers")
	for range 2 {
		if err := first.Confirm(t.Context(), made.ID); err != nil {
			t.Fatal(err)
		}
	}
	if dies, ok := first.(interface{ Die() }); ok {
		dies.Die()
	}
	refused(
		t,
		"a confirmed job of the same key",
		errorOf(open().CreateJob(t.Context(), importSpec(made.AuthorizationID, "customers"))),
		jobs.CodeConflict,
		"table",
	)
}

func followedRun(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	j := createImport(t, a, "customers")
	started, err := a.StartRun(t.Context(), j.ID, jobs.ReasonManual)
	if err != nil || started.JobID != j.ID || started.Reason != jobs.ReasonManual || started.CreatedAt.IsZero() {
		t.Fatalf("started: got %+v, %v", started, err)
	}
	type outcome struct {
		run jobs.Run
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		run, err := a.WaitRun(t.Context(), started.ID, func(jobs.Run) {})
		ended <- outcome{run, err}
	}()
	if err := a.CancelRun(t.Context(), started.ID); err != nil {
		t.Fatal(err)
	}
	got := <-ended
	if run := got.run; got.err != nil || run.ID != started.ID || run.Status.Active() || run.FinishedAt == nil {
		t.Fatalf("ended: got %+v, %v", run, got.err)
	}
	now, err := a.Run(t.Context(), started.ID)
	if d := cmp.Diff(got.run, must(t, "read", now, err)); d != "" {
		t.Errorf("waited for, and read:\n%s", d)
	}
	if j, err := a.Job(t.Context(), j.ID); err != nil || j.LastRun == nil || j.LastRun.ID != started.ID {
		t.Errorf("the job's last run: got %+v, %v; want %s", j.LastRun, err, started.ID)
	}
	if _, err := a.RunLog(t.Context(), started.ID); err != nil {
		t.Error(err)
	}
}

// Ctrl-C of an apply cancels the run that it started.
func interruptedWait(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	started, err := a.StartRun(t.Context(), createImport(t, a, "customers").ID, jobs.ReasonApply)
	if err != nil {
		t.Fatal(err)
	}
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	refused(t, "the interrupted wait", errorOf(a.WaitRun(interrupted, started.ID, nil)), jobs.CodeCancelled, "")
	run, err := a.WaitRun(t.Context(), started.ID, nil)
	if err != nil || run.Status != jobs.StatusCancelled && run.Status != jobs.StatusFailed {
		t.Fatalf("got %+v, %v; want it cancelled, or failed because no warehouse answers", run, err)
	}
}

func listedRuns(t *testing.T, open Opener) {
	t.Helper()
	a := open()
	j := createImport(t, a, "customers")
	var ids []string
	for range 2 {
		started, err := a.StartRun(t.Context(), j.ID, jobs.ReasonManual)
		started = must(t, "start", started, err)
		if err := a.CancelRun(t.Context(), started.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := a.WaitRun(t.Context(), started.ID, nil); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, started.ID)
	}
	last, err := a.Run(t.Context(), ids[1])
	last = must(t, "read", last, err)
	ended := []jobs.Status{jobs.StatusCancelled, jobs.StatusFailed}
	for what, c := range map[string]struct {
		filter jobs.RunFilter
		want   []string
	}{
		"all, the newest first": {jobs.RunFilter{}, []string{ids[1], ids[0]}},
		"of the job":            {jobs.RunFilter{JobID: j.ID, Statuses: ended}, []string{ids[1], ids[0]}},
		"the newest":            {jobs.RunFilter{Limit: 1}, []string{ids[1]}},
		"since the last":        {jobs.RunFilter{Since: last.CreatedAt}, []string{ids[1]}},
		"after the newest":      {jobs.RunFilter{After: ids[1]}, []string{ids[0]}},
		"after the last":        {jobs.RunFilter{After: ids[0]}, nil},
		"of another job":        {jobs.RunFilter{JobID: "job_x"}, nil},
		"of another status":     {jobs.RunFilter{Statuses: []jobs.Status{jobs.StatusMissed}}, nil},
	} {
		list, err := a.ListRuns(t.Context(), c.filter)
		var got []string
		for _, r := range list {
			got = append(got, r.ID)
		}
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v, want and got:\n%s", what, err, d)
		}
	}
	refused(t, "after a run that is not there", errorOf(a.ListRuns(t.Context(), jobs.RunFilter{After: "run_x"})), jobs.CodeInvalid, "after")
}
