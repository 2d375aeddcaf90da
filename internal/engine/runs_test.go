package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func TestARunIsFollowedThroughItsPhases(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	e := process(t, t.TempDir(), func(ctx context.Context, _ jobs.Job, p engine.Progress) error {
		p.Phase("reading rows", 10)
		p.Advance(3)
		select {
		case <-seen:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	run := start(t, e, createJob(t, e, "customers"), jobs.ReasonApply)
	var told []jobs.Run
	got, err := e.WaitRun(t.Context(), run.ID, func(r jobs.Run) {
		told = append(told, r)
		if r.Phase == "reading rows" {
			close(seen)
		}
	})
	if err != nil || got.Status != jobs.StatusSucceeded {
		t.Fatalf("got %+v, %v; want success", got, err)
	}
	if last := told[len(told)-1]; last.Done != 3 || last.Total != 10 || last.Status != jobs.StatusRunning {
		t.Errorf("got %+v as the last change, want 3 of 10 done", last)
	}
}

func TestACancelledRunEndsAsCancelled(t *testing.T) {
	t.Parallel()
	for name, cancel := range map[string]func(t *testing.T, own, other *engine.Engine, runID string) error{
		"by its process": func(t *testing.T, own, _ *engine.Engine, runID string) error {
			t.Helper()
			return own.CancelRun(t.Context(), runID)
		},
		"by another one": func(t *testing.T, _, other *engine.Engine, runID string) error {
			t.Helper()
			return other.CancelRun(t.Context(), runID)
		},
		"with its job": func(t *testing.T, own, _ *engine.Engine, runID string) error {
			t.Helper()
			return deleteJobOf(t, own, runID)
		},
		"when it is closed": func(t *testing.T, own, _ *engine.Engine, _ string) error { t.Helper(); return own.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, started := t.TempDir(), make(chan string, 1)
			own, other := process(t, dir, blocked(started)), process(t, dir, succeed)
			run := start(t, own, createJob(t, own, "customers"), jobs.ReasonApply)
			<-started
			if err := cancel(t, own, other, run.ID); err != nil {
				t.Fatal(err)
			}
			got, err := other.WaitRun(t.Context(), run.ID, nil)
			if err != nil || got.Status != jobs.StatusCancelled || got.Failure.Code != jobs.CodeCancelled || got.Failure.Next != jobs.RunAgain {
				t.Errorf("got %s, %+v, %v; want cancelled, and what to do next", got.Status, got.Failure, err)
			}
		})
	}
}

func deleteJobOf(t *testing.T, e *engine.Engine, runID string) error {
	t.Helper()
	run, err := e.Run(t.Context(), runID)
	if err != nil {
		return err
	}
	return e.DeleteJob(t.Context(), run.JobID)
}

func TestInterruptedWaitCancelsTheRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cause error
		want  jobs.Code
	}{
		"interrupted": {context.Canceled, jobs.CodeCancelled},
		"timed out":   {context.DeadlineExceeded, jobs.CodeTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, started := t.TempDir(), make(chan string, 1)
			e := process(t, dir, blocked(started))
			run := start(t, e, createJob(t, e, "customers"), jobs.ReasonApply)
			ctx, stop := context.WithCancelCause(t.Context())
			go func() { <-started; stop(c.cause) }()
			got, err := e.WaitRun(ctx, run.ID, nil)
			if !jobs.IsCode(err, c.want) || got.ID != run.ID {
				t.Errorf("got run %s, %v; want %s and code %s", got.ID, err, run.ID, c.want)
			}
			if now, err := e.Run(t.Context(), run.ID); err != nil || now.Status != jobs.StatusCancelled {
				t.Errorf("got %s, %v; want cancelled", now.Status, err)
			}
		})
	}
}

