//nolint:thelper // what is given to onEach are the bodies of tests
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

func TestANewScheduleRunsAtOnceOnTheRunner(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		apply := b.apply()
		auth := b.authorize(apply)
		r, _ := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", atOnce)
		run := b.only(r.API(), j.ID, jobs.StatusSucceeded)
		if run.Reason != jobs.ReasonSchedule || run.PlannedAt == nil || run.Attempt != 1 || run.Runner == "" {
			t.Errorf("%+v", run)
		}
		if j, err := apply.Job(t.Context(), j.ID); err != nil || j.NextRunAt == nil || !j.NextRunAt.After(*run.PlannedAt) {
			t.Errorf("%+v, %v", j, err)
		}
	})
}

// gate is work that goes on when it is let.
type gate struct {
	mu      sync.Mutex
	now     int
	most    int
	entered chan string
	leave   chan struct{}
}

// gated has runs wait at a gate, and gives a process that may queue them.
func (b *fixture) gated() (*gate, *engine.Engine, jobs.Authorization) {
	b.t.Helper()
	g := &gate{entered: make(chan string, 100), leave: make(chan struct{})}
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
	case <-g.leave:
		return nil
	}
}

// next waits for the next run to begin, and gives its job's label.
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

// checklist 48: ten jobs of one warehouse, two at a time. A run that ends wakes
// one that waits: the sweeper, which would find it later, is off.
func TestAFreedPlaceStartsAWaitingRun(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		var ids []string
		for i := range 10 {
			ids = append(ids, b.job(apply, auth.ID, fmt.Sprintf("t%d", i), atOnce).ID)
		}
		r, _ := b.runner(runner.Config{}.WithoutSweeper())
		g.next(t)
		g.next(t)
		for range 8 {
			g.leave <- struct{}{}
			g.next(t)
		}
		close(g.leave)
		for _, id := range ids {
			b.only(r.API(), id, jobs.StatusSucceeded)
		}
		if g.most != 2 {
			t.Errorf("%d runs of one authorization at a time", g.most)
		}
	})
}

// checklist 27
func TestARunIsCancelledByAnotherProcess(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
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
		b.logHas(r.API(), run.ID, "cancelled on request")
	})
}

// Ctrl-C in an apply that follows a run on the runner stops that run.
func TestAnInterruptedApplyCancelsItsRunOnTheRunner(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
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
			t.Errorf("somebody else who followed it got %v", err)
		}
		if now := b.runs(apply, j.ID)[0]; !now.Status.Active() {
			t.Fatalf("somebody else's interrupt ended the run: %+v", now)
		}
		if _, err := apply.WaitRun(ctx, run.ID, nil); !jobs.IsCode(err, jobs.CodeCancelled) {
			t.Errorf("got %v", err)
		}
		b.only(apply, j.ID, jobs.StatusCancelled)
	})
}

// checklist 59: a runner on the store is the only one that executes.
func TestApplyLeavesItsRunToTheRunnerAndTakesItBackWithoutOne(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		_, stop := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", nil)
		eventually(t, "the runner is known", func() bool {
			info, err := apply.Store(t.Context(), false)
			return err == nil && info.RunnerAlive
		})
		run, err := apply.StartRun(t.Context(), j.ID, jobs.ReasonApply)
		if err != nil {
			t.Fatal(err)
		}
		g.next(t)
		if got, err := apply.Run(t.Context(), run.ID); err != nil || got.Runner != "host-2" {
			t.Errorf("executed by %q, %v", got.Runner, err)
		}
		done := make(chan jobs.Run, 1)
		go func() {
			got, err := apply.WaitRun(context.Background(), run.ID, nil)
			if err != nil {
				t.Error(err)
			}
			done <- got
		}()
		// The runner stops, and none is left: the run goes on here.
		stop()
		g.next(t)
		close(g.leave)
		if got := <-done; got.Status != jobs.StatusSucceeded || got.Runner != "host-1" {
			t.Errorf("%+v", got)
		}
	})
}

// A run in progress is neither lost nor failed when its runner stops.
func TestAStoppingRunnerHandsItsRunOver(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		g, apply, auth := b.gated()
		_, stop := b.runner(runner.Config{})
		j := b.job(apply, auth.ID, "customers", atOnce)
		g.next(t)
		other, _ := b.runner(runner.Config{})
		eventually(t, "both runners are known", func() bool { return b.count(`SELECT count(*) FROM instances WHERE kind = 'runner'`) == 2 })
		stop()
		g.next(t)
		close(g.leave)
		run := b.only(other.API(), j.ID, jobs.StatusSucceeded)
		if run.Attempt != 1 {
			t.Errorf("attempt %d", run.Attempt)
		}
		b.logHas(apply, run.ID, "handed over")
	})
}

