package schedule_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// zoneFiles returns Go's time zone database, or the system's if the Go
// distribution has none.
func zoneFiles(t *testing.T) fs.FS {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"))
	switch {
	case err == nil:
		t.Cleanup(func() { _ = archive.Close() })
		return archive
	case os.IsNotExist(err):
		return os.DirFS("/usr/share/zoneinfo")
	}
	t.Fatal(err)
	return nil
}

// zones returns the names of the database, one for each distinct zone.
func zones(t *testing.T) []string {
	t.Helper()
	var names []string
	seen := map[string]bool{}
	files := zoneFiles(t)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == "posix" || name == "right": // copies of the database, one with leap seconds
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		text, err := fs.ReadFile(files, name)
		if err == nil && bytes.HasPrefix(text, []byte("TZif")) && !seen[string(text)] && name != "localtime" && name != "posixrules" {
			seen[string(text)] = true
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(names) < 300 {
		t.Fatalf("%d zones; the system's package tzdata has them", len(names))
	}
	return names
}

// checklist 36: a daily schedule has one run per local day, in every zone, for a
// year (with LYTICS_TORTURE=1 for twenty years, with -short in a quarter of the
// zones). The test finds the local days independently, from the zone's quarter
// hours.
func TestEveryZoneRunsOncePerLocalDay(t *testing.T) {
	t.Parallel()
	first, last := 2026, 2026
	if torture.LevelOf() == torture.Whole {
		first, last = 2008, 2027
	}
	names := zones(t)
	record := torture.Begin(t, "Local days of every time zone", "zones and years")
	if testing.Short() {
		names = slices.DeleteFunc(names, func(name string) bool { return crc32.ChecksumIEEE([]byte(name))%4 != 0 })
	}
	record.Tried = len(names) * (last - first + 1)
	record.Note = fmt.Sprintf("%d zones, %d to %d: each local day has one run", len(names), first, last)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone, err := time.LoadLocation(name)
			if err != nil {
				t.Fatal(err)
			}
			for year := first; year <= last; year++ {
				times := []string{"00:00", "02:30", "23:45"}
				days := daysOf(t, zone, year, times)
				for i, at := range times {
					oncePerDay(t, zone, year, at, days.exists, days.earliest[i])
				}
			}
			everyHour(t, zone, time.Date(last, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(last+1, 1, 1, 0, 0, 0, 0, time.UTC))
			// While the offset of a zone is constant, hourly runs are regular, so the
			// test covers the days around each change.
			for at := time.Date(first, 1, 1, 0, 0, 0, 0, time.UTC); ; {
				_, change := at.In(zone).ZoneBounds()
				if change.IsZero() || change.Year() > last {
					break
				}
				everyHour(t, zone, change.Add(-24*time.Hour).Truncate(time.Hour).UTC(), change.Add(25*time.Hour).Truncate(time.Hour).UTC())
				at = change
			}
		})
	}
}

// localDays has the dates of a zone around a year and, for each time of day,
// the earliest possible run of each date: the first quarter hour at or after
// that time. A gap can only delay the run.
type localDays struct {
	exists   map[int]bool
	earliest []map[int]time.Time
}

func daysOf(t *testing.T, zone *time.Location, year int, times []string) localDays {
	t.Helper()
	days := localDays{exists: map[int]bool{}}
	minutes := make([]int, len(times))
	for i, at := range times {
		minutes[i] = minuteOf(t, at)
		days.earliest = append(days.earliest, map[int]time.Time{})
	}
	from, until := span(year)
	var offset int64
	var end time.Time // of the period with this offset
	for q := from.AddDate(0, 0, -2); q.Before(until); q = q.Add(15 * time.Minute) {
		if !q.Before(end) {
			local := q.In(zone)
			_, o := local.Zone()
			if _, end = local.ZoneBounds(); end.IsZero() {
				end = until
			}
			offset = int64(o)
		}
		wall := q.Unix() + offset
		date, minute := int(wall/86400), int(wall%86400/60)
		days.exists[date] = true
		for i, m := range minutes {
			if _, seen := days.earliest[i][date]; !seen && minute >= m {
				days.earliest[i][date] = q
			}
		}
	}
	return days
}

func minuteOf(t *testing.T, at string) int {
	t.Helper()
	timeOfDay, err := time.Parse("15:04", at)
	if err != nil {
		t.Fatal(err)
	}
	return timeOfDay.Hour()*60 + timeOfDay.Minute()
}

func span(year int) (from, until time.Time) {
	return time.Date(year-1, 12, 29, 12, 0, 0, 0, time.UTC), time.Date(year+1, 1, 3, 12, 0, 0, 0, time.UTC)
}

func oncePerDay(t *testing.T, zone *time.Location, year int, at string, exists map[int]bool, earliest map[int]time.Time) {
	t.Helper()
	s := jobs.Schedule{Frequency: jobs.Daily, TimeOfDay: at, Timezone: zone.String()}
	from, until := span(year)
	minute := minuteOf(t, at)
	seen := map[int]int{}
	for next := from; ; {
		var err error
		if next, err = schedule.Next(s, next); err != nil {
			t.Fatal(err)
		}
		if !next.Before(until) {
			break
		}
		local := next.In(zone)
		due, clock := dayNumber(local), local.Hour()*60+local.Minute()
		if clock < minute { // a gap moved the run past midnight
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

func everyHour(t *testing.T, zone *time.Location, from, end time.Time) {
	t.Helper()
	s := jobs.Schedule{Frequency: jobs.Hourly, TimeOfDay: "00:20", Timezone: zone.String()}
	count, previous := 0, from
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
	if hours := int(end.Sub(from).Hours()); count < hours || count > hours+6 {
		t.Errorf("%s: %d hourly runs in the %d hours from %s", zone, count, hours, from)
	}
}
