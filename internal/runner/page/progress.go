package page

import (
	"math"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// rateWindow is what a rate is the mean of: long enough to be calm, short
// enough to show a warehouse that became slow.
const rateWindow = 30 * time.Second

// progressTracker keeps the progress that open pages have read, by the run's id,
// and computes rates from it.
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

// progress is how far an active run is.
type progress struct {
	jobs.Progress
	Phase string
	// Percent is -1 where the total is not known.
	Percent int
	// Rate is per second, if Measured; Left is what remains, 0 if not known.
	Rate     float64
	Measured bool
	Left     time.Duration
	// Next is when a failed run is tried again.
	Next *time.Time
}

// RateInt is the rate in whole things a second, upwards: 0 is a standstill.
func (p *progress) RateInt() int64 { return int64(math.Ceil(p.Rate)) }

// of describes an active run; nil for one that has ended.
func (r *progressTracker) of(run *jobs.Run, now time.Time) *progress {
	if run == nil || !run.Status.Active() {
		return nil
	}
	p := &progress{Progress: run.Progress, Phase: run.Phase, Percent: -1, Next: run.NextAttemptAt}
	if p.Phase == "" {
		p.Phase = word(run.Status)
	}
	if run.Total > 0 {
		p.Percent = int(min(run.Done*100/run.Total, 100))
	}
	if run.Status != jobs.StatusRunning || run.Done == 0 {
		return p
	}
	first := r.observe(run, now)
	if now.Sub(first.at) < time.Second && run.StartedAt != nil {
		// Seen for the first time: the mean since the start, which other phases
		// were part of, is better than nothing.
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

// observe notes where a run is and gives the oldest sample of the window.
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

// forget drops the runs that no page has asked for in a while.
func (r *progressTracker) forget(now time.Time) {
	for id, t := range r.runs {
		if now.Sub(t.seen[len(t.seen)-1].at) > 2*rateWindow {
			delete(r.runs, id)
		}
	}
}
