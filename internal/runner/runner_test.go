//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

func TestStartImmediatelyRunsOnTheRunner(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		apply := b.apply()
		auth := b.authorize(apply)
		r, _ := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", startImmediately)
		run := b.onlyRun(r.API(), j.ID, jobs.StatusSucceeded)
		if run.Reason != jobs.ReasonSchedule || run.PlannedAt == nil || run.Attempt != 1 || run.Runner == "" {
			t.Errorf("%+v", run)
		}
		if j, err := apply.Job(t.Context(), j.ID); err != nil || j.NextRunAt == nil || !j.NextRunAt.After(*run.PlannedAt) {
			t.Errorf("%+v, %v", j, err)
		}
	})
}

// gate is the work of runs that block until the test releases them.
type gate struct {
	mu      sync.Mutex
	now     int
	most    int
	entered chan string
	release chan struct{}
}

// gated makes all runs block at a gate. It returns a process that can queue
// runs.
func (b *fixture) gated() (*gate, *engine.Engine, jobs.Authorization) {
	b.t.Helper()
	g := &gate{entered: make(chan string, 100), release: make(chan struct{})}
	b.work = g.work
	apply := b.apply()
	return g, apply, b.authorize(apply)
}

func (g *gate) work(ctx context.Context, job jobs.Job, _ engine.Progress) error {
	g.mu.Lock()
	g.now++
	g.most = max(g.most, g.now)
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.now--
		g.mu.Unlock()
	}()
	g.entered <- job.Label
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-g.release:
		return nil
	}
}

// next waits for the next run to begin, and returns its job's label.
func (g *gate) next(t *testing.T) string {
	t.Helper()
	var label string
	eventually(t, "a run begins", func() bool {
		select {
		case label = <-g.entered:
			return true
		default:
			return false
		}
	})
	return label
}

// checklist 48: of ten jobs of one warehouse, two run at the same time. A run
// that ends starts a waiting one. The sweeper is off, because it would start
// the waiting run too, only later.
func TestAFinishedRunStartsAWaitingRun(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		var ids []string
		for i := range 10 {
			ids = append(ids, b.job(apply, auth.ID, fmt.Sprintf("t%d", i), startImmediately).ID)
		}
		r, _ := b.runner(runner.Config{}.WithoutSweeper())
		g.next(t)
		g.next(t)
		for range 8 {
			g.release <- struct{}{}
			g.next(t)
		}
		close(g.release)
		for _, id := range ids {
			b.onlyRun(r.API(), id, jobs.StatusSucceeded)
		}
		if g.most != 2 {
			t.Errorf("got %d runs of one authorization at the same time, want 2", g.most)
		}
	})
}

// checklist 27
func TestAnotherProcessCancelsARun(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		r, _ := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", nil)
		run, err := apply.StartRun(t.Context(), j.ID, jobs.ReasonManual)
		if err != nil {
			t.Fatal(err)
		}
		g.next(t)
		second, err := apply.StartRun(t.Context(), j.ID, jobs.ReasonManual)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{second.ID, run.ID} {
			if err := apply.CancelRun(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			got, err := b.apply().WaitRun(t.Context(), id, nil)
			if err != nil || got.Status != jobs.StatusCancelled {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		b.wantLog(r.API(), run.ID, "cancelled on request")
	})
}

// Ctrl-C in an apply cancels the run that the apply started on the runner, and
// no run that it only follows.
func TestAnInterruptedApplyCancelsItsRunOnTheRunner(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", nil)
		run, err := apply.StartRun(t.Context(), j.ID, jobs.ReasonApply)
		if err != nil {
			t.Fatal(err)
		}
		g.next(t)
		ctx, interrupt := context.WithCancel(t.Context())
		interrupt()
		if _, err := b.apply().WaitRun(ctx, run.ID, nil); !jobs.IsCode(err, jobs.CodeCancelled) {
			t.Errorf("interrupted follower: got %v, want code %s", err, jobs.CodeCancelled)
		}
		if now := b.runs(apply, j.ID)[0]; !now.Status.Active() {
			t.Fatalf("the interrupt of a follower ended the run: %+v", now)
		}
		if _, err := apply.WaitRun(ctx, run.ID, nil); !jobs.IsCode(err, jobs.CodeCancelled) {
			t.Errorf("interrupted apply: got %v, want code %s", err, jobs.CodeCancelled)
		}
		b.onlyRun(apply, j.ID, jobs.StatusCancelled)
	})
}

