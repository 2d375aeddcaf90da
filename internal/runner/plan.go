package runner

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// maxStartDelay is how late a run may begin without counting as missed. It is
// long enough to restart a runner, and shorter than the period of every
// schedule.
const maxStartDelay = 5 * time.Minute

func (s *scheduler) plan(job store.JobRow, due, now time.Time) store.Plan {
	s.metrics.scheduleLag.Observe(now.Sub(due).Seconds())
	return plan(job, due, now)
}

// plan decides what a due schedule runs. Of the occurrences since due, all but
// the last are missed; the last one is missed if it is older than
// maxStartDelay.
func plan(job store.JobRow, due, now time.Time) store.Plan {
	if job.Schedule == nil {
		return store.Plan{}
	}
	o, err := occurrences(*job.Schedule, due, now)
	if err != nil {
		return store.Plan{Skip: &store.Skip{Count: 1, First: due, Last: due, Why: "its schedule cannot be computed: " + err.Error()}}
	}
	p := store.Plan{Next: &o.next}
	late := now.Sub(o.last) > maxStartDelay
	switch {
	case job.Schedule.CatchUp != jobs.CatchUpSkip:
		p.Run, p.Missed = &o.last, o.count-1
		if o.count > 1 {
			p.Note = fmt.Sprintf(
				"This run also executes %d planned runs since %s: no runner was connected when they were due.",
				o.count-1,
				due.UTC().Format(time.RFC3339),
			)
		} else if late {
			p.Note = fmt.Sprintf("Planned for %s: no runner was connected until now.", due.UTC().Format(time.RFC3339))
		}
	case late:
		p.Skip = &store.Skip{Count: o.count, First: due, Last: o.last, Why: skipReason}
	default:
		p.Run = &o.last
		if o.count > 1 {
			p.Skip = &store.Skip{Count: o.count - 1, First: due, Last: o.before, Why: skipReason}
		}
	}
	return p
}

// skipReason is the reason of runs that were left out.
const skipReason = `no runner was connected, and the schedule's catch_up is "skip"`

// span describes the occurrences of a schedule from a due one up to now.
type span struct {
	count        int
	before, last time.Time
	next         time.Time
}

func occurrences(s jobs.Schedule, due, now time.Time) (span, error) {
	o := span{count: 1, last: due}
	for {
		next, err := schedule.Next(s, o.last)
		if err != nil {
			return o, err
		}
		if next.After(now) {
			o.next = next.UTC()
			return o, nil
		}
		o.count, o.before, o.last = o.count+1, o.last, next.UTC()
	}
}
