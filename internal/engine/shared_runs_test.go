package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func TestARunnerExecutesTheRunsThatTerraformStarts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner, db := serve(t, dir, func(_ context.Context, _ jobs.Job, p engine.Progress) error {
		p.Phase("reading rows", 2)
		p.Advance(2)
		p.Count(func(c *jobs.Counts) { c.RowsRead, c.RowsNull = 2, 1 })
		return nil
	})
	apply := process(t, dir, succeed)
	job := createJob(t, apply, "customers")
	run := start(t, apply, job, jobs.ReasonApply)
	if run.Status != jobs.StatusQueued || run.Runner != "" {
		t.Fatalf("got %+v, want a queued run of no process", run)
	}
	var begun jobs.Run
	done, executed, err := runner.ExecuteRun(t.Context(), run.ID, func(r jobs.Run) { begun = r })
	if err != nil || !executed || done.Status != jobs.StatusSucceeded {
		t.Fatalf("got %+v, executed %t, %v; want a run that succeeded", done, executed, err)
	}
	if begun.ID != run.ID || begun.Status != jobs.StatusWaiting || begun.StartedAt == nil || begun.Runner != "host" {
		t.Errorf("got %+v at the start, want the running run", begun)
	}
	got, err := apply.WaitRun(t.Context(), run.ID, nil)
	if err != nil || got.Status != jobs.StatusSucceeded || got.RowsRead != 2 || got.Done != 2 {
		t.Errorf("got %+v, %v; want the run that succeeded, with its counts", got, err)
	}
	log, err := apply.RunLog(t.Context(), run.ID)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range log {
		lines = append(lines, l.Level+" "+l.Message)
	}
	if text := strings.Join(lines, "\n"); !strings.Contains(text, "info reading rows") || !strings.Contains(text, "warn 1 rows have no timestamp") || !strings.Contains(text, "info succeeded") {
		t.Errorf("got the log %q, want its phase, its warning and its end", text)
	}
	// An ended run is not executed again.
	if _, executed, err := runner.ExecuteRun(t.Context(), run.ID, nil); executed || err != nil {
		t.Errorf("second execution: got %t, %v; want false and no error", executed, err)
	}
	if runner.Active() != 0 || runner.Instance() == apply.Instance() || runner.MaxRunsPerAuthorization() != engine.DefaultMaxRunsPerAuthorization {
		t.Errorf("got %d active runs, instances %s and %s, limit %d", runner.Active(), runner.Instance(), apply.Instance(), runner.MaxRunsPerAuthorization())
	}
	if info, err := apply.Store(t.Context(), false); err != nil || !info.RunnerAlive || info.ID != db.ID() {
		t.Errorf("got %+v, %v; want store %s with a connected runner", info, err, db.ID())
	}
}

func TestRunnerRetriesATransientFailure(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int64
	runner, db := serve(t, t.TempDir(), func(context.Context, jobs.Job, engine.Progress) error {
		if attempts.Add(1) == 1 {
			return &jobs.Error{Code: jobs.CodeUnreachable, Summary: "The warehouse does not answer"}
		}
		return nil
	})
	run := start(t, runner, createJob(t, runner, "customers"), jobs.ReasonSchedule)
	if got := execute(t, runner, run.ID); got.Status != jobs.StatusQueued || !got.Failure.IsZero() {
		t.Fatalf("after a transient failure: got %s, %s; want a queued run without a failure", got.Status, got.Failure)
	}
	got := stored(t, db, run.ID)
	if got.Status != jobs.StatusQueued || got.Attempt != 2 || got.NextAttemptAt == nil {
		t.Fatalf("got %+v, want a queued attempt 2", got)
	}
	if _, executed, err := runner.ExecuteRun(t.Context(), run.ID, nil); executed || err != nil {
		t.Errorf("before its time: got executed %t, %v; want false and no error", executed, err)
	}
	exec(t, db, `UPDATE runs SET available_at = 0 WHERE id = ?`, run.ID)
	if got := execute(t, runner, run.ID); got.Status != jobs.StatusSucceeded || got.Attempt != 2 {
		t.Errorf("got %s at attempt %d, want success at attempt 2", got.Status, got.Attempt)
	}
}

func TestTheLastAttemptOfATransientFailureFails(t *testing.T) {
	t.Parallel()
	runner, db := serve(t, t.TempDir(), func(context.Context, jobs.Job, engine.Progress) error {
		return &jobs.Error{Code: jobs.CodeUnreachable, Summary: "The warehouse does not answer", Next: "Start it"}
	})
	run := start(t, runner, createJob(t, runner, "customers"), jobs.ReasonSchedule)
	var got jobs.Run
	for got = run; got.Status == jobs.StatusQueued; {
		exec(t, db, `UPDATE runs SET available_at = 0 WHERE id = ?`, run.ID)
		got = execute(t, runner, run.ID)
	}
	if got.Status != jobs.StatusFailed || got.Attempt != 6 || got.Failure.Code != jobs.CodeUnreachable || got.Failure.Next != "Start it" {
		t.Errorf("got %s at attempt %d with %+v, want a failure at attempt 6", got.Status, got.Attempt, got.Failure)
	}
}