// checklist 59: while a runner is connected to the store, only the runner
// executes runs.
func TestApplyExecutesItsRunWhenTheRunnerStops(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		_, stop := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", nil)
		eventually(t, "the runner is registered", func() bool {
			info, err := apply.Store(t.Context(), false)
			return err == nil && info.RunnerAlive
		})
		run, err := apply.StartRun(t.Context(), j.ID, jobs.ReasonApply)
		if err != nil {
			t.Fatal(err)
		}
		g.next(t)
		if got, err := apply.Run(t.Context(), run.ID); err != nil || got.Runner != "host-2" {
			t.Errorf("got runner %q, %v; want host-2", got.Runner, err)
		}
		done := make(chan jobs.Run, 1)
		go func() {
			got, err := apply.WaitRun(context.Background(), run.ID, nil)
			if err != nil {
				t.Error(err)
			}
			done <- got
		}()
		// After the only runner stopped, this process executes the run.
		stop()
		g.next(t)
		close(g.release)
		if got := <-done; got.Status != jobs.StatusSucceeded || got.Runner != "host-1" {
			t.Errorf("%+v", got)
		}
	})
}

// A runner that stops hands over its run; the run does not fail.
func TestAStoppingRunnerHandsOverItsRun(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		_, stop := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", startImmediately)
		g.next(t)
		other, _ := b.runner(runner.Config{})
		eventually(t, "both runners are registered", func() bool { return b.count(`SELECT count(*) FROM instances WHERE kind = 'runner'`) == 2 })
		stop()
		g.next(t)
		close(g.release)
		run := b.onlyRun(other.API(), j.ID, jobs.StatusSucceeded)
		if run.Attempt != 1 {
			t.Errorf("got attempt %d, want 1", run.Attempt)
		}
		b.wantLog(apply, run.ID, "handed over")
	})
}

func TestOnlyTransientFailuresAreRetried(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		var tries sync.Map
		b.work = func(_ context.Context, job jobs.Job, _ engine.Progress) error {
			if _, again := tries.LoadOrStore(job.Label, true); again {
				return nil
			}
			code := jobs.CodeUnreachable
			if job.Label == "forbidden" {
				code = jobs.CodeForbidden
			}
			return &jobs.Error{Code: code, Attribute: "host", Summary: "No answer", Detail: "It is down", Next: "Look at it"}
		}
		apply := b.apply()
		auth := b.authorize(apply)
		r, _ := b.runner(runner.Config{})
		j, forbidden := b.job(apply, auth.ID, "customers", startImmediately), b.job(apply, auth.ID, "forbidden", startImmediately)
		failed := b.onlyRun(r.API(), forbidden.ID, jobs.StatusFailed)
		if failed.Failure.Code != jobs.CodeForbidden || failed.Failure.Attribute != "host" || failed.Failure.Next != "Look at it" || failed.Attempt != 1 {
			t.Errorf("%+v", failed)
		}
		b.wantLog(r.API(), failed.ID, "error No answer. It is down. Look at it")
		var waits jobs.Run
		eventually(t, "a run that waits for its second attempt", func() bool {
			waits = b.runs(r.API(), j.ID)[0]
			return waits.Attempt == 2
		})
		if waits.Status != jobs.StatusQueued || waits.NextAttemptAt == nil || waits.NextAttemptAt.Sub(waits.CreatedAt) < 5*time.Second {
			t.Errorf("%+v", waits)
		}
		b.wantLog(r.API(), waits.ID, "warn Attempt 1 of 6 failed")
		b.sql(`UPDATE runs SET available_at = 1 WHERE id = ?`, waits.ID)
		if got := b.onlyRun(r.API(), j.ID, jobs.StatusSucceeded); got.Attempt != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// checklist 40: runs that were missed because no runner was connected.
func TestMissedRunsFollowTheCatchUpPolicy(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		apply := b.apply()
		auth := b.authorize(apply)
		// Half a day ago, so that the daily occurrence is past and the next one is
		// not near.
		last := time.Now().UTC().Add(-12 * time.Hour).Truncate(time.Minute)
		with := func(c jobs.CatchUp) func(*jobs.JobSpec) {
			return func(s *jobs.JobSpec) {
				s.Schedule = &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: last.Format("15:04"), CatchUp: c}
			}
		}
		one, skip := b.job(apply, auth.ID, "one", with("")), b.job(apply, auth.ID, "skip", with(jobs.CatchUpSkip))
		first := last.AddDate(0, 0, -4) // the first of five missed occurrences
		b.sql(`UPDATE jobs SET next_run_at = ?`, first.UnixMicro())
		r, _ := b.runner(runner.Config{})
		run := b.onlyRun(r.API(), one.ID, jobs.StatusSucceeded)
		if run.Missed != 4 || !run.PlannedAt.Equal(first.AddDate(0, 0, 4)) {
			t.Errorf("%+v", run)
		}
		b.wantLog(r.API(), run.ID, "4 planned runs since "+first.Format(time.RFC3339))
		missed := b.onlyRun(r.API(), skip.ID, jobs.StatusMissed)
		if missed.Missed != 5 || !strings.Contains(missed.Failure.String(), "5 planned runs, from "+first.Format(time.RFC3339)) {
			t.Errorf("%+v", missed)
		}
		for _, id := range []string{one.ID, skip.ID} {
			if j, err := apply.Job(t.Context(), id); err != nil || j.NextRunAt == nil || !j.NextRunAt.Equal(first.AddDate(0, 0, 5)) {
				t.Errorf("%+v, %v", j, err)
			}
		}
	})
}

