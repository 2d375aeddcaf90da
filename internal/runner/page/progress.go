package page

import (
	"math"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// rateWindow is the time over which a rate is averaged: long enough for a
// stable number, short enough to show that a warehouse became slow.
const rateWindow = 30 * time.Second

// progressTracker computes rates from the progress that open pages have read,
// by the run's id.
type progressTracker struct {
	mu   sync.Mutex
	runs map[string]*track
}

type track struct {
	phase string
	seen  []sample // oldest first
}

type sample struct {
	at   time.Time
	done int64
}

// progress is the progress of an active run.
type progress struct {
	jobs.Progress
	Phase string
	// Percent is -1 if the total is not known.
	Percent int
	// Rate is per second; it is known if Measured is set. Left is the estimated
	// remaining time, 0 if not known.
	Rate     float64
	Measured bool
	Left     time.Duration
	// Next is the time of the next attempt of a failed run.
	Next *time.Time
}

// RateInt is the rate, rounded up, so that it is 0 only if nothing moves.
func (p *progress) RateInt() int64 { return int64(math.Ceil(p.Rate)) }

// of returns the progress of an active run, or nil if the run has ended.
func (r *progressTracker) of(run *jobs.Run, now time.Time) *progress {
	if run == nil || !run.Status.Active() {
		return nil
	}
	p := &progress{Progress: run.Progress, Phase: run.Phase, Percent: -1, Next: run.NextAttemptAt}
	if p.Phase == "" {
		p.Phase = statusText(run.Status)
	}
	if run.Total > 0 {
		p.Percent = int(min(run.Done*100/run.Total, 100))
	}
	if run.Status != jobs.StatusRunning || run.Done == 0 {
		return p
	}
	first := r.observe(run, now)
	if now.Sub(first.at) < time.Second && run.StartedAt != nil {
		// The run is seen for the first time: use the mean since its start,
		// although it includes other phases.
		first = sample{at: *run.StartedAt}
	}
	if took := now.Sub(first.at).Seconds(); took > 0 {
		p.Rate, p.Measured = max(float64(run.Done-first.done)/took, 0), true
	}
	if p.Rate > 0 && run.Total > run.Done {
		p.Left = max(time.Duration(float64(run.Total-run.Done)/p.Rate)*time.Second, time.Second)
	}
	return p
}

// observe records the progress of a run and returns the oldest sample of the
// window.
func (r *progressTracker) observe(run *jobs.Run, now time.Time) sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.runs == nil {
		r.runs = map[string]*track{}
	}
	t := r.runs[run.ID]
	if t == nil || t.phase != run.Phase || run.Done < t.seen[len(t.seen)-1].done {
		r.forget(now)
		t = &track{phase: run.Phase, seen: []sample{{now, run.Done}}}
		r.runs[run.ID] = t
	}
	if last := t.seen[len(t.seen)-1]; now.Sub(last.at) >= time.Second {
		t.seen = append(t.seen, sample{now, run.Done})
	}
	for len(t.seen) > 2 && now.Sub(t.seen[1].at) >= rateWindow {
		t.seen = t.seen[1:]
	}
	return t.seen[0]
}

// forget drops runs that no page has read recently.
func (r *progressTracker) forget(now time.Time) {
	for id, t := range r.runs {
		if now.Sub(t.seen[len(t.seen)-1].at) > 2*rateWindow {
			delete(r.runs, id)
		}
	}
}