// An error of the definition is not retried, because it is permanent. A run of
// an apply is not retried, because Terraform waits for it and shows the
// failure.
func TestFailuresThatAreNotRetried(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reason jobs.Reason
		err    error
		want   jobs.Failure
	}{
		"a missing permission": {jobs.ReasonSchedule, &jobs.Error{Code: jobs.CodeForbidden, Summary: "No right", Attribute: "host"},
			jobs.Failure{Code: jobs.CodeForbidden, Summary: "No right", Attribute: "host"}},
		"a run of an apply": {jobs.ReasonApply, &jobs.Error{Code: jobs.CodeUnreachable, Summary: "No answer"},
			jobs.Failure{Code: jobs.CodeUnreachable, Summary: "No answer"}},
		"an error without parts": {jobs.ReasonManual, errors.New("no rows today"), jobs.Failure{Code: jobs.CodeFailed, Summary: "no rows today"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runner, db := serve(t, t.TempDir(), func(context.Context, jobs.Job, engine.Progress) error { return c.err })
			run := start(t, runner, createJob(t, runner, "customers"), c.reason)
			execute(t, runner, run.ID)
			if got := stored(t, db, run.ID); got.Status != jobs.StatusFailed || got.Failure != c.want || got.Attempt != 1 {
				t.Errorf("got %s, %+v, attempt %d; want failed, %+v, attempt 1", got.Status, got.Failure, got.Attempt, c.want)
			}
		})
	}
}

func TestStoppingRunnerHandsOverItsRun(t *testing.T) {
	t.Parallel()
	dir, started := t.TempDir(), make(chan string, 1)
	runner, db := serve(t, dir, blocked(started))
	run := start(t, runner, createJob(t, runner, "customers"), jobs.ReasonSchedule)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() { <-started; stop() }()
	got, executed, err := runner.ExecuteRun(ctx, run.ID, func(jobs.Run) {})
	if err != nil || !executed || got.Status != jobs.StatusQueued {
		t.Fatalf("got %s, executed %t, %v; want a run that is queued again", got.Status, executed, err)
	}
	// The attempt does not count as failed, and another runner can execute the
	// run at once.
	other, _ := serve(t, dir, succeed)
	if got := execute(t, other, run.ID); got.Status != jobs.StatusSucceeded || got.Attempt != 1 {
		t.Errorf("got %s at attempt %d, want success at attempt 1", got.Status, got.Attempt)
	}
	log, err := db.RunLog(t.Context(), run.ID)
	if err != nil || !slices.ContainsFunc(log, func(l jobs.LogLine) bool { return strings.Contains(l.Message, "handed over") }) {
		t.Errorf("got the log %v, %v; want a line about the handover", log, err)
	}
}

func TestLostRunIsStopped(t *testing.T) {
	t.Parallel()
	var db *store.DB
	runner, db := serve(t, t.TempDir(), func(ctx context.Context, _ jobs.Job, p engine.Progress) error {
		exec(t, db, `UPDATE runs SET epoch = epoch + 1, owner = 'in_other'`)
		p.Phase("reading rows", 0) // the next heartbeat writes the phase, and finds that the run is lost
		<-ctx.Done()
		return ctx.Err()
	})
	run := start(t, runner, createJob(t, runner, "customers"), jobs.ReasonSchedule)
	got, executed, err := runner.ExecuteRun(t.Context(), run.ID, func(jobs.Run) {})
	if !errors.Is(err, store.ErrFenced) || !executed || got.Status != jobs.StatusFailed || got.Failure.Summary != "This process lost the run" {
		t.Errorf("got %s, %+v, executed %t, %v; want a lost run", got.Status, got.Failure, executed, err)
	}
	if now := stored(t, db, run.ID); now.Status != jobs.StatusWaiting {
		t.Errorf("got %s in the store, want the status that the other process wrote", now.Status)
	}
}

func TestRunOfADeletedJobFails(t *testing.T) {
	t.Parallel()
	runner, db := serve(t, t.TempDir(), succeed)
	run := start(t, runner, createJob(t, runner, "customers"), jobs.ReasonSchedule)
	exec(t, db, `DELETE FROM jobs`)
	if got := execute(t, runner, run.ID); got.Status != jobs.StatusFailed || got.Failure.Code != jobs.CodeNotFound {
		t.Errorf("got %s, %+v; want a failure, because the job is not found", got.Status, got.Failure)
	}
}

func TestUsedEngineCannotServe(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	authorize(t, e)
	if _, err := e.Serve(t.Context()); err == nil {
		t.Error("got no error")
	}
}

// A runner tracks the presence of its clients.
func TestPresenceOfClients(t *testing.T) {
	t.Parallel()
	runner, db := serve(t, t.TempDir(), succeed)
	if err := runner.Beat(t.Context(), "in_client"); err != nil {
		t.Fatal(err)
	}
	if alive, err := db.Alive(t.Context(), "in_client"); err != nil || !alive {
		t.Errorf("after a beat: got alive %t, %v; want true", alive, err)
	}
	if err := runner.Retire(t.Context(), "in_client", nil); err != nil {
		t.Fatal(err)
	}
	if alive, err := db.Alive(t.Context(), "in_client"); err != nil || alive {
		t.Errorf("after it retired: got alive %t, %v; want false", alive, err)
	}
}
