package schedule_test

import (
	"errors"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

const layout = "2006-01-02T15:04:05-07:00"

// runs returns the planned times after one instant and up to another, in the
// zone.
func runs(t *testing.T, s jobs.Schedule, from, to string) []string {
	t.Helper()
	after, until := instant(t, from), instant(t, to)
	var out []string
	for {
		next, err := schedule.Next(s, after)
		if err != nil {
			t.Fatal(err)
		}
		if !next.After(after) {
			t.Fatalf("Next(%s) = %s, which is not after it", after, next)
		}
		if next.After(until) {
			return out
		}
		out, after = append(out, next.Format(layout)), next
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checklist 36.
func TestNextWhereClocksChange(t *testing.T) {
	t.Parallel()
	daily := func(zone, at string) jobs.Schedule {
		return jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: at, Timezone: zone}
	}
	cases := []struct {
		name     string
		schedule jobs.Schedule
		from, to string
		want     []string
	}{
		{"a time in the gap runs once, later by the gap", daily("America/New_York", "02:30"),
			"2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z",
			[]string{"2026-03-08T03:30:00-04:00", "2026-03-09T02:30:00-04:00"}},
		{"the first instant of the gap", daily("America/New_York", "02:00"),
			"2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z", []string{"2026-03-08T03:00:00-04:00"}},
		{"the first instant after the gap", daily("America/New_York", "03:00"),
			"2026-03-07T12:00:00Z", "2026-03-08T12:00:00Z", []string{"2026-03-08T03:00:00-04:00"}},
		{"a repeated time runs at its first occurrence", daily("America/New_York", "01:30"),
			"2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z",
			[]string{"2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"}},
		{"a midnight that does not exist", daily("America/Sao_Paulo", ""),
			"2018-11-03T12:00:00Z", "2018-11-05T12:00:00Z",
			[]string{"2018-11-04T01:00:00-02:00", "2018-11-05T00:00:00-02:00"}},
		{"a midnight that comes twice", daily("America/Havana", "00:30"),
			"2026-10-31T12:00:00Z", "2026-11-02T12:00:00Z",
			[]string{"2026-11-01T00:30:00-04:00", "2026-11-02T00:30:00-05:00"}},
		{"a gap over midnight moves the run into the next date", daily("America/Toronto", "23:45"),
			"1919-03-30T12:00:00Z", "1919-04-01T12:00:00Z",
			[]string{"1919-03-31T00:45:00-04:00", "1919-03-31T23:45:00-04:00"}},
		{"a date that does not exist adds no run", daily("Pacific/Apia", "06:00"),
			"2011-12-29T00:00:00Z", "2011-12-31T20:00:00Z",
			[]string{"2011-12-29T06:00:00-10:00", "2011-12-31T06:00:00+14:00", "2012-01-01T06:00:00+14:00"}},
		{"a weekday that does not exist runs a day later",
			jobs.Schedule{Frequency: jobs.Weekly, DayOfWeek: "friday", TimeOfDay: "06:00", Timezone: "Pacific/Apia"},
			"2011-12-24T20:00:00Z", "2012-01-07T00:00:00Z",
			[]string{"2011-12-31T06:00:00+14:00", "2012-01-06T06:00:00+14:00"}},
		{"day 30 of a month that skipped it runs a day later",
			jobs.Schedule{Frequency: jobs.Monthly, DayOfMonth: 30, TimeOfDay: "06:00", Timezone: "Pacific/Apia"},
			"2011-12-01T00:00:00Z", "2012-01-31T00:00:00Z",
			[]string{"2011-12-31T06:00:00+14:00", "2012-01-30T06:00:00+14:00"}},
		{"day 31 is the last day of every month",
			jobs.Schedule{Frequency: jobs.Monthly, DayOfMonth: 31, TimeOfDay: "12:00"},
			"2028-01-31T12:00:00Z", "2028-05-31T12:00:00Z",
			[]string{"2028-02-29T12:00:00+00:00", "2028-03-31T12:00:00+00:00", "2028-04-30T12:00:00+00:00", "2028-05-31T12:00:00+00:00"}},
		{"weekly is on monday, and strictly after", jobs.Schedule{Frequency: jobs.Weekly},
			"2026-06-01T00:00:00Z", "2026-06-15T00:00:00Z",
			[]string{"2026-06-08T00:00:00+00:00", "2026-06-15T00:00:00+00:00"}},
		{"hourly runs in both of two equal hours", jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:15", Timezone: "America/New_York"},
			"2026-11-01T04:30:00Z", "2026-11-01T07:30:00Z",
			[]string{"2026-11-01T01:15:00-04:00", "2026-11-01T01:15:00-05:00", "2026-11-01T02:15:00-05:00"}},
		{"hourly goes on over a gap", jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:15", Timezone: "America/New_York"},
			"2026-03-08T06:00:00Z", "2026-03-08T08:00:00Z",
			[]string{"2026-03-08T01:15:00-05:00", "2026-03-08T03:15:00-04:00"}},
		{"hourly keeps the local minute of an odd offset", jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:15", Timezone: "Asia/Kathmandu"},
			"2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z",
			[]string{"2026-01-01T06:15:00+05:45", "2026-01-01T07:15:00+05:45"}},
		{"hourly leaves no real hour out where clocks change by half of one", jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:15", Timezone: "Australia/Lord_Howe"},
			"2026-10-03T14:00:00Z", "2026-10-03T17:30:00Z",
			[]string{"2026-10-04T01:15:00+10:30", "2026-10-04T02:45:00+11:00", "2026-10-04T03:15:00+11:00", "2026-10-04T04:15:00+11:00"}},
		{"strictly after counts parts of a second", jobs.Schedule{Frequency: jobs.Hourly},
			"2026-01-01T00:59:59.999999999Z", "2026-01-01T02:00:00Z",
			[]string{"2026-01-01T01:00:00+00:00", "2026-01-01T02:00:00+00:00"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := runs(t, c.schedule, c.from, c.to)
			if len(got) != len(c.want) {
				t.Fatalf("runs = %v, want %v", got, c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Errorf("run %d = %s, want %s", i, got[i], c.want[i])
				}
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name      string
		schedule  jobs.Schedule
		attribute string
	}{
		{"hourly", jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:59"}, ""},
		{"daily", jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "23:59", Timezone: "Europe/Berlin", CatchUp: jobs.CatchUpSkip}, ""},
		{"weekly", jobs.Schedule{Frequency: jobs.Weekly, DayOfWeek: "sunday"}, ""},
		{"monthly", jobs.Schedule{Frequency: jobs.Monthly, DayOfMonth: 31}, ""},
		{"no frequency", jobs.Schedule{}, "schedule.frequency"},
		{"unknown frequency", jobs.Schedule{Frequency: "Daily"}, "schedule.frequency"},
		{"hour of an hourly schedule", jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "05:15"}, "schedule.time_of_day"},
		{"hour 24", jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "24:00"}, "schedule.time_of_day"},
		{"one digit", jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "7:00"}, "schedule.time_of_day"},
		{"seconds", jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: "07:00:00"}, "schedule.time_of_day"},
		{"weekday of a daily schedule", jobs.Schedule{Frequency: jobs.Daily, DayOfWeek: "monday"}, "schedule.day_of_week"},
		{"unknown weekday", jobs.Schedule{Frequency: jobs.Weekly, DayOfWeek: "Mon"}, "schedule.day_of_week"},
		{"day of a weekly schedule", jobs.Schedule{Frequency: jobs.Weekly, DayOfMonth: 1}, "schedule.day_of_month"},
		{"day 32", jobs.Schedule{Frequency: jobs.Monthly, DayOfMonth: 32}, "schedule.day_of_month"},
		{"day -1", jobs.Schedule{Frequency: jobs.Monthly, DayOfMonth: -1}, "schedule.day_of_month"},
		{"unknown zone", jobs.Schedule{Frequency: jobs.Daily, Timezone: "Mars/Olympus"}, "schedule.timezone"},
		{"the machine's zone", jobs.Schedule{Frequency: jobs.Daily, Timezone: "Local"}, "schedule.timezone"},
		{"unknown catch-up", jobs.Schedule{Frequency: jobs.Daily, CatchUp: "all"}, "schedule.catch_up"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := schedule.Validate(c.schedule)
			if c.attribute == "" {
				if err != nil {
					t.Fatalf("Validate: %v", err)
				}
				return
			}
			e, ok := errors.AsType[*jobs.Error](err)
			if !ok || e.Code != jobs.CodeInvalid || e.Attribute != c.attribute || e.Next == "" {
				t.Fatalf("Validate = %#v, want an invalid %s with a next step", err, c.attribute)
			}
			if _, err := schedule.Next(c.schedule, time.Now()); err == nil {
				t.Error("Next accepts what Validate refuses")
			}
		})
	}
}
