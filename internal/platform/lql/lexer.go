package lql

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Dialect is one of the two languages.
type Dialect uint8

// The dialects. In filters, a name may be in single quotes and may contain dashes and
// slashes, and comments are allowed anywhere. In expressions, single quotes enclose a
// string, and comments are allowed after the first token only.
const (
	Expressions Dialect = iota
	Filters
)

type lexer struct {
	dialect Dialect
	src     string
	pos     int
	// begun means that at least one token was read.
	begun bool
}

func (l *lexer) errorf(pos int, format string, args ...any) *Error {
	return errorAt(l.src, pos, format, args...)
}

var symbols = []string{
	"==",
	"!=",
	"<>",
	"<=",
	">=",
	"&&",
	"||",
	"=",
	"<",
	">",
	"(",
	")",
	"[",
	"]",
	"{",
	"}",
	":",
	",",
	";",
	"*",
	"-",
	"+",
	"/",
	"%",
	"!",
}

func (l *lexer) next() (token, *Error) {
	newLine, err := l.skip()
	if err != nil {
		return token{}, err
	}
	start := l.pos
	t := token{pos: start, newLine: newLine}
	if start == len(l.src) {
		return t, nil
	}
	l.begun = true
	r, size := utf8.DecodeRuneInString(l.src[start:])
	switch {
	case r == utf8.RuneError && size == 1:
		return t, l.errorf(start, "this is not UTF-8 text")
	case nameStart(r):
		return l.name(t)
	case isDigit(byte(r)) && size == 1:
		return l.number(t)
	case r == '"', r == '\'' && l.dialect == Expressions:
		return l.quotedString(t, byte(r))
	case r == '`', r == '\'', r == '[' && l.bracketName():
		return l.name(t)
	}
	for _, s := range symbols {
		if strings.HasPrefix(l.src[start:], s) {
			l.pos += len(s)
			t.kind, t.text = tokenSymbol, s
			return t, nil
		}
	}
	return t, l.errorf(start, "%q is not allowed here", r)
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func nameStart(r rune) bool { return r == '_' || r == '@' || unicode.IsLetter(r) }

func namePart(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// bracketName distinguishes [name] from a list such as ["a"].
func (l *lexer) bracketName() bool {
	r, _ := utf8.DecodeRuneInString(l.src[l.pos+1:])
	return nameStart(r)
}

// skip skips spaces and comments, and reports whether a line ended.
func (l *lexer) skip() (newLine bool, err *Error) {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "//"), rest[0] == '#':
			if l.dialect == Expressions && !l.begun {
				return false, l.errorf(l.pos, "a comment is allowed after the expression, not before it")
			}
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
			continue
		case strings.HasPrefix(rest, "/*") && l.dialect == Filters && !l.begun:
			end := strings.Index(rest[2:], "*/")
			if end < 0 {
				return false, l.errorf(l.pos, "this comment is not closed")
			}
			l.pos += end + 4
			continue
		case strings.HasPrefix(rest, "/*"):
			return false, l.errorf(l.pos, "a comment in /* */ is allowed before FILTER only; -- begins a comment to the end of the line")
		}
		r, n := utf8.DecodeRuneInString(rest)
		if !unicode.IsSpace(r) {
			break
		}
		newLine = newLine || r == '\n'
		l.pos += n
	}
	return newLine, nil
}

// bare reads a name without quotes; it may contain dots.
func (l *lexer) bare() string {
	start := l.pos
	for l.pos < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !namePart(r) && r != '.' && !(l.pos == start && r == '@') {
			after, _ := utf8.DecodeRuneInString(l.src[l.pos+n:])
			if l.dialect != Filters || r != '-' && r != '/' || !namePart(after) {
				break
			}
		}
		l.pos += n
	}
	return l.src[start:l.pos]
}

