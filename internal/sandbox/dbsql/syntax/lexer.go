// Package syntax parses Databricks SQL: a lexer, the syntax tree, and a parser that
// refuses what Databricks' grammar refuses.
//
// The lexer serves both engines. The statements about rows serve the DuckDB engine alone:
// what that engine lacks is recognized, and refused with a hint at Spark.
package syntax

import (
	"strings"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
)

// TokenKind classifies tokens.
type TokenKind uint8

// The kinds of tokens.
const (
	EOF TokenKind = iota
	Word
	QuotedWord
	StringToken
	Number
	HexString
	Op
)

// Token is a lexical element.
type Token struct {
	Kind TokenKind
	// Text is the token as written, or the value of a string or quoted word.
	Text string
	// Upper is Text in upper case, for words.
	Upper string
	// Start and End delimit the token in the statement.
	Start, End int
}

type lexer struct {
	src string
	pos int
}

// Lex splits a statement into tokens; the last one is EOF.
func Lex(src string) ([]Token, error) {
	l := &lexer{src: src}
	var out []Token
	for {
		if err := l.skipSpace(); err != nil {
			return nil, err
		}
		if l.pos >= len(src) {
			return append(out, Token{Kind: EOF, Start: len(src), End: len(src)}), nil
		}
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
}

func (l *lexer) syntaxError(at int, hint string) error {
	r, _ := utf8.DecodeRuneInString(l.src[at:])
	line, pos := position(l.src, at)
	near := ""
	if at < len(l.src) {
		near = string(r)
	}
	return sqlerror.Syntax(near, hint, line, pos)
}

func position(src string, at int) (line, pos int) {
	before := src[:min(at, len(src))]
	return 1 + strings.Count(before, "\n"), len(before) - (strings.LastIndexByte(before, '\n') + 1)
}

func (l *lexer) skipSpace() error {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			l.pos++
		case strings.HasPrefix(rest, "\u00a0"):
			l.pos += 2
		case strings.HasPrefix(rest, "--"):
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				l.pos += i + 1
			} else {
				l.pos = len(l.src)
			}
		case strings.HasPrefix(rest, "/*"):
			if err := l.skipBlock(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// skipBlock skips a bracketed comment, which may contain others.
func (l *lexer) skipBlock() error {
	start, depth := l.pos, 0
	for l.pos < len(l.src) {
		switch {
		case strings.HasPrefix(l.src[l.pos:], "/*"):
			depth++
			l.pos += 2
		case strings.HasPrefix(l.src[l.pos:], "*/"):
			depth--
			l.pos += 2
			if depth == 0 {
				return nil
			}
		default:
			l.pos++
		}
	}
	line, pos := position(l.src, start)
	return sqlerror.New(
		"UNCLOSED_BRACKETED_COMMENT",
		"42601",
		"Found an unclosed bracketed comment. Please, append */ at the end of the comment. (line %d, pos %d)",
		line,
		pos,
	)
}

// ops are the operators, longest first.
var ops = []string{"<=>", "::", "<=", ">=", "<>", "!=", "==", "||", "->", "=>",
	"(", ")", ",", ".", ";", "[", "]", ":", "+", "-", "*", "/", "%", "=", "<", ">", "&", "|", "^", "~", "!", "?", "@", "{", "}"}

func (l *lexer) next() (Token, error) {
	start := l.pos
	c := l.src[start]
	switch {
	case c == '\'' || c == '"':
		return l.stringLiteral(start, false)
	case (c == 'r' || c == 'R') && start+1 < len(l.src) && (l.src[start+1] == '\'' || l.src[start+1] == '"'):
		l.pos++
		return l.stringLiteral(start, true)
	case (c == 'x' || c == 'X') && start+1 < len(l.src) && l.src[start+1] == '\'':
		l.pos++
		t, err := l.stringLiteral(start, true)
		t.Kind = HexString
		return t, err
	case c == '`':
		return l.quoted(start)
	case isDigit(c) || c == '.' && start+1 < len(l.src) && isDigit(l.src[start+1]) && !l.dotContinuesName(start):
		return l.number(start), nil
	case isWord(c):
		for l.pos < len(l.src) && isWord(l.src[l.pos]) {
			l.pos++
		}
		return l.word(start), nil
	}
	for _, op := range ops {
		if strings.HasPrefix(l.src[start:], op) {
			l.pos += len(op)
			return Token{Kind: Op, Text: op, Upper: op, Start: start, End: l.pos}, nil
		}
	}
	return Token{}, l.syntaxError(start, "extra input")
}

func (l *lexer) word(start int) Token {
	text := l.src[start:l.pos]
	return Token{Kind: Word, Text: text, Upper: strings.ToUpper(text), Start: start, End: l.pos}
}

// dotContinuesName reports whether a dot at i continues a name, as in t.1a or `t`.0.
func (l *lexer) dotContinuesName(i int) bool {
	return i > 0 && (isWord(l.src[i-1]) || l.src[i-1] == '`' || l.src[i-1] == ']' || l.src[i-1] == ')')
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isWord(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// number scans a numeric literal with its suffix. Digits followed by other letters
// are a name, as in Databricks.
func (l *lexer) number(start int) Token {
	i := start
	digits := func() {
		for i < len(l.src) && isDigit(l.src[i]) {
			i++
		}
	}
	digits()
	if i < len(l.src) && l.src[i] == '.' {
		i++
		digits()
	}
	if i < len(l.src) && (l.src[i] == 'e' || l.src[i] == 'E') {
		j := i + 1
		if j < len(l.src) && (l.src[j] == '+' || l.src[j] == '-') {
			j++
		}
		if j < len(l.src) && isDigit(l.src[j]) {
			i = j
			digits()
		}
	}
	k := i
	for k < len(l.src) && isWord(l.src[k]) {
		k++
	}
	switch strings.ToUpper(l.src[i:k]) {
	case "", "L", "S", "Y", "F", "D", "BD":
		l.pos = k
		t := l.word(start)
		t.Kind = Number
		return t
	}
	if strings.IndexByte(l.src[start:i], '.') < 0 {
		l.pos = k
		return l.word(start)
	}
	l.pos = i
	t := l.word(start)
	t.Kind = Number
	return t
}

func (l *lexer) quoted(start int) (Token, error) {
	var b strings.Builder
	for i := start + 1; i < len(l.src); i++ {
		if l.src[i] != '`' {
			b.WriteByte(l.src[i])
			continue
		}
		if i+1 < len(l.src) && l.src[i+1] == '`' {
			b.WriteByte('`')
			i++
			continue
		}
		l.pos = i + 1
		if b.Len() == 0 {
			return Token{}, sqlerror.New("INVALID_EMPTY_IDENTIFIER", "42602", "An identifier between back-quotes is empty.")
		}
		return Token{Kind: QuotedWord, Text: b.String(), Start: start, End: l.pos}, nil
	}
	return Token{}, l.syntaxError(start, "the back-quote is not closed")
}
