package sparkvalue

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Zone returns the time zone with a name or an offset.
func Zone(name string) (*time.Location, error) {
	if strings.EqualFold(name, "z") {
		return time.UTC, nil
	}
	rest := name
	for _, prefix := range []string{"UTC", "GMT", "UT"} {
		if r, ok := strings.CutPrefix(name, prefix); ok && r != "" {
			rest = r
			break
		}
	}
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if secs, ok := offset(rest); ok {
			return time.FixedZone(rest, secs), nil
		}
		return nil, fmt.Errorf("the zone offset %q is not of the form +hh:mm", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("find the time zone %q: %w", name, err)
	}
	return loc, nil
}

// offset parses +h, +hh, +hh:mm, +hhmm and +hh:mm:ss.
func offset(s string) (seconds int, ok bool) {
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	s = s[1:]
	if !strings.Contains(s, ":") && len(s) == 4 {
		s = s[:2] + ":" + s[2:]
	}
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, false
	}
	for i, unit := range []int{3600, 60, 1}[:len(parts)] {
		n, err := strconv.Atoi(parts[i])
		if err != nil || len(parts[i]) > 2 || i > 0 && (len(parts[i]) != 2 || n > 59) || i == 0 && n > 18 {
			return 0, false
		}
		seconds += n * unit
	}
	return sign * seconds, true
}

// digits parses between low and high digits at the start of s.
func digits(s string, low, high int) (n int, rest string, ok bool) {
	i := 0
	for i < len(s) && i < high && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= low
}

// date parses yyyy, yyyy-[m]m or yyyy-[m]m-[d]d.
func date(s string) (y, m, d int, rest string, ok bool) {
	sign := 1
	if strings.HasPrefix(s, "-") {
		sign, s = -1, s[1:]
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	y, rest, ok = digits(s, 4, 7)
	y *= sign
	m, d = 1, 1
	if !ok || !strings.HasPrefix(rest, "-") {
		return y, m, d, rest, ok
	}
	if m, rest, ok = digits(rest[1:], 1, 2); !ok {
		return
	}
	if strings.HasPrefix(rest, "-") {
		if d, rest, ok = digits(rest[1:], 1, 2); !ok {
			return
		}
	}
	ok = m >= 1 && m <= 12 && d >= 1 && d <= time.Date(y, time.Month(m)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return
}

// ParseDate parses a date as days since 1970. As in Spark, text after a space or T is
// ignored.
func ParseDate(s string) (days int64, ok bool) {
	y, m, d, rest, ok := date(trim(s))
	if !ok || rest != "" && rest[0] != ' ' && rest[0] != 'T' {
		return 0, false
	}
	return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix() / 86400, isValidYear(y)
}

// isValidYear reports whether a year is in the range that both Databricks' DATE and
// DuckDB support.
func isValidYear(y int) bool { return y >= -9999 && y <= 9999 }

// ParseTimestamp parses a timestamp as microseconds since 1970. zoned reports whether
// the text has a time zone; without one, it is in loc. A time without a date is today.
func ParseTimestamp(s string, loc *time.Location, now time.Time) (micros int64, zoned, ok bool) {
	s = trim(s)
	var y, m, d int
	rest := s
	if strings.HasPrefix(s, "T") || strings.Contains(s, ":") && !strings.ContainsAny(s[:min(len(s), strings.IndexByte(s, ':'))], "- T") {
		if loc == nil || now.IsZero() {
			return 0, false, false
		}
		today := now.In(loc)
		y, m, d = today.Year(), int(today.Month()), today.Day()
		rest = strings.TrimPrefix(s, "T")
	} else {
		y, m, d, rest, ok = date(s)
		if !ok {
			return 0, false, false
		}
		if rest != "" {
			if rest[0] != ' ' && rest[0] != 'T' {
				return 0, false, false
			}
			rest = rest[1:]
			if rest == "" {
				return 0, false, false
			}
		}
	}
	var hour, minute, second, micro int
	if rest != "" {
		if hour, rest, ok = digits(rest, 1, 2); !ok {
			return 0, false, false
		}
		if strings.HasPrefix(rest, ":") {
			if minute, rest, ok = digits(rest[1:], 1, 2); !ok {
				return 0, false, false
			}
			if !strings.HasPrefix(rest, ":") {
				rest = " " + rest // only a time zone may follow
			}
		}
		if strings.HasPrefix(rest, ":") {
			if second, rest, ok = digits(rest[1:], 1, 2); !ok {
				return 0, false, false
			}
			if strings.HasPrefix(rest, ".") {
				micro, rest = fraction(rest[1:])
			}
		}
		if hour > 23 || minute > 59 || second > 59 {
			return 0, false, false
		}
	}
	if zone := strings.TrimLeft(rest, " "); zone != "" {
		l, err := Zone(zone)
		if err != nil {
			return 0, false, false
		}
		loc, zoned = l, true
	}
	t := time.Date(y, time.Month(m), d, hour, minute, second, micro*1000, loc)
	return t.UnixMicro(), zoned, isValidYear(y)
}

// fraction parses the digits after the point, and drops those after the sixth.
func fraction(s string) (micro int, rest string) {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	text := (s[:i] + "000000")[:6]
	micro, _ = strconv.Atoi(text)
	return micro, s[i:]
}

// ParseWallClock parses a timestamp and ignores its time zone.
func ParseWallClock(s string) (micros int64, ok bool) {
	s = trim(s)
	colon := strings.IndexByte(s, ':')
	if colon < 0 {
		return 0, false
	}
	end := colon
	for end < len(s) && strings.IndexByte("0123456789:.", s[end]) >= 0 {
		end++
	}
	micros, _, ok = ParseTimestamp(s[:end], time.UTC, time.Time{})
	return micros, ok
}
