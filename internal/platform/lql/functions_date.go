package lql

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // dates must not depend on the machine's zone files

	"github.com/ncruces/go-strftime"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var dateFunctions = map[string]*function{
	"now": {result: of(value.Time), prepare: func(args []node) (functionEval, string) {
		if len(args) > 0 {
			return nil, "takes no arguments"
		}
		return func(r *Record, _ []value.Value) (value.Value, bool) { return value.OfTime(r.Now), true }, ""
	}},
	"todate":      {min: 1, max: 2, result: of(value.Time), eval: toDate},
	"todatein":    {min: 2, max: 2, result: of(value.Time), prepare: toDateIn},
	"totimestamp": {min: 1, max: 1, result: of(value.Number), eval: datePart(func(t time.Time) value.Value { return value.OfInt(t.Unix()) })},
	"yy":          optionalDate(of(value.Number), func(t time.Time) value.Value { return value.OfInt(int64(shortYear(t.Year()))) }),
	"yymm":        optionalDate(of(value.String), func(t time.Time) value.Value { return value.OfString(t.Format("0601")) }),
	"mm":          optionalDate(of(value.Number), func(t time.Time) value.Value { return value.OfInt(int64(t.Month())) }),
	"monthofyear": optionalDate(of(value.Number), func(t time.Time) value.Value { return value.OfInt(int64(t.Month())) }),
	"dayofweek":   optionalDate(of(value.Number), func(t time.Time) value.Value { return value.OfInt(int64(t.Weekday())) }),
	"hourofday":   optionalDate(of(value.Number), func(t time.Time) value.Value { return value.OfInt(int64(t.Hour())) }),
	"hourofweek": optionalDate(of(value.Number), func(t time.Time) value.Value {
		return value.OfInt(int64(t.Weekday())*24 + int64(t.Hour()))
	}),
	"seconds":   {min: 1, max: 1, result: of(value.Number), eval: secondsOf},
	"strftime":  {min: 2, max: 2, result: of(value.String), eval: formatDate},
	"extract":   {min: 2, max: 2, result: of(value.String), eval: formatDate},
	"unixtrunc": {min: 1, max: 2, result: of(value.String), eval: unixText},
}

// optionalDate returns a function of a date; without an argument the date is now.
func optionalDate(result Static, part func(t time.Time) value.Value) *function {
	f := &function{max: 1, result: result}
	f.eval = func(r *Record, args []value.Value) (value.Value, bool) {
		if len(args) == 0 {
			return part(r.Now.UTC()), true
		}
		return datePart(part)(r, args)
	}
	return f
}

func datePart(part func(t time.Time) value.Value) functionEval {
	return func(_ *Record, args []value.Value) (value.Value, bool) {
		t, ok := zonedDate(args[0])
		if !ok {
			return no()
		}
		return part(t), true
	}
}

// zonedDate converts a value to a date and keeps the zone of its text, because the
// functions return the hour and the day in that zone.
func zonedDate(v value.Value) (t time.Time, ok bool) {
	if v.Kind() == value.Time {
		return timeOf(v), true
	}
	s, ok := scalarText(v)
	if !ok {
		return t, false
	}
	date, ok := parseDate(s, time.UTC)
	if !ok {
		return t, false
	}
	t = timeOf(date)
	if zoned, err := time.Parse(time.RFC3339, s); err == nil {
		t = t.In(zoned.Location())
	}
	return t, true
}

func shortYear(year int) int {
	switch {
	case year >= 2000:
		return year - 2000
	case year >= 1900:
		return year - 1900
	}
	return year
}

// inCalendar refuses dates in years that cannot be stored or exported.
func inCalendar(date value.Value, ok bool) (value.Value, bool) {
	if y := timeOf(date).Year(); !ok || y < 0 || y > 9999 {
		return no()
	}
	return date, true
}

