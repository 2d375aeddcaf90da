package schedule

import (
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Next returns the schedule's first planned time strictly after the given one,
// in the schedule's zone.
func Next(s jobs.Schedule, after time.Time) (time.Time, error) {
	r, err := parse(s)
	if err != nil {
		return time.Time{}, err
	}
	var next time.Time
	if r.frequency == jobs.Hourly {
		next = r.nextHourly(after)
	} else {
		next = r.nextDated(after)
	}
	if next.IsZero() {
		return time.Time{}, jobs.Invalid("schedule",
			fmt.Sprintf("No run can be planned after %s", after.UTC().Format(time.RFC3339)),
			"No date was found on which the schedule is due.",
			"Check the schedule and the machine's clock.")
	}
	return next, nil
}

// nextDated walks the due dates from shortly before `after`: a date's run may
// lie up to a day later than the date says, where a zone skipped a whole one.
func (r rule) nextDated(after time.Time) time.Time {
	y, m, d := after.In(r.zone).Date()
	switch r.frequency {
	case jobs.Hourly: // has no dates
	case jobs.Daily:
		for i := -2; i <= 3; i++ {
			if t := r.at(y, m, d+i); t.After(after) {
				return t
			}
		}
	case jobs.Weekly:
		toWeekday := int(r.weekday - time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday())
		for i := -2; i <= 3; i++ {
			if t := r.at(y, m, d+toWeekday+7*i); t.After(after) {
				return t
			}
		}
	case jobs.Monthly:
		for i := time.Month(-2); i <= 3; i++ {
			first := time.Date(y, m+i, 1, 0, 0, 0, 0, time.UTC)
			last := first.AddDate(0, 1, -1).Day()
			if t := r.at(first.Year(), first.Month(), min(r.dayOfMonth, last)); t.After(after) {
				return t
			}
		}
	}
	return time.Time{}
}

// at returns the instant of the rule's time of day on a date. For a local time
// that occurs twice or not at all, it uses the offset before the change. The
// result is the first of the two instants, or the skipped time moved later by
// as much as was skipped.
func (r rule) at(y int, m time.Month, d int) time.Time {
	// The wall clock, counted as if the zone were UTC.
	wall := time.Date(y, m, d, r.hour, r.minute, 0, 0, time.UTC).Unix()
	// No zone is further than 26 hours from UTC, skipped dates included.
	for t := time.Unix(wall-26*3600, 0).In(r.zone); ; {
		_, offset := t.Zone()
		_, end := t.ZoneBounds()
		instant := time.Unix(wall-int64(offset), 0).In(r.zone)
		if end.IsZero() || instant.Before(end) {
			return instant
		}
		// The wall time is later than the last one of this period. It is in the
		// next period, unless the change between the two skipped it.
		if _, next := end.Zone(); wall < end.Unix()+int64(next) {
			return instant
		}
		t = end
	}
}

// nextHourly returns the next instant at which the local clock shows the
// minute. If clocks change by a part of an hour (Lord Howe Island by 30
// minutes), up to 90 minutes would pass between two runs; nextHourly then adds
// a run in between, so that every real hour has one.
func (r rule) nextHourly(after time.Time) time.Time {
	t := r.minuteAfter(after)
	between := r.minuteAtOrBefore(after).Add(time.Hour)
	if between.After(after) && between.Before(t) {
		return between
	}
	return t
}

// minuteAfter returns the first instant after t whose local minute is the
// rule's.
func (r rule) minuteAfter(t time.Time) time.Time {
	for t = t.In(r.zone); ; {
		_, offset := t.Zone()
		_, end := t.ZoneBounds()
		// In one period, the local clock is the instant plus a constant.
		local := t.Unix() + int64(offset)
		wait := (int64(r.minute)*60 - local%3600 + 3600) % 3600
		if wait == 0 {
			wait = 3600
		}
		next := time.Unix(t.Unix()+wait, 0).In(r.zone)
		if end.IsZero() || next.Before(end) {
			return next
		}
		// The period ends before that. The next period may begin at the minute.
		if _, o := end.Zone(); (end.Unix()+int64(o))%3600 == int64(r.minute)*60 {
			return end
		}
		t = end
	}
}

// minuteAtOrBefore returns the last instant not after t whose local minute is
// the rule's.
func (r rule) minuteAtOrBefore(t time.Time) time.Time {
	last := r.minuteAfter(t.Add(-3 * time.Hour))
	for {
		next := r.minuteAfter(last)
		if next.After(t) {
			return last
		}
		last = next
	}
}