// A job has at most one active run: the second one starts after the first one
// has ended.
func TestASecondRunOfAJobWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	started, release := make(chan string, 2), make(chan struct{})
	e := process(t, t.TempDir(), func(ctx context.Context, job jobs.Job, _ engine.Progress) error {
		started <- job.ID
		select {
		case <-release:
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	job := createJob(t, e, "customers")
	first := start(t, e, job, jobs.ReasonApply)
	<-started
	second := start(t, e, job, jobs.ReasonManual)
	const want = "queued: another run of this job is active"
	eventually(t, func() bool {
		run, err := e.Run(t.Context(), second.ID)
		return err != nil || run.Phase == want
	})
	if len(started) != 0 {
		t.Fatal("the second run started while the first one was active")
	}
	close(release)
	for _, run := range []jobs.Run{first, second} {
		if got, err := e.WaitRun(t.Context(), run.ID, nil); err != nil || got.Status != jobs.StatusSucceeded {
			t.Errorf("got %s, %v; want success", got.Status, err)
		}
	}
}

func TestWaitingRunCanBeCancelled(t *testing.T) {
	t.Parallel()
	dir, started := t.TempDir(), make(chan string, 2)
	e := process(t, dir, blocked(started), func(o *engine.Options) { o.MaxRunsPerAuthorization = 1 })
	first := createJob(t, e, "customers")
	start(t, e, first, jobs.ReasonApply)
	<-started
	other, err := e.CreateJob(t.Context(), importSpec(first.AuthorizationID, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	waiting := start(t, e, other, jobs.ReasonManual)
	eventually(t, func() bool {
		run, err := e.Run(t.Context(), waiting.ID)
		return err != nil || run.Phase == "queued: 1 runs of this authorization are active"
	})
	if err := process(t, dir, succeed).CancelRun(t.Context(), waiting.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := e.WaitRun(t.Context(), waiting.ID, nil); err != nil || got.Status != jobs.StatusCancelled {
		t.Errorf("got %s, %v; want cancelled", got.Status, err)
	}
}

// If the runner that an apply waits for is gone, the apply executes the run
// itself.
func TestAnApplyExecutesItsRunWhenTheRunnerIsGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	runner, _ := serve(t, dir, succeed)
	apply := process(t, dir, succeed)
	run := start(t, apply, createJob(t, apply, "customers"), jobs.ReasonApply)
	if err := runner.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := apply.WaitRun(t.Context(), run.ID, nil)
	if err != nil || got.Status != jobs.StatusSucceeded || got.Runner != "host" {
		t.Errorf("got %+v, %v; want success", got, err)
	}
}

func TestInterruptedApplyCancelsItsRunOnARunner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, db := serve(t, dir, succeed)
	apply := process(t, dir, succeed)
	run := start(t, apply, createJob(t, apply, "customers"), jobs.ReasonApply)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	got, err := apply.WaitRun(ctx, run.ID, nil)
	if !jobs.IsCode(err, jobs.CodeCancelled) || got.ID != run.ID {
		t.Errorf("got run %q, %v; want %s and a cancelled wait", got.ID, err, run.ID)
	}
	if now := stored(t, db, run.ID); now.Status != jobs.StatusCancelled {
		t.Errorf("got %s, want cancelled", now.Status)
	}
}

// checklist 26: the run of an apply that was killed counts as failed.
func TestARunOfADeadProcessHasFailed(t *testing.T) {
	t.Parallel()
	_, db := serve(t, t.TempDir(), succeed)
	dir := db.Dir()
	e := process(t, strings.TrimSuffix(dir, "data"), succeed)
	job := createJob(t, e, "customers")
	run, err := db.QueueRun(t.Context(), store.NewRun{Job: job, Reason: jobs.ReasonApply, Owner: "in_dead", Runner: "host"})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, db, `UPDATE runs SET lease_until = 1 WHERE id = ?`, run.ID)
	got, err := e.WaitRun(t.Context(), run.ID, nil)
	want := jobs.Failure{Code: jobs.CodeFailed, Summary: "The process that executed this run ended before it did", Next: jobs.RunAgain}
	if err != nil || got.Status != jobs.StatusFailed || got.Failure != want {
		t.Errorf("got %s, %+v, %v; want failed, %+v", got.Status, got.Failure, err, want)
	}
}

func TestAClosedEngineRefusesCalls(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	job := createJob(t, e, "customers")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.StartRun(t.Context(), job.ID, jobs.ReasonApply); !jobs.IsCode(err, jobs.CodeStore) {
		t.Errorf("got %v, want code %s", err, jobs.CodeStore)
	}
}

func TestEveryCallRefusesAMissingStore(t *testing.T) {
	t.Parallel()
	e := processWithoutStore(t, t.TempDir(), succeed)
	for what, call := range map[string]func() error{
		"Run":       func() error { _, err := e.Run(t.Context(), "run_1"); return err },
		"ListRuns":  func() error { _, err := e.ListRuns(t.Context(), jobs.RunFilter{}); return err },
		"RunLog":    func() error { _, err := e.RunLog(t.Context(), "run_1"); return err },
		"WaitRun":   func() error { _, err := e.WaitRun(t.Context(), "run_1", nil); return err },
		"StartRun":  func() error { _, err := e.StartRun(t.Context(), "job_1", jobs.ReasonApply); return err },
		"CancelRun": func() error { return e.CancelRun(t.Context(), "run_1") },
		"DryRun":    func() error { _, err := e.DryRun(t.Context(), "job_1", 0); return err },
		"Field":     func() error { _, err := e.Field(t.Context(), "email"); return err },
	} {
		if err := call(); !jobs.IsCode(err, jobs.CodeStore) {
			t.Errorf("%s: got %v, want code %s", what, err, jobs.CodeStore)
		}
	}
}

func TestChangedTimeZoneReplansTheNextRun(t *testing.T) {
	t.Parallel()
	e := process(t, t.TempDir(), succeed)
	s := importSpec(authorize(t, e).ID, "customers")
	s.Schedule = &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "06:30", Timezone: "UTC"}
	job, err := e.CreateJob(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	at := func(j jobs.Job, zone string) string {
		location, err := time.LoadLocation(zone)
		if err != nil || j.NextRunAt == nil {
			t.Fatalf("next run %v in %s: %v", j.NextRunAt, zone, err)
		}
		return j.NextRunAt.In(location).Format("15:04")
	}
	s.Schedule.Timezone = "Asia/Kathmandu"
	moved, err := e.UpdateJob(t.Context(), job.ID, s)
	if err != nil {
		t.Fatal(err)
	}
	if was, is := at(job, "UTC"), at(moved, "Asia/Kathmandu"); was != "06:30" || is != "06:30" {
		t.Errorf("got %s UTC, and after the change %s in Kathmandu; want 06:30 of each", was, is)
	}
	// A change that does not affect the schedule keeps the next run.
	moved.Schedule.StartImmediately = true
	moved.Label = "other"
	same, err := e.UpdateJob(t.Context(), job.ID, moved.JobSpec)
	if err != nil || !same.NextRunAt.Equal(*moved.NextRunAt) {
		t.Errorf("got next run %v, %v; want it unchanged at %v", same.NextRunAt, err, moved.NextRunAt)
	}
}
