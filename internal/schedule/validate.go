package schedule

import (
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a schedule must not depend on the machine's zone files

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// rule is a validated schedule.
type rule struct {
	frequency    jobs.Frequency
	hour, minute int
	weekday      time.Weekday
	dayOfMonth   int
	zone         *time.Location
}

// zones caches loaded zones, because time.LoadLocation reads a file at each
// call.
var zones = struct {
	mu     sync.Mutex
	byName map[string]*time.Location
}{byName: map[string]*time.Location{}}

func location(name string) (*time.Location, error) {
	zones.mu.Lock()
	defer zones.mu.Unlock()
	if zone := zones.byName[name]; zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		zones.byName[name] = zone
	}
	return zone, err
}

var weekdays = map[string]time.Weekday{
	"sunday": time.Sunday, "monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday,
	"thursday": time.Thursday, "friday": time.Friday, "saturday": time.Saturday,
}

// Validate returns a *jobs.Error for the first field that is invalid, or that
// does not apply to the schedule's frequency.
func Validate(s jobs.Schedule) error {
	_, err := parse(s)
	return err
}

func parse(s jobs.Schedule) (rule, error) {
	r := rule{frequency: s.Frequency, weekday: time.Monday, dayOfMonth: 1, zone: time.UTC}
	switch s.Frequency {
	case jobs.Hourly, jobs.Daily, jobs.Weekly, jobs.Monthly:
	default:
		return r, jobs.Invalid("schedule.frequency",
			fmt.Sprintf("The frequency %q is not known", s.Frequency),
			"A schedule repeats hourly, daily, weekly or monthly.",
			"Use one of these words, in lower case.")
	}
	for _, check := range []func(jobs.Schedule) error{r.parseTime, r.parseDayOfWeek, r.parseDayOfMonth, r.parseZone} {
		if err := check(s); err != nil {
			return r, err
		}
	}
	switch s.CatchUp {
	case "", jobs.CatchUpOne, jobs.CatchUpSkip:
	default:
		return r, jobs.Invalid("schedule.catch_up",
			fmt.Sprintf("The catch-up policy %q is not known", s.CatchUp),
			"\"one\" executes one run for all missed runs, \"skip\" leaves them out.",
			"Use one of these words, or leave catch_up out for \"one\".")
	}
	return r, nil
}

func (r *rule) parseTime(s jobs.Schedule) error {
	if s.TimeOfDay == "" {
		return nil
	}
	t, err := time.Parse("15:04", s.TimeOfDay)
	if err != nil || len(s.TimeOfDay) != len("15:04") {
		return jobs.Invalid("schedule.time_of_day",
			fmt.Sprintf("The time of day %q cannot be read", s.TimeOfDay),
			"It has to be HH:MM, from 00:00 to 23:59.",
			"Write two digits for the hour and two for the minute, for example \"06:30\".")
	}
	r.hour, r.minute = t.Hour(), t.Minute()
	if s.Frequency == jobs.Hourly && r.hour != 0 {
		return jobs.Invalid("schedule.time_of_day",
			fmt.Sprintf("An hourly schedule has no hour of the day, and %q names one", s.TimeOfDay),
			"An hourly schedule runs every hour; only the minute can be chosen.",
			fmt.Sprintf("Write \"00:%02d\" to run at minute %d of every hour, or make the frequency \"daily\".", r.minute, r.minute))
	}
	return nil
}

func (r *rule) parseDayOfWeek(s jobs.Schedule) error {
	if s.DayOfWeek == "" {
		return nil
	}
	if s.Frequency != jobs.Weekly {
		return misplaced("schedule.day_of_week", s.Frequency, jobs.Weekly)
	}
	day, ok := weekdays[s.DayOfWeek]
	if !ok {
		return jobs.Invalid("schedule.day_of_week",
			fmt.Sprintf("The day of the week %q is not known", s.DayOfWeek),
			"The days are monday, tuesday, wednesday, thursday, friday, saturday and sunday.",
			"Use one of these words, in lower case.")
	}
	r.weekday = day
	return nil
}

func (r *rule) parseDayOfMonth(s jobs.Schedule) error {
	if s.DayOfMonth == 0 {
		return nil
	}
	if s.Frequency != jobs.Monthly {
		return misplaced("schedule.day_of_month", s.Frequency, jobs.Monthly)
	}
	if s.DayOfMonth < 1 || s.DayOfMonth > 31 {
		return jobs.Invalid("schedule.day_of_month",
			fmt.Sprintf("There is no day %d in any month", s.DayOfMonth),
			"It has to be from 1 to 31; a day past a month's end is its last day.",
			"Use 31 for the last day of every month.")
	}
	r.dayOfMonth = s.DayOfMonth
	return nil
}

func misplaced(attribute string, has, wants jobs.Frequency) error {
	name := strings.TrimPrefix(attribute, "schedule.")
	return jobs.Invalid(attribute,
		fmt.Sprintf("%s does not apply to a schedule that is %s", name, has),
		fmt.Sprintf("It belongs to frequency %q.", wants),
		fmt.Sprintf("Remove %s, or make the frequency %q.", name, wants))
}

func (r *rule) parseZone(s jobs.Schedule) error {
	zone, err := location(s.Timezone)
	// "Local" would be a different zone on each machine.
	if err != nil || s.Timezone == "Local" {
		return jobs.Invalid("schedule.timezone",
			fmt.Sprintf("The time zone %q is not known", s.Timezone),
			"It is not in the IANA time zone database.",
			"Use an IANA name, for example \"America/New_York\", or leave timezone out for UTC.")
	}
	r.zone = zone
	return nil
}
