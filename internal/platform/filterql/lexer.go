package filterql

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenQuotedName
	tokenString
	tokenNumber
	tokenSymbol
)

type token struct {
	kind tokenKind
	text string
	pos  int
	// newLine tells that a line ended before the token.
	newLine bool
}

// is tests for a keyword or symbol, without regard to case.
func (t token) is(text string) bool {
	return (t.kind == tokenName || t.kind == tokenSymbol) && strings.EqualFold(t.text, text)
}

func (t token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return "the string " + short(t.text)
	default:
		return short(t.text)
	}
}

func short(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

// Error is a fault in a filter, and where it is.
type Error struct {
	// Line and Column count from 1, columns in characters. Both are 0 when the
	// fault is no matter of a place.
	Line, Column int
	Reason       string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return e.Reason
	case e.Line == 1:
		return fmt.Sprintf("column %d: %s", e.Column, e.Reason)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

type lexer struct {
	src string
	pos int
}

func (l *lexer) errorf(pos int, format string, args ...any) *Error {
	before := l.src[:pos]
	lineStart := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		Line:   strings.Count(before, "\n") + 1,
		Column: utf8.RuneCountInString(before[lineStart:]) + 1,
		Reason: fmt.Sprintf(format, args...),
	}
}

var symbols = []string{"==", "!=", "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "*", "-"}

func (l *lexer) next() (token, *Error) {
	newLine := l.skip()
	start := l.pos
	if start == len(l.src) {
		return token{kind: tokenEnd, pos: start, newLine: newLine}, nil
	}
	t := token{pos: start, newLine: newLine}
	r, size := utf8.DecodeRuneInString(l.src[start:])
	switch {
	case r == utf8.RuneError && size == 1:
		return t, l.errorf(start, "this is not UTF-8 text")
	case r == '_' || unicode.IsLetter(r):
		t.kind, t.text = tokenName, l.run(namePart)
		return t, nil
	case r >= '0' && r <= '9':
		t.kind, t.text = tokenNumber, l.number()
		return t, nil
	case r == '\'' || r == '"':
		return l.quoted(t, byte(r), tokenString)
	case r == '`':
		return l.quoted(t, '`', tokenQuotedName)
	}
	for _, s := range symbols {
		if strings.HasPrefix(l.src[start:], s) {
			l.pos += len(s)
			t.kind, t.text = tokenSymbol, s
			return t, nil
		}
	}
	return t, l.errorf(start, "%q is no part of a filter", r)
}

func namePart(r rune) bool {
	return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

// skip passes over spaces and comments, and tells whether a line ended.
func (l *lexer) skip() bool {
	newLine := false
	for l.pos < len(l.src) {
		if strings.HasPrefix(l.src[l.pos:], "--") {
			end := strings.IndexByte(l.src[l.pos:], '\n')
			if end < 0 {
				end = len(l.src) - l.pos
			}
			l.pos += end
			continue
		}
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !unicode.IsSpace(r) {
			break
		}
		newLine = newLine || r == '\n'
		l.pos += n
	}
	return newLine
}

func (l *lexer) run(part func(rune) bool) string {
	start := l.pos
	for l.pos < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !part(r) {
			break
		}
		l.pos += n
	}
	return l.src[start:l.pos]
}

// number takes what may be a number, or a key that begins with a digit; the
// parser knows which.
func (l *lexer) number() string {
	start := l.pos
	l.run(func(r rune) bool { return namePart(r) || r == '.' })
	exponent := l.pos > start && (l.src[l.pos-1] == 'e' || l.src[l.pos-1] == 'E')
	if exponent && l.pos+1 < len(l.src) && (l.src[l.pos] == '-' || l.src[l.pos] == '+') && l.src[l.pos+1]-'0' <= 9 {
		l.pos++
		l.run(unicode.IsDigit)
	}
	return l.src[start:l.pos]
}

// quoted reads up to the closing quote, which doubled stands for itself; in
// strings a backslash makes the next quote or backslash a character.
func (l *lexer) quoted(t token, quote byte, kind tokenKind) (token, *Error) {
	l.pos++
	var out strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch {
		case c == quote:
			if l.pos == len(l.src) || l.src[l.pos] != quote {
				t.kind, t.text = kind, out.String()
				return t, nil
			}
			out.WriteByte(quote)
			l.pos++
		case c == '\\' && kind == tokenString && l.pos < len(l.src) && strings.IndexByte(`\"'`, l.src[l.pos]) >= 0:
			out.WriteByte(l.src[l.pos])
			l.pos++
		default:
			out.WriteByte(c)
		}
	}
	return t, l.errorf(t.pos, "this %c is not closed", quote)
}
