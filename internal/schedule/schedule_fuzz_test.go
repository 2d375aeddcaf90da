package schedule_test

import (
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

// A schedule that is accepted has a next time: later than the time asked for, at most 63
// days later, and the same time when it is asked for again just before it.
func FuzzNext(f *testing.F) {
	f.Add("hourly", "00:30", "", 0, "UTC", int64(0))
	f.Add("daily", "02:30", "", 0, "Europe/Berlin", int64(1_711_843_000))
	f.Add("weekly", "06:30", "sunday", 0, "Australia/Lord_Howe", int64(1_700_000_000))
	f.Add("monthly", "23:59", "", 31, "Pacific/Apia", int64(1_325_289_600))
	f.Add("monthly", "", "", -1, "America/Sao_Paulo", int64(-62_135_596_800))
	f.Fuzz(func(t *testing.T, frequency, timeOfDay, dayOfWeek string, dayOfMonth int, zone string, after int64) {
		s := jobs.Schedule{Frequency: jobs.Frequency(frequency), TimeOfDay: timeOfDay, DayOfWeek: dayOfWeek, DayOfMonth: dayOfMonth, Timezone: zone}
		if schedule.Validate(s) != nil {
			return
		}
		// From the year 1 to the year 9998.
		asked := time.Unix(after%315_000_000_000, 0)
		if asked.Year() < 1 || asked.Year() > 9998 {
			return
		}
		next, err := schedule.Next(s, asked)
		if err != nil {
			t.Fatalf("%+v is accepted, and after %s: %v", s, asked, err)
		}
		if !next.After(asked) || next.Sub(asked) > 63*24*time.Hour {
			t.Errorf("%+v: got %s after %s, want a time within 63 days", s, next, asked)
		}
		again, err := schedule.Next(s, next.Add(-time.Second))
		if err != nil || !again.Equal(next) {
			t.Errorf("%+v: got %s and the error %v a second before %s, want that time", s, again, err, next)
		}
	})
}