func TestAJobRunsAfterOthersHaveSucceeded(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		apply := b.apply()
		auth := b.authorize(apply)
		r, _ := b.runner(runner.Config{})
		x, y := b.job(apply, auth.ID, "x", nil), b.job(apply, auth.ID, "y", nil)
		after := b.job(apply, auth.ID, "after", func(s *jobs.JobSpec) { s.After = []string{x.ID, y.ID} })
		start := func(id string) {
			t.Helper()
			run, err := apply.StartRun(t.Context(), id, jobs.ReasonManual)
			if err != nil {
				t.Fatal(err)
			}
			if run, err = apply.WaitRun(t.Context(), run.ID, nil); err != nil || run.Status != jobs.StatusSucceeded {
				t.Fatalf("%+v, %v", run, err)
			}
		}
		start(x.ID)
		start(x.ID)
		if n := len(b.runs(r.API(), after.ID)); n != 0 {
			t.Fatalf("got %d runs before both upstream jobs had succeeded, want 0", n)
		}
		start(y.ID)
		if run := b.onlyRun(r.API(), after.ID, jobs.StatusSucceeded); run.Reason != jobs.ReasonAfter {
			t.Errorf("%+v", run)
		}
		// Both must succeed again after the job's last run began.
		start(y.ID)
		if n := len(b.runs(r.API(), after.ID)); n != 1 {
			t.Fatalf("got %d runs, want 1", n)
		}
		if _, err := apply.PauseJob(t.Context(), after.ID, true); err != nil {
			t.Fatal(err)
		}
		start(x.ID)
		if n := len(b.runs(r.API(), after.ID)); n != 1 {
			t.Fatalf("got %d runs while paused, want 1", n)
		}
		if _, err := apply.PauseJob(t.Context(), after.ID, false); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the run that the pause delayed", func() bool { return len(b.runs(r.API(), after.ID)) == 2 })
		s := x.JobSpec
		s.After = []string{after.ID}
		_, err := apply.UpdateJob(t.Context(), x.ID, s)
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "after" || !strings.Contains(e.Detail, "after (") && !strings.Contains(e.Detail, "(after)") {
			t.Errorf("a cycle: got %v, want an error at after", err)
		}
		s.After = []string{"job_unknown"}
		if _, err = apply.UpdateJob(t.Context(), x.ID, s); !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("an unknown job: got %v, want code %s", err, jobs.CodeInvalid)
		}
	})
}