// name reads a name: parts without quotes or in quotes, with dots between them.
func (l *lexer) name(t token) (token, *Error) {
	t.kind = tokenName
	var parts []string
	for more := true; more; {
		part, err := l.namePart(&t)
		if err != nil {
			return t, err
		}
		parts = append(parts, part)
		if more = l.atQuote(1) && l.src[l.pos] == '.'; more {
			l.pos++
		} else {
			more = l.atQuote(0) && l.src[l.pos-1] == '.'
		}
	}
	t.text = strings.Join(parts, ".")
	first, rest := parts[0], parts[1:]
	switch {
	case strings.HasSuffix(t.text, ".") && !t.quoted:
		return t, l.errorf(l.pos, "expected a key after the dot")
	case first == "":
		return t, l.errorf(t.pos, "a name is missing")
	case len(rest) == 0:
		t.name = name{exact: first}
		t.name.left, t.name.key, t.name.keyed = strings.Cut(first, ".")
		if t.name.left == "" {
			t.name = name{exact: first, left: first}
		}
	default:
		t.name.left, t.name.key = first, strings.Join(rest, ".")
		if l.src[t.pos] != '`' && l.src[t.pos] != '[' {
			// The part without quotes may contain dots: a.b.`c d` is the key "b.c d" of a.
			t.name.left, t.name.key, _ = strings.Cut(t.text, ".")
		}
		t.name.keyed = true
	}
	t.adjoins = l.pos < len(l.src) && l.src[l.pos] == '('
	return t, nil
}

// namePart reads one part of a name, in quotes or without.
func (l *lexer) namePart(t *token) (string, *Error) {
	switch c := l.src[l.pos]; c {
	case '`', '\'':
		t.quoted = true
		return l.quotedName(c)
	case '[':
		t.quoted = true
		return l.quotedName(']')
	}
	part := l.bare()
	if l.atQuote(0) {
		part = strings.TrimSuffix(part, ".")
	}
	return part, nil
}

// atQuote reports whether a quoted part of a name begins ahead bytes after the current
// position.
func (l *lexer) atQuote(ahead int) bool {
	rest := l.src[min(l.pos+ahead, len(l.src)):]
	if rest == "" {
		return false
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return r == '`' || r == '[' || ahead == 1 && namePart(r)
}

// quotedName reads up to the closing quote. A doubled quote is a quote in the name.
func (l *lexer) quotedName(closing byte) (string, *Error) {
	start := l.pos
	l.pos++
	var out strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		if c != closing {
			out.WriteByte(c)
			continue
		}
		if closing != '`' || l.pos == len(l.src) || l.src[l.pos] != closing {
			return out.String(), nil
		}
		out.WriteByte(c)
		l.pos++
	}
	return "", l.errorf(start, "this %c is not closed", l.src[start])
}

// number reads digits with a fraction and an exponent, or 0x and digits.
func (l *lexer) number(t token) (token, *Error) {
	t.kind = tokenNumber
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		sign := (c == '+' || c == '-') && (l.src[l.pos-1] == 'e' || l.src[l.pos-1] == 'E') && !strings.HasPrefix(l.src[t.pos:], "0x")
		if r, n := utf8.DecodeRuneInString(l.src[l.pos:]); !sign && !namePart(r) && r != '.' {
			break
		} else if !sign {
			l.pos += n
			continue
		}
		l.pos++
	}
	t.text = l.src[t.pos:l.pos]
	return t, nil
}

// quotedString reads up to the closing quote. A doubled quote, and a quote after a
// backslash, is a quote in the string. Any other backslash is a backslash in the string.
func (l *lexer) quotedString(t token, quote byte) (token, *Error) {
	l.pos++
	var out strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch {
		case c == quote && (l.pos == len(l.src) || l.src[l.pos] != quote):
			t.kind, t.text = tokenString, out.String()
			return t, nil
		case c == quote:
			out.WriteByte(quote)
			l.pos++
		case c == '\\' && l.escapes(quote):
			out.WriteByte(quote)
			l.pos++
		default:
			out.WriteByte(c)
		}
	}
	return t, l.errorf(t.pos, "this %c is not closed", quote)
}

// escapes reports whether the backslash before the current quote escapes it. The last
// quote of the text always closes the string.
func (l *lexer) escapes(quote byte) bool {
	return l.pos < len(l.src) && l.src[l.pos] == quote && strings.IndexByte(l.src[l.pos+1:], quote) >= 0
}
