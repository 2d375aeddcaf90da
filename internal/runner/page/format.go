package page

import (
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// count formats a number with all digits below 10,000, and with three
// significant digits above.
func count(n int64) string {
	if n > -10_000 && n < 10_000 {
		return humanize.Comma(n)
	}
	value, prefix := humanize.ComputeSI(float64(n))
	if prefix == "G" {
		prefix = "B"
	}
	return fmt.Sprintf("%.3g\u00a0%s", trimmed(value), prefix)
}

// trimmed rounds down to three digits, so that 999,999 is "999 k" and not
// "1e+03 k".
func trimmed(v float64) float64 {
	switch {
	case v >= 100:
		return float64(int64(v))
	case v >= 10:
		return float64(int64(v*10)) / 10
	default:
		return float64(int64(v*100)) / 100
	}
}

func exact(n int64) string { return humanize.Comma(n) }
func byteSize(n int64) string {
	return strings.Replace(humanize.IBytes(uint64(max(n, 0))), " ", "\u00a0", 1)
}
func exactBytes(n int64) string { return humanize.Comma(n) + " bytes" }

// plural formats a number with its noun: "1 run", "3 runs".
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(int64(n)) + " " + one + "s"
}

// duration formats a duration with its two largest units: "850 ms", "12 s", "3
// min 20 s", "2 h 5 min".
func duration(d time.Duration) string {
	two := func(a int64, ua string, b int64, ub string) string {
		if b == 0 {
			return fmt.Sprintf("%d\u00a0%s", a, ua)
		}
		return fmt.Sprintf("%d\u00a0%s %d\u00a0%s", a, ua, b, ub)
	}
	switch {
	case d < 0:
		return "0\u00a0s"
	case d < time.Second:
		return fmt.Sprintf("%d\u00a0ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f\u00a0s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d\u00a0s", int64(d.Seconds()))
	case d < time.Hour:
		return two(int64(d/time.Minute), "min", int64(d%time.Minute/time.Second), "s")
	case d < 48*time.Hour:
		return two(int64(d/time.Hour), "h", int64(d%time.Hour/time.Minute), "min")
	default:
		return two(int64(d/(24*time.Hour)), "d", int64(d%(24*time.Hour)/time.Hour), "h")
	}
}

func exactDuration(d time.Duration) string { return d.Round(time.Millisecond).String() }

// utc formats a time in UTC. The script replaces it by the time in the
// browser's zone.
func utc(t time.Time, show string) string {
	t = t.UTC()
	switch show {
	case "clock":
		return t.Format("15:04:05")
	case "ago", "moment":
		return t.Format("2 Jan 15:04 UTC")
	default:
		return t.Format("2 Jan 2006, 15:04:05 UTC")
	}
}

func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// statusText returns the text for the status of a run.
func statusText(s jobs.Status) string {
	if s == jobs.StatusWaiting {
		return "waiting for warehouse"
	}
	return string(s)
}

func level(l string) string {
	switch l {
	case "warn", "error":
		return l
	default:
		return "info"
	}
}

// startedBy says who or what started a run.
func startedBy(r jobs.Reason) string {
	switch r {
	case jobs.ReasonApply:
		return "terraform apply"
	case jobs.ReasonSchedule:
		return "schedule"
	case jobs.ReasonManual:
		return "a person"
	case jobs.ReasonAfter:
		return "other jobs"
	default:
		return string(r)
	}
}

// describeSchedule describes a schedule: "Mondays at 06:30 Europe/Berlin".
func describeSchedule(s *jobs.Schedule) string {
	if s == nil {
		return ""
	}
	at, zone := s.TimeOfDay, s.Timezone
	if at == "" {
		at = "00:00"
	}
	if zone == "" {
		zone = "UTC"
	}
	switch s.Frequency {
	case jobs.Hourly:
		_, minutes, _ := strings.Cut(at, ":")
		if minutes == "00" {
			return "every hour"
		}
		return "every hour at :" + minutes
	case jobs.Weekly:
		day := s.DayOfWeek
		if day == "" {
			day = "monday"
		}
		return strings.ToUpper(day[:1]) + day[1:] + "s at " + at + " " + zone
	case jobs.Monthly:
		return "monthly on the " + humanize.Ordinal(max(s.DayOfMonth, 1)) + " at " + at + " " + zone
	default:
		return string(s.Frequency) + " at " + at + " " + zone
	}
}

// explanation has the parts of a failure that the page shows: what happened,
// why, and what to do.
type explanation struct{ What, Why, Next string }

func explain(f jobs.Failure) explanation {
	return explanation{What: f.Summary, Why: f.Detail, Next: f.Next}
}
