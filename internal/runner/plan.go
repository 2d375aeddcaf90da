package runner

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// maxStartDelay is how late a run may begin that is not held to be missed: about
// what it takes to restart a runner. It is shorter than any schedule's period.
const maxStartDelay = 5 * time.Minute

func (s *scheduler) plan(job store.JobRow, due, now time.Time) store.Plan {
	s.metrics.scheduleLag.Observe(now.Sub(due).Seconds())
	return plan(job, due, now)
}

// plan says what becomes of a schedule that is due: the occurrences since due,
// of which the last one is punctual or not, and the others are missed.
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
				"This run also stands for %d planned ones since %s: no runner was there for them.",
				o.count-1,
				due.UTC().Format(time.RFC3339),
			)
		} else if late {
			p.Note = fmt.Sprintf("Planned for %s: no runner was there for it until now.", due.UTC().Format(time.RFC3339))
		}
	case late:
		p.Skip = &store.Skip{Count: o.count, First: due, Last: o.last, Why: leftOut}
	default:
		p.Run = &o.last
		if o.count > 1 {
			p.Skip = &store.Skip{Count: o.count - 1, First: due, Last: o.before, Why: leftOut}
		}
	}
	return p
}

const leftOut = `no runner was there, and the schedule's catch_up is "skip"`

// span is a schedule's occurrences from one that is due up to now.
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
