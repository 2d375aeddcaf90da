package lql

import (
	"strconv"
	"strings"
	"time"

	"github.com/araddon/dateparse"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// dateReading is a text that was parsed as a date.
type dateReading struct {
	// relative means that the date is relative to now, like "now-30d".
	relative bool
	steps    int64
	unit     byte

	date value.Value
	ok   bool
}

// maxSteps is the largest number in a relative date.
const maxSteps = 1_000_000_000

// readDate parses a date as Lytics does: now with a sign, a number and one unit of y M
// w d h m s, or a date in any common format.
func readDate(text string) dateReading {
	if len(text) > 3 && strings.EqualFold(text[:3], "now") {
		steps, unit := text[3:len(text)-1], text[len(text)-1]
		n, err := strconv.ParseInt(steps, 10, 64)
		ok := err == nil && text[:3] == "now" && strings.IndexByte("yMwdhms", unit) >= 0 && n >= -maxSteps && n <= maxSteps
		return dateReading{relative: true, steps: n, unit: unit, ok: ok}
	}
	date, ok := parseDate(text, time.UTC)
	return dateReading{date: date, ok: ok}
}

// The range of years of an instant.
const (
	firstYear = -290_000
	lastYear  = 290_000
)

// at returns the date. A relative date is computed from now.
func (d dateReading) at(now time.Time) (value.Value, bool) {
	if !d.ok || !d.relative {
		return d.date, d.ok
	}
	now = now.UTC()
	n := int(d.steps)
	t := now
	switch d.unit {
	case 'y':
		t = now.AddDate(n, 0, 0)
	case 'M':
		t = now.AddDate(0, n, 0)
	case 'w':
		t = now.AddDate(0, 0, 7*n)
	case 'd':
		t = now.AddDate(0, 0, n)
	default:
		seconds := d.steps * map[byte]int64{'h': 3600, 'm': 60, 's': 1}[d.unit]
		t = time.Unix(now.Unix()+seconds, int64(now.Nanosecond())).UTC()
	}
	if t.Year() < firstYear || t.Year() > lastYear {
		return value.Value{}, false
	}
	return value.OfTime(t), true
}

// longestDate is the length limit of a date; no common format is longer.
const longestDate = 64

// parseDate parses a date that is not relative. A date without a zone is in the
// location in.
func parseDate(text string, in *time.Location) (date value.Value, ok bool) {
	if in == time.UTC {
		if t, ok := value.ParseTime(text); ok {
			return t, true
		}
	}
	if text == "" || len(text) > longestDate {
		return value.Value{}, false
	}
	// The library panics for some texts.
	defer func() {
		if recover() != nil {
			date, ok = value.Value{}, false
		}
	}()
	t, err := dateparse.ParseIn(text, in)
	if err != nil || t.Year() < firstYear || t.Year() > lastYear {
		return value.Value{}, false
	}
	return value.OfTime(t), true
}

// The range of years of a number that is read as a date.
const (
	firstNumericYear = 1800
	lastNumericYear  = 2120
)

// toTime converts a value to a date: a date, a text, the first text of a list, or a
// number such as milliseconds since 1970.
func toTime(r *Record, v value.Value) (value.Value, bool) {
	switch v.Kind() {
	case value.Time:
		return v, true
	case value.String:
		return readDate(v.Str()).at(r.Now)
	case value.List:
		if l := v.List(); len(l) > 0 && l[0].Kind() == value.String {
			return readDate(l[0].Str()).at(r.Now)
		}
	case value.Number:
		t, ok := parseDate(numberText(v), time.UTC)
		if y := timeOf(t).Year(); !ok || y < firstNumericYear || y > lastNumericYear {
			return value.Value{}, false
		}
		return t, true
	}
	return value.Value{}, false
}

// timeOf converts the operand to a date. A constant was parsed before.
func (s side) timeOf(r *Record) (value.Value, bool) {
	if s.operand != nil && s.constant && s.v.Kind() == value.String {
		return s.date.at(r.Now)
	}
	return toTime(r, s.v)
}

// dottedPaths returns the possible meanings of a key with dots: one key, and a path of
// keys through nested maps.
func dottedPaths(key string) [][]string {
	paths := [][]string{{key}}
	if parts := strings.Split(key, "."); len(parts) > 1 {
		paths = append(paths, parts)
	}
	return paths
}
