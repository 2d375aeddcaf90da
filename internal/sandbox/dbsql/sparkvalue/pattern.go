package sparkvalue

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

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

// ParsePattern parses text by a Java date-time pattern. known is false if the pattern
// has letters that are not supported.
func ParsePattern(s, pattern string, loc *time.Location) (micros int64, known, ok bool) {
	p := &patternReader{text: s, loc: loc, year: 1970, month: 1, day: 1, hour12: -1}
	optional := false
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '[' || c == ']':
			optional = c == '['
			if optional && p.text == "" {
				i += strings.IndexByte(pattern[i:]+"]", ']')
				continue
			}
			i++
		case c == '\'':
			end := strings.IndexByte(pattern[i+1:], '\'')
			if end < 0 {
				return 0, false, false
			}
			if !p.literal(pattern[i+1 : i+1+max(end, 0)]) {
				return 0, true, false
			}
			i += end + 2
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			j := i
			for j < len(pattern) && pattern[j] == c {
				j++
			}
			known, ok := p.field(c, j-i)
			if !known || !ok {
				return 0, known, ok
			}
			i = j
		default:
			if !p.literal(pattern[i : i+1]) {
				return 0, true, false
			}
			i++
		}
	}
	if p.text != "" {
		return 0, true, false
	}
	micros, ok = p.micros()
	return micros, true, ok
}

type patternReader struct {
	text                      string
	loc                       *time.Location
	year, month, day          int
	hour, minute, second, sub int
	hour12                    int
	pm                        bool
}

func (p *patternReader) literal(s string) bool {
	rest, ok := strings.CutPrefix(p.text, s)
	p.text = rest
	return ok
}

func (p *patternReader) int(n int, to *int) bool {
	high := n
	if n == 1 {
		high = 2
	}
	v, rest, ok := digits(p.text, n, high)
	*to, p.text = v, rest
	return ok
}

func (p *patternReader) field(c byte, n int) (known, ok bool) {
	switch c {
	case 'y', 'u':
		switch n {
		case 2:
			ok = p.int(2, &p.year)
			p.year += 2000
		case 4, 1:
			ok = p.int(4, &p.year)
		default:
			return false, false
		}
		return true, ok
	case 'M', 'L':
		if n < 3 {
			return true, p.int(n, &p.month)
		}
		for m := time.January; m <= time.December; m++ {
			name := m.String()
			if n == 3 {
				name = name[:3]
			}
			if p.literal(name) {
				p.month = int(m)
				return true, true
			}
		}
		return true, false
	case 'd':
		return n <= 2, p.int(n, &p.day)
	case 'H':
		return n <= 2, p.int(n, &p.hour)
	case 'h':
		return n <= 2, p.int(n, &p.hour12)
	case 'm':
		return n <= 2, p.int(n, &p.minute)
	case 's':
		return n <= 2, p.int(n, &p.second)
	case 'S':
		_, rest, ok := digits(p.text, n, n)
		if ok {
			p.sub, _ = fraction(p.text[:n])
		}
		p.text = rest
		return true, ok
	case 'a':
		if len(p.text) < 2 {
			return true, false
		}
		p.pm = strings.EqualFold(p.text[:2], "PM")
		ok = p.pm || strings.EqualFold(p.text[:2], "AM")
		p.text = p.text[2:]
		return true, ok
	case 'X', 'x', 'Z', 'V', 'z', 'O':
		end := strings.IndexByte(p.text+" ", ' ')
		loc, err := Zone(p.text[:end])
		if err != nil {
			return true, false
		}
		p.loc, p.text = loc, p.text[end:]
		return true, true
	case 'E':
		for d := time.Sunday; d <= time.Saturday; d++ {
			if p.literal(d.String()) || p.literal(d.String()[:3]) {
				return true, true
			}
		}
		return true, false
	}
	return false, false
}

func (p *patternReader) micros() (int64, bool) {
	if p.hour12 >= 0 {
		p.hour = p.hour12 % 12
		if p.pm {
			p.hour += 12
		}
	}
	if p.month < 1 || p.month > 12 || p.day < 1 || p.day > time.Date(p.year, time.Month(p.month)+1, 0, 0, 0, 0, 0, time.UTC).Day() ||
		p.hour > 23 || p.minute > 59 || p.second > 59 {
		return 0, false
	}
	return time.Date(p.year, time.Month(p.month), p.day, p.hour, p.minute, p.second, p.sub*1000, p.loc).UnixMicro(), true
}

// MultiplyDecimals returns a*b rounded to a scale, half away from zero.
func MultiplyDecimals(a, b string, scale int) string {
	ua, sa, _ := splitDecimal(a)
	ub, sb, _ := splitDecimal(b)
	return formatDecimal(rescale(new(big.Int).Mul(ua, ub), sa+sb, scale), scale)
}

// RoundFloat rounds the shortest decimal form of f, half away from zero.
func RoundFloat(f float64, scale int) float64 {
	u, s, _ := splitDecimal(strconv.FormatFloat(f, 'f', -1, 64))
	if s <= scale {
		return f
	}
	u = rescale(u, s, scale)
	var text string
	if scale >= 0 {
		text = formatDecimal(u, scale)
	} else {
		text = u.String() + strings.Repeat("0", -scale)
	}
	out, _ := strconv.ParseFloat(text, 64)
	return out
}
