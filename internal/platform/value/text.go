package value

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"
)

// Text is the value as an export writes it: numbers with all digits, instants in RFC
// 3339 UTC with microseconds, collections as JSON, NULL as an empty text.
func (v Value) Text() string {
	switch v.kind {
	case Null:
		return ""
	case String:
		return v.str
	case Bool:
		if v.num != 0 {
			return "true"
		}
		return "false"
	default:
		return string(v.AppendText(nil))
	}
}

// AppendText appends the result of Text.
func (v Value) AppendText(b []byte) []byte {
	switch v.kind {
	case Null:
		return b
	case String:
		return append(b, v.str...)
	case Number:
		return appendNumber(b, v)
	case Time:
		return appendTime(b, v)
	default:
		return v.AppendJSON(b)
	}
}

func appendTime(b []byte, v Value) []byte { return AppendTime(b, time.UnixMicro(v.num)) }

// AppendTime appends an instant in RFC 3339, in UTC with microseconds. The result always
// has the same length; the year has four digits.
func AppendTime(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	micros := t.Nanosecond() / 1000
	b = append(b, "0000-00-00T00:00:00.000000Z"...)
	at := b[len(b)-len("0000-00-00T00:00:00.000000Z"):]
	putDigits(at[0:], year/100)
	putDigits(at[2:], year%100)
	putDigits(at[5:], int(month))
	putDigits(at[8:], day)
	putDigits(at[11:], hour)
	putDigits(at[14:], minute)
	putDigits(at[17:], second)
	putDigits(at[20:], micros/10_000)
	putDigits(at[22:], micros/100%100)
	putDigits(at[24:], micros%100)
	return b
}

// putDigits writes a number below 100 as two digits.
func putDigits(at []byte, n int) {
	at[1], at[0] = byte('0'+n%10), byte('0'+n/10)
}

// AppendJSON appends the value as JSON. Maps are sorted by key.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.kind {
	case Null:
		return append(b, "null"...)
	case String:
		return AppendJSONString(b, v.str)
	case Time:
		b = append(b, '"')
		return append(appendTime(b, v), '"')
	case List:
		b = append(b, '[')
		for i, e := range v.List() {
			if i > 0 {
				b = append(b, ',')
			}
			b = e.AppendJSON(b)
		}
		return append(b, ']')
	case Map:
		b = append(b, '{')
		for i, e := range v.Entries() {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSONString(b, e.Key)
			b = append(b, ':')
			b = e.Value.AppendJSON(b)
		}
		return append(b, '}')
	case Number:
		return appendNumber(b, v)
	default:
		return append(b, v.Text()...)
	}
}

// AppendJSONString appends a string as JSON. It escapes only the characters that JSON
// requires to be escaped.
func AppendJSONString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	// Encoding a string cannot fail; bytes that are not UTF-8 become U+FFFD.
	_ = e.Encode(s)
	return append(b, strings.TrimSuffix(out.String(), "\n")...)
}

// maxNesting is the depth down to which JSON is converted; deeper values stay text. A
// stored value is read down to two levels more: it may be an entry of a map.
const maxNesting = 64

// nestedDeeperThan reports whether collections contain each other on more levels.
func (v Value) nestedDeeperThan(levels int) bool {
	switch v.kind {
	case List:
		return levels == 0 || slices.ContainsFunc(v.List(), func(e Value) bool { return e.nestedDeeperThan(levels - 1) })
	case Map:
		return levels == 0 || slices.ContainsFunc(v.Entries(), func(e Entry) bool { return e.Value.nestedDeeperThan(levels - 1) })
	default:
		return false
	}
}

// FromJSON converts a parsed JSON value. Numbers keep their digits; a number beyond the
// limits becomes NULL. JSON's null becomes OfNull.
func FromJSON(r gjson.Result) Value { return fromJSON(r, 0) }

func fromJSON(r gjson.Result, depth int) Value {
	switch r.Type {
	case gjson.True:
		return OfBool(true)
	case gjson.False:
		return OfBool(false)
	case gjson.Number:
		v, _ := ParseNumber(r.Raw)
		return v
	case gjson.String:
		return OfString(r.Str)
	case gjson.JSON:
		if depth >= maxNesting {
			return OfString(r.Raw)
		}
		return fromComposite(r, depth)
	default:
		if r.Raw == "" {
			return Value{}
		}
		return OfNull()
	}
}

func fromComposite(r gjson.Result, depth int) Value {
	if r.IsArray() {
		var l []Value
		r.ForEach(func(_, e gjson.Result) bool {
			l = append(l, fromJSON(e, depth+1))
			return true
		})
		return OfList(l)
	}
	var m []Entry
	r.ForEach(func(k, e gjson.Result) bool {
		m = append(m, Entry{Key: k.Str, Value: fromJSON(e, depth+1)})
		return true
	})
	return OfMap(m)
}
