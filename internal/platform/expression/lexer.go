package expression

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
	tokenOperator
)

type token struct {
	kind tokenKind
	// text is the name, operator, number, or the string's content.
	text string
	pos  int
}

// describe names a token in an error.
func (t token) describe() string {
	switch t.kind {
	case tokenEnd:
		return "the end"
	case tokenString:
		return "the string " + quoteShort(t.text)
	default:
		return quoteShort(t.text)
	}
}

func quoteShort(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return fmt.Sprintf("%q", s)
}

// Error is a fault in an expression, and where it is.
type Error struct {
	// Column counts characters from 1.
	Column int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

type lexer struct {
	src string
	pos int
}

func (l *lexer) errorf(pos int, format string, args ...any) *Error {
	return &Error{Column: utf8.RuneCountInString(l.src[:pos]) + 1, Reason: fmt.Sprintf(format, args...)}
}

var operators = []string{"==", "!=", "<>", "<=", ">=", "&&", "||", "=", "<", ">", "+", "-", "*", "/", "%", "(", ")", ",", ".", "!"}

func (l *lexer) next() (token, *Error) {
	for l.pos < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !unicode.IsSpace(r) {
			break
		}
		l.pos += n
	}
	start := l.pos
	if start == len(l.src) {
		return token{kind: tokenEnd, pos: start}, nil
	}
	r, size := utf8.DecodeRuneInString(l.src[start:])
	switch {
	case r == utf8.RuneError && size == 1:
		return token{}, l.errorf(start, "this is not UTF-8 text")
	case nameStart(r):
		return l.name(), nil
	case r >= '0' && r <= '9':
		return l.number(), nil
	case r == '\'' || r == '"':
		return l.quoted(byte(r), tokenString)
	case r == '`':
		return l.quoted('`', tokenQuotedName)
	}
	for _, op := range operators {
		if strings.HasPrefix(l.src[start:], op) {
			l.pos += len(op)
			return token{kind: tokenOperator, text: op, pos: start}, nil
		}
	}
	return token{}, l.errorf(start, "%q is no part of an expression", r)
}

func nameStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

func namePart(r rune) bool {
	return nameStart(r) || r == '$' || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)
}

func (l *lexer) name() token {
	start := l.pos
	for l.pos < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.pos:])
		if !namePart(r) {
			break
		}
		l.pos += n
	}
	return token{kind: tokenName, text: l.src[start:l.pos], pos: start}
}

// number takes digits, a fraction and an exponent.
func (l *lexer) number() token {
	start := l.pos
	digits := func() {
		for l.pos < len(l.src) && l.src[l.pos] >= '0' && l.src[l.pos] <= '9' {
			l.pos++
		}
	}
	digits()
	if l.pos < len(l.src) && l.src[l.pos] == '.' {
		l.pos++
		digits()
	}
	if l.pos < len(l.src) && (l.src[l.pos] == 'e' || l.src[l.pos] == 'E') {
		l.pos++
		if l.pos < len(l.src) && (l.src[l.pos] == '+' || l.src[l.pos] == '-') {
			l.pos++
		}
		digits()
	}
	return token{kind: tokenNumber, text: l.src[start:l.pos], pos: start}
}

// quoted reads up to the closing quote, which doubled stands for itself. In
// strings a backslash escapes; in back-quoted names it is a character.
func (l *lexer) quoted(quote byte, kind tokenKind) (token, *Error) {
	start := l.pos
	l.pos++
	var out strings.Builder
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		switch {
		case c == quote:
			l.pos++
			if l.pos == len(l.src) || l.src[l.pos] != quote {
				return token{kind: kind, text: out.String(), pos: start}, nil
			}
			out.WriteByte(quote)
			l.pos++
		case c == '\\' && kind == tokenString:
			r, err := l.escape()
			if err != nil {
				return token{}, err
			}
			out.WriteByte(r)
		default:
			out.WriteByte(c)
			l.pos++
		}
	}
	return token{}, l.errorf(start, "this %c is not closed", quote)
}

func (l *lexer) escape() (byte, *Error) {
	start := l.pos
	l.pos += 2
	if l.pos > len(l.src) {
		l.pos = len(l.src)
		return 0, l.errorf(start, `a backslash at the end; write \\ for a backslash`)
	}
	switch c := l.src[start+1]; c {
	case '\\', '\'', '"':
		return c, nil
	case 'n':
		return '\n', nil
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	default:
		return 0, l.errorf(start, `unknown escape; write \\ for a backslash`)
	}
}
