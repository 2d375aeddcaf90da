package filterql

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var (
	dateMath = regexp.MustCompile(`^(?i:now)((?:[+-][0-9]{1,6}[smhdwMy])*)$`)
	dateStep = regexp.MustCompile(`([+-][0-9]+)([smhdwMy])`)
)

// ParseDate reads a date of a filter: ISO 8601, or now with steps such as
// now-30d, now+1M, now-1d+12h. Months and years follow the calendar.
func ParseDate(text string, now time.Time) (value.Value, bool) {
	text = strings.TrimSpace(text)
	m := dateMath.FindStringSubmatch(text)
	if m == nil {
		return value.ParseTime(text)
	}
	t := now.UTC()
	for _, step := range dateStep.FindAllStringSubmatch(m[1], -1) {
		// Six digits and a sign always convert.
		n, _ := strconv.Atoi(step[1])
		switch step[2] {
		case "s":
			t = t.Add(time.Duration(n) * time.Second)
		case "m":
			t = t.Add(time.Duration(n) * time.Minute)
		case "h":
			t = t.Add(time.Duration(n) * time.Hour)
		case "d":
			t = t.AddDate(0, 0, n)
		case "w":
			t = t.AddDate(0, 0, 7*n)
		case "M":
			t = t.AddDate(0, n, 0)
		case "y":
			t = t.AddDate(n, 0, 0)
		}
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return value.Value{}, false
	}
	return value.OfTime(t), true
}