func TestAFailureThatPassesIsTriedAgainAndOthersAreNot(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
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
		j, never := b.job(apply, auth.ID, "customers", atOnce), b.job(apply, auth.ID, "forbidden", atOnce)
		failed := b.only(r.API(), never.ID, jobs.StatusFailed)
		if failed.Failure.Code != jobs.CodeForbidden || failed.Failure.Attribute != "host" || failed.Failure.Next != "Look at it" || failed.Attempt != 1 {
			t.Errorf("%+v", failed)
		}
		b.logHas(r.API(), failed.ID, "error No answer. It is down. Look at it")
		var waits jobs.Run
		eventually(t, "a run that waits for its second attempt", func() bool {
			waits = b.runs(r.API(), j.ID)[0]
			return waits.Attempt == 2
		})
		if waits.Status != jobs.StatusQueued || waits.NextAttemptAt == nil || waits.NextAttemptAt.Sub(waits.CreatedAt) < 5*time.Second {
			t.Errorf("%+v", waits)
		}
		b.logHas(r.API(), waits.ID, "warn Attempt 1 of 6 failed")
		b.sql(`UPDATE runs SET available_at = 1 WHERE id = ?`, waits.ID)
		if got := b.only(r.API(), j.ID, jobs.StatusSucceeded); got.Attempt != 2 {
			t.Errorf("%+v", got)
		}
	})
}

// checklist 40: missed while no runner was there.
func TestMissedRunsAreCaughtUpOrLeftOutVisibly(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		apply := b.apply()
		auth := b.authorize(apply)
		// Half a day from now, however near midnight that is.
		last := time.Now().UTC().Add(-12 * time.Hour).Truncate(time.Minute)
		with := func(c jobs.CatchUp) func(*jobs.JobSpec) {
			return func(s *jobs.JobSpec) {
				s.Schedule = &jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: last.Format("15:04"), CatchUp: c}
			}
		}
		one, skip := b.job(apply, auth.ID, "one", with("")), b.job(apply, auth.ID, "skip", with(jobs.CatchUpSkip))
		first := last.AddDate(0, 0, -4) // of five that were missed
		b.sql(`UPDATE jobs SET next_run_at = ?`, first.UnixMicro())
		r, _ := b.runner(runner.Config{})
		run := b.only(r.API(), one.ID, jobs.StatusSucceeded)
		if run.Missed != 4 || !run.PlannedAt.Equal(first.AddDate(0, 0, 4)) {
			t.Errorf("%+v", run)
		}
		b.logHas(r.API(), run.ID, "4 planned ones since "+first.Format(time.RFC3339))
		missed := b.only(r.API(), skip.ID, jobs.StatusMissed)
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
	onEach(t, func(t *testing.T, b *fixture) {
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
			t.Fatalf("%d runs before all had succeeded", n)
		}
		start(y.ID)
		if run := b.only(r.API(), after.ID, jobs.StatusSucceeded); run.Reason != jobs.ReasonAfter {
			t.Errorf("%+v", run)
		}
		// Each of them again since its own last run began.
		start(y.ID)
		if n := len(b.runs(r.API(), after.ID)); n != 1 {
			t.Fatalf("%d runs", n)
		}
		if _, err := apply.PauseJob(t.Context(), after.ID, true); err != nil {
			t.Fatal(err)
		}
		start(x.ID)
		if n := len(b.runs(r.API(), after.ID)); n != 1 {
			t.Fatalf("%d runs while paused", n)
		}
		if _, err := apply.PauseJob(t.Context(), after.ID, false); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the run that was held back", func() bool { return len(b.runs(r.API(), after.ID)) == 2 })
		s := x.JobSpec
		s.After = []string{after.ID}
		_, err := apply.UpdateJob(t.Context(), x.ID, s)
		if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Attribute != "after" || !strings.Contains(e.Detail, "after (") && !strings.Contains(e.Detail, "(after)") {
			t.Errorf("a circle: %v", err)
		}
		s.After = []string{"job_nobody"}
		if _, err = apply.UpdateJob(t.Context(), x.ID, s); !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("an unknown job: %v", err)
		}
	})
}
