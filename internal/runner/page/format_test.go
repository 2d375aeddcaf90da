package page

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

func TestFormatNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 9_999: "9,999", 10_000: "10 k", 12_345: "12.3 k", 999_999: "999 k", 1_000_000: "1 M", 2_960_000: "2.96 M", 7_000_000_000: "7 B"} {
		if got := strings.ReplaceAll(count(n), "\u00a0", " "); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0 ms", 850 * time.Millisecond: "850 ms", 9_940 * time.Millisecond: "9.9 s", 59*time.Second + 900*time.Millisecond: "59 s",
		200 * time.Second: "3 min 20 s", time.Hour: "1 h", 125 * time.Minute: "2 h 5 min", 50 * time.Hour: "2 d 2 h", -time.Second: "0 s",
	} {
		if got := strings.ReplaceAll(duration(d), "\u00a0", " "); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestDescribeSchedule(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]jobs.Schedule{
		"every hour":                             {Frequency: jobs.Hourly},
		"every hour at :15":                      {Frequency: jobs.Hourly, TimeOfDay: "00:15"},
		"daily at 06:30 Europe/Berlin":           {Frequency: jobs.Daily, TimeOfDay: "06:30", Timezone: "Europe/Berlin"},
		"Mondays at 00:00 UTC":                   {Frequency: jobs.Weekly},
		"Sundays at 12:00 UTC":                   {Frequency: jobs.Weekly, DayOfWeek: "sunday", TimeOfDay: "12:00"},
		"monthly on the 31st at 01:00 Asia/Oral": {Frequency: jobs.Monthly, DayOfMonth: 31, TimeOfDay: "01:00", Timezone: "Asia/Oral"},
	} {
		if got := describeSchedule(&s); got != want {
			t.Errorf("%+v is %q, want %q", s, got, want)
		}
	}
}

// One much larger run, such as the first one, does not flatten the bars of the
// others.
func TestTheAxisFitsTheUsualRun(t *testing.T) {
	t.Parallel()
	rows := func(r *jobs.Run) float64 { return float64(r.RowsWritten) }
	runs := []jobs.Run{{Counts: jobs.Counts{RowsWritten: 9_000_000}}}
	for range 20 {
		runs = append(runs, jobs.Run{Counts: jobs.Counts{RowsWritten: 1000}})
	}
	if top := axisTop(runs, rows); top != 1500 {
		t.Errorf("got an axis up to %v", top)
	}
	if p := draw(runs, "", 100, rows, time.Time{}); !p.Bars[0].Cut || p.Bars[1].Cut {
		t.Error("want the first bar cut, and no other")
	}
	if top := axisTop(runs[:3], rows); top != 10_000_000 {
		t.Errorf("three runs: got an axis up to %v", top)
	}
	if top := axisTop(nil, rows); top != 1 {
		t.Errorf("no runs: got an axis up to %v", top)
	}
}

func TestRateIsTheMeanOfTheLastHalfMinute(t *testing.T) {
	t.Parallel()
	var r progressTracker
	start := time.Unix(1_800_000_000, 0)
	run := &jobs.Run{ID: "r", Status: jobs.StatusRunning, Phase: "importing rows", StartedAt: &start, Progress: jobs.Progress{Total: 100_000}}
	at := func(after time.Duration, done int64) *progress {
		run.Done = done
		return r.of(run, start.Add(after))
	}
	if p := at(10*time.Second, 0); p.Measured || p.Left != 0 || p.Percent != 0 {
		t.Errorf("before the first row: %+v", p)
	}
	if p := at(20*time.Second, 2_000); p.Rate != 100 || p.Left != 980*time.Second {
		t.Errorf("seen for the first time: %+v", p)
	}
	for s := 21; s <= 80; s++ {
		at(time.Duration(s)*time.Second, int64(2_000+(s-20)*1_000))
	}
	if p := at(81*time.Second, 63_000); p.Rate != 1_000 || p.Left != 37*time.Second || p.Percent != 63 {
		t.Errorf("steady: %+v", p)
	}
	for s := 82; s <= 120; s++ {
		at(time.Duration(s)*time.Second, 63_000)
	}
	if p := at(121*time.Second, 63_000); !p.Measured || p.Rate != 0 || p.Left != 0 {
		t.Errorf("at a standstill: %+v", p)
	}
	run.Status = jobs.StatusSucceeded
	if r.of(run, start) != nil {
		t.Error("an ended run has progress")
	}
}
