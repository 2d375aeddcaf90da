package syntax

import (
	"strconv"
	"strings"
)

// stringLiteral scans the string literal at l.pos, with Databricks' escapes unless it
// is raw. A doubled quote ends one literal and begins another, and adjacent literals
// are concatenated: 'It”s' is Its.
func (l *lexer) stringLiteral(start int, raw bool) (Token, error) {
	quote := l.src[l.pos]
	var b strings.Builder
	i := l.pos + 1
	for i < len(l.src) {
		c := l.src[i]
		switch {
		case c == quote:
			l.pos = i + 1
			return Token{Kind: StringToken, Text: b.String(), Start: start, End: l.pos}, nil
		case c == '\\' && !raw && i+1 < len(l.src):
			i += unescape(&b, l.src[i:])
		default:
			b.WriteByte(c)
			i++
		}
	}
	return Token{}, l.syntaxError(start, "the string is not closed")
}

// unescape writes the character for the escape sequence at the start of s, and
// returns the sequence's length.
func unescape(b *strings.Builder, s string) int {
	switch s[1] {
	case '0', '1', '2', '3':
		if len(s) >= 4 && isOctal(s[2]) && isOctal(s[3]) {
			v, _ := strconv.ParseUint(s[1:4], 8, 16)
			b.WriteRune(rune(v))
			return 4
		}
		if s[1] == '0' {
			b.WriteByte(0)
			return 2
		}
	case 'u', 'U':
		n := 4
		if s[1] == 'U' {
			n = 8
		}
		if len(s) >= 2+n {
			if v, err := strconv.ParseUint(s[2:2+n], 16, 32); err == nil {
				return writeUnicode(b, s, rune(v), n)
			}
		}
	case 'b':
		b.WriteByte('\b')
		return 2
	case 'n':
		b.WriteByte('\n')
		return 2
	case 'r':
		b.WriteByte('\r')
		return 2
	case 't':
		b.WriteByte('\t')
		return 2
	case 'Z':
		b.WriteByte(0x1a)
		return 2
	case '%', '_':
		// The backslash stays, since LIKE needs it.
		b.WriteString(s[:2])
		return 2
	}
	b.WriteByte(s[1])
	return 2
}

// writeUnicode writes \uXXXX, and joins a surrogate pair.
func writeUnicode(b *strings.Builder, s string, v rune, n int) int {
	used := 2 + n
	if v >= 0xd800 && v < 0xdc00 && len(s) >= used+6 && s[used] == '\\' && s[used+1] == 'u' {
		if low, err := strconv.ParseUint(s[used+2:used+6], 16, 32); err == nil && low >= 0xdc00 && low < 0xe000 {
			b.WriteRune(0x10000 + (v-0xd800)<<10 + rune(low) - 0xdc00)
			return used + 6
		}
	}
	b.WriteRune(v)
	return used
}

func isOctal(c byte) bool { return c >= '0' && c <= '7' }
