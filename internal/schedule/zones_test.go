package schedule_test

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
)

// zones lists the names of the time zone database that Go embeds.
func zones(t *testing.T) []string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	if err != nil {
		if os.IsNotExist(err) {
			t.Skip("this Go distribution carries no zoneinfo.zip to list the zones from")
		}
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	var names []string
	for _, f := range archive.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	return names
}

// checklist 36: one run per due local day, in every zone. What is due is
// decided here the slow way: by walking the zone's quarter hours and noting
// which local dates exist.
func TestEveryZoneRunsOncePerLocalDay(t *testing.T) {
	t.Parallel()
	years := []int{2011, 2018, 2026}
	if testing.Short() {
		years = years[2:]
	}
	for _, name := range zones(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, year := range years {
				for _, at := range []string{"00:00", "02:30", "23:45"} {
					oncePerDay(t, zone, year, at)
				}
				everyHour(t, zone, year)
			}
		})
	}
}

func oncePerDay(t *testing.T, zone *time.Location, year int, at string) {
	t.Helper()
	s := jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: at, Timezone: zone.String()}
	from := time.Date(year-1, 12, 29, 12, 0, 0, 0, time.UTC)
	until := time.Date(year+1, 1, 3, 12, 0, 0, 0, time.UTC)
	timeOfDay, err := time.Parse("15:04", at)
	if err != nil {
		t.Fatal(err)
	}
	minute := timeOfDay.Hour()*60 + timeOfDay.Minute()
	// The first quarter hour of a date at or past the time of day is the
	// earliest its run may come; a gap only moves the run on.
	earliest, exists := map[int]time.Time{}, map[int]bool{}
	for q := from.AddDate(0, 0, -2); q.Before(until); q = q.Add(15 * time.Minute) {
		local := q.In(zone)
		date := dayNumber(local)
		exists[date] = true
		if _, seen := earliest[date]; !seen && local.Hour()*60+local.Minute() >= minute {
			earliest[date] = q
		}
	}
	seen := map[int]int{}
	for next := from; ; {
		if next, err = schedule.Next(s, next); err != nil {
			t.Fatal(err)
		}
		if !next.Before(until) {
			break
		}
		local := next.In(zone)
		due, clock := dayNumber(local), local.Hour()*60+local.Minute()
		if clock < minute { // moved over midnight by a gap
			due--
		}
		seen[due]++
		if first, ok := earliest[due]; ok && next.Before(first) {
			t.Errorf("%s at %s: a run at %s, before that time of day", zone, at, local)
		} else if ok && clock == minute && next.After(first) {
			t.Errorf("%s at %s: a run at %s, not at the first occurrence %s", zone, at, local, first.In(zone))
		}
	}
	for d := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
		want := 0
		if exists[dayNumber(d)] {
			want = 1
		}
		if got := seen[dayNumber(d)]; got != want {
			t.Errorf("%s at %s: %d runs for %s, want %d", zone, at, got, d.Format(time.DateOnly), want)
		}
	}
}

// dayNumber counts local dates.
func dayNumber(local time.Time) int {
	y, m, d := local.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func everyHour(t *testing.T, zone *time.Location, year int) {
	t.Helper()
	s := jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:20", Timezone: zone.String()}
	previous := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	end := previous.AddDate(1, 0, 0)
	count := 0
	for previous.Before(end) {
		next, err := schedule.Next(s, previous)
		if err != nil {
			t.Fatal(err)
		}
		if wait := next.Sub(previous); wait > time.Hour || wait <= 0 {
			t.Errorf("%s: %s between %s and %s", zone, wait, previous, next)
		}
		count, previous = count+1, next
	}
	if hours := int(end.Sub(time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)).Hours()); count < hours || count > hours+6 {
		t.Errorf("%s: %d hourly runs in the %d hours of %d", zone, count, hours, year)
	}
}