// toDate converts a value to a date. With two arguments, the first is the layout.
func toDate(r *Record, args []value.Value) (value.Value, bool) {
	if len(args) == 2 {
		layout, ok := scalarText(args[0])
		s, ok2 := scalarText(args[1])
		t, err := time.Parse(layout, s)
		return inCalendar(value.OfTime(t), ok && ok2 && err == nil)
	}
	if args[0].Kind() == value.Time {
		return args[0], true
	}
	s, ok := scalarText(args[0])
	if !ok {
		return no()
	}
	return inCalendar(readDate(s).at(r.Now))
}

// toDateIn converts a value to a date. The second argument is the zone of a date without
// a zone.
func toDateIn(args []node) (functionEval, string) {
	zone, ok := literalText(args[1])
	if !ok {
		return nil, `the zone must be a literal, such as "America/New_York"`
	}
	location, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, "there is no time zone " + short(zone)
	}
	if s, ok := literalText(args[0]); ok && readDate(s).relative && !readDate(s).ok {
		return nil, short(s) + ` is not a date; a relative date is like "now-30d"`
	}
	return func(r *Record, args []value.Value) (value.Value, bool) {
		if args[0].Kind() == value.Time {
			return args[0], true
		}
		s, ok := scalarText(args[0])
		if !ok {
			return no()
		}
		if d := readDate(s); d.relative {
			return inCalendar(d.at(r.Now))
		}
		return inCalendar(parseDate(s, location))
	}, ""
}

// secondsOf returns the seconds of a duration in minutes and seconds such as 10:30 or
// M10:30, the seconds since 1970 of a date, or a number.
func secondsOf(_ *Record, args []value.Value) (value.Value, bool) {
	v := args[0]
	switch v.Kind() {
	case value.Number:
		return v, true
	case value.String:
	default:
		return no()
	}
	if t, ok := parseDate(v.Str(), time.UTC); ok {
		return integer(timeOf(t).Unix())
	}
	s := strings.TrimPrefix(v.Str(), "M")
	minutes, seconds, ok := strings.Cut(s, ":")
	if !ok {
		n, _ := value.ParseNumber(s)
		return answer(n)
	}
	if strings.Contains(seconds, ":") {
		return no()
	}
	m, _ := value.ParseNumber(minutes)
	n, _ := value.ParseNumber(seconds)
	if m.IsNull() {
		m = value.OfInt(0)
	}
	if n.IsNull() {
		n = value.OfInt(0)
	}
	if zero := value.OfInt(0); value.Compare(m, zero) <= 0 && value.Compare(n, zero) <= 0 {
		return no()
	}
	return answer(value.Compute('+', value.Compute('*', m, value.OfInt(60)), n))
}

// formatDate formats a date by the directives of strftime.
func formatDate(_ *Record, args []value.Value) (value.Value, bool) {
	t, ok := zonedDate(args[0])
	layout, ok2 := scalarText(args[1])
	if !ok || !ok2 || len(layout) > maxText/10 {
		return no()
	}
	return text(strftime.Format(layout, t))
}

// unixText returns the seconds since 1970, or the milliseconds or microseconds if a unit
// is given.
func unixText(r *Record, args []value.Value) (value.Value, bool) {
	if len(args) == 1 {
		t, ok := zonedDate(args[0])
		if !ok {
			return no()
		}
		return text(strconv.FormatInt(t.Unix(), 10))
	}
	t, ok := toTime(r, args[0])
	unit, ok2 := scalarText(args[1])
	if !ok || !ok2 {
		return no()
	}
	ms, us := millis(t), t.Micros()
	switch strings.ToLower(unit) {
	case "s", "seconds":
		return text(fmt.Sprintf("%d.%03d", ms/1000, max(ms%1000, -(ms%1000))))
	case "ms", "milliseconds":
		return text(strconv.FormatInt(ms, 10))
	case "sm", "secondsmicro":
		return text(fmt.Sprintf("%d.%06d", us/1_000_000, max(us%1_000_000, -(us%1_000_000))))
	}
	return no()
}
