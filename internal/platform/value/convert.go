package value

import (
	"strings"
	"time"
)

// longestTime is the length limit of a timestamp; no timestamp with a fraction and a
// zone is longer.
const longestTime = 40

// ParseTime parses an ISO 8601 date or timestamp, with "T" or a space, with or without
// a fraction. A time without a zone is UTC, like the sessions of an import.
func ParseTime(s string) (Value, bool) {
	if micros, ok := ParseFixedTime(s); ok {
		return OfMicros(micros), true
	}
	return parseAnyTime(s)
}

func parseAnyTime(s string) (Value, bool) {
	if len(s) < len(time.DateOnly) || len(s) > longestTime {
		return Value{}, false
	}
	t, err := time.Parse(time.DateOnly, s[:10])
	if len(s) > len(time.DateOnly) {
		if c := s[10]; c != 'T' && c != 't' && c != ' ' {
			return Value{}, false
		}
		t, err = time.Parse(time.RFC3339Nano, string(appendRFC3339(make([]byte, 0, 48), s)))
	}
	if err != nil || t.UTC().Year() < 0 || t.UTC().Year() > 9999 {
		return Value{}, false
	}
	return OfTime(t), true
}

// appendRFC3339 appends a timestamp in RFC 3339, adding the parts that a shorter form
// leaves out.
func appendRFC3339(b []byte, s string) []byte {
	clock, zone := s[11:], "Z"
	if i := strings.IndexAny(clock, "Zz+-"); i >= 0 {
		clock, zone = clock[:i], clock[i:]
	}
	clock = strings.TrimRight(clock, " ")
	b = append(b, s[:10]...)
	b = append(b, 'T')
	b = append(b, clock...)
	if len(clock) == len("15:04") {
		b = append(b, ":00"...)
	}
	switch {
	case zone == "z":
		return append(b, 'Z')
	case len(zone) == len("+01"):
		return append(append(b, zone...), ":00"...)
	case len(zone) == len("+0100"):
		return append(append(append(b, zone[:3]...), ':'), zone[3:]...)
	default:
		return append(b, zone...)
	}
}

// ParseBool parses the usual words for a boolean, in any case.
func ParseBool(s string) (Value, bool) {
	switch strings.ToLower(s) {
	case "true", "t", "yes", "y", "1":
		return OfBool(true), true
	case "false", "f", "no", "n", "0":
		return OfBool(false), true
	}
	return Value{}, false
}

// ToNumber converts a number or a numeric string; the result is NULL otherwise.
func ToNumber(v Value) Value {
	switch v.kind {
	case Number:
		return v
	case String:
		n, _ := ParseNumber(strings.TrimSpace(v.str))
		return n
	default:
		return Value{}
	}
}

// ToBool converts a boolean, 0, 1, or a word for a boolean; the result is NULL
// otherwise.
func ToBool(v Value) Value {
	switch v.kind {
	case Bool:
		return v
	case Number:
		if i, ok := v.Int(); ok && (i == 0 || i == 1) {
			return OfBool(i == 1)
		}
	case String:
		b, _ := ParseBool(strings.TrimSpace(v.str))
		return b
	}
	return Value{}
}

// ToTime converts an instant or an ISO 8601 string; the result is NULL otherwise.
func ToTime(v Value) Value {
	switch v.kind {
	case Time:
		return v
	case String:
		t, _ := ParseTime(strings.TrimSpace(v.str))
		return t
	default:
		return Value{}
	}
}

// ToString converts a value to its text; NULL stays NULL.
func ToString(v Value) Value {
	if v.kind == String || v.kind == Null {
		return v
	}
	return OfString(v.Text())
}
