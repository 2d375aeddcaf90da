package runner

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// calendar is a fake store with one schedule. Its clock is the clock of the
// test.
type calendar struct {
	mu    sync.Mutex
	job   store.JobRow
	plans []store.Plan
	begun []time.Time
	looks int
	fail  error
}

func (c *calendar) Due(context.Context) (schedule, run *time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.looks++
	if c.fail != nil {
		return nil, nil, c.fail
	}
	if c.job.NextRunAt == nil {
		return nil, nil, nil
	}
	wait := time.Until(*c.job.NextRunAt)
	return &wait, nil, nil
}

func (c *calendar) ClaimDue(_ context.Context, _ int, plan func(store.JobRow, time.Time, time.Time) store.Plan) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := plan(c.job, *c.job.NextRunAt, time.Now())
	c.job.NextRunAt = p.Next
	c.plans, c.begun = append(c.plans, p), append(c.begun, time.Now())
	return 1, nil
}

func (c *calendar) DispatchReady(context.Context, int) (int, error) { return 0, nil }

func (c *calendar) QueueFollowers(context.Context) (int, error) { return 0, nil }

func (c *calendar) set(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}

// runScheduler runs a scheduler on a calendar, in the fake time of synctest.
func runScheduler(t *testing.T, s jobs.Schedule, f func(t *testing.T, c *calendar, sched *scheduler)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		next := time.Now().Add(30 * time.Minute)
		c := &calendar{job: store.JobRow{Job: jobs.Job{NextRunAt: &next, JobSpec: jobs.JobSpec{Schedule: &s}}}}
		r := &Runner{engine: engine.New(engine.Options{Name: "test"})}
		sched := newScheduler(c, log, newMetrics(r))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- sched.run(ctx) }()
		f(t, c, sched)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// checklist 36: an hourly schedule starts 24 runs in a day, each exactly at its
// minute.
func TestSchedulerStartsRunsWhenDue(t *testing.T) {
	t.Parallel()
	runScheduler(t, jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:30"}, func(t *testing.T, c *calendar, _ *scheduler) {
		t.Helper()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		c.set(func() {
			if len(c.begun) != 24 {
				t.Fatalf("got %d runs in a day, want 24", len(c.begun))
			}
			for i, at := range c.begun {
				if at.Minute() != 30 || at.Second() != 0 || at.Nanosecond() != 0 || c.plans[i].Missed != 0 || !c.plans[i].Run.Equal(at) {
					t.Errorf("run %d at %s: %+v", i, at, c.plans[i])
				}
			}
		})
	})
}

// The scheduler notices an earlier due time that another process set within
// pollInterval, and one of this process at once.
func TestSchedulerNoticesEarlierDueTimes(t *testing.T) {
	t.Parallel()
	runScheduler(t, jobs.Schedule{Frequency: jobs.Daily}, func(t *testing.T, c *calendar, sched *scheduler) {
		t.Helper()
		time.Sleep(time.Second)
		asked := time.Now()
		c.set(func() { c.job.NextRunAt = &asked })
		time.Sleep(pollInterval)
		synctest.Wait()
		c.set(func() {
			if len(c.begun) != 1 || c.begun[0].Sub(asked) > pollInterval {
				t.Fatalf("%v after %s", c.begun, asked)
			}
			c.job.NextRunAt = &asked
		})
		sched.wake()
		synctest.Wait()
		c.set(func() {
			if len(c.begun) != 2 || !c.begun[1].Equal(time.Now()) {
				t.Fatalf("%v at %s", c.begun, time.Now())
			}
		})
	})
}

// checklist 41: the scheduler retries until the store can be written again.
func TestSchedulerRetriesWhileTheStoreIsFull(t *testing.T) {
	t.Parallel()
	runScheduler(t, jobs.Schedule{Frequency: jobs.Hourly}, func(t *testing.T, c *calendar, _ *scheduler) {
		t.Helper()
		c.set(func() { c.fail = errors.New("no space left on device") })
		time.Sleep(45 * time.Minute)
		synctest.Wait()
		c.set(func() {
			if len(c.begun) != 0 || c.looks > int(45*time.Minute/afterFailure)+5 {
				t.Fatalf("%d runs, %d looks", len(c.begun), c.looks)
			}
			c.fail = nil
		})
		time.Sleep(afterFailure)
		synctest.Wait()
		c.set(func() {
			if len(c.begun) != 1 || c.plans[0].Missed != 0 {
				t.Fatalf("%v", c.plans)
			}
		})
	})
}

// checklist 40
func TestPlanFollowsTheCatchUpPolicy(t *testing.T) {
	t.Parallel()
	due := time.Date(2026, 3, 7, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		policy  jobs.CatchUp
		late    time.Duration
		run     time.Duration // after due; -1 for none
		missed  int
		skipped int
	}{
		"on time":                  {"", time.Second, 0, 0, 0},
		"one missed":               {"", 2 * time.Hour, 2 * time.Hour, 2, 0},
		"late, alone":              {"", 50 * time.Minute, 0, 0, 0},
		"skip on time":             {jobs.CatchUpSkip, time.Second, 0, 0, 0},
		"skip late":                {jobs.CatchUpSkip, 50 * time.Minute, -1, 0, 1},
		"skip many, late":          {jobs.CatchUpSkip, 3*time.Hour + 50*time.Minute, -1, 0, 4},
		"skip many, last in time":  {jobs.CatchUpSkip, 3*time.Hour + time.Minute, 3 * time.Hour, 0, 3},
		"a year of hours, one run": {"", 365 * 24 * time.Hour, 365 * 24 * time.Hour, 8760, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := jobs.Schedule{Frequency: jobs.Hourly, CatchUp: c.policy}
			p := plan(store.JobRow{Job: jobs.Job{JobSpec: jobs.JobSpec{Schedule: &s}}}, due, due.Add(c.late))
			if c.run < 0 != (p.Run == nil) || p.Run != nil && !p.Run.Equal(due.Add(c.run)) || p.Missed != c.missed {
				t.Errorf("%+v", p)
			}
			if (c.skipped == 0) != (p.Skip == nil) || p.Skip != nil && p.Skip.Count != c.skipped {
				t.Errorf("skipped %+v", p.Skip)
			}
			if p.Next == nil || !p.Next.After(due.Add(c.late)) || p.Next.Sub(due.Add(c.late)) > time.Hour {
				t.Errorf("next %v", p.Next)
			}
		})
	}
}
