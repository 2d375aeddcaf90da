package syntax

import (
	"errors"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// parser is a recursive-descent parser. It gives up by panicking with a
// *warehouse.Error, which Parse turns into its error.
type parser struct {
	src    string
	tokens []Token
	i      int
	// params counts the question marks seen.
	params int
	depth  int
	// nameContext is set while a table name is read.
	nameContext bool
}

// maxDepth bounds nesting, so that no text can exhaust the stack.
const maxDepth = 400

// Parse reads one statement; a trailing semicolon is allowed.
func Parse(src string) (st Statement, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	defer p.recover(&err)
	if p.peek().Kind == EOF || p.isOp(";") {
		return nil, sqlerror.New("PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement.")
	}
	st = p.statement()
	for p.acceptOp(";") {
	}
	p.end()
	return st, nil
}

// ParseQuery reads the text of a view.
func ParseQuery(src string) (q *Query, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	defer p.recover(&err)
	q = p.query()
	p.end()
	return q, nil
}

// ParseExpr reads the text of an expression, such as a column's default.
func ParseExpr(src string) (x Expr, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	defer p.recover(&err)
	x = p.expr()
	p.end()
	return x, nil
}

func (p *parser) recover(err *error) {
	switch r := recover().(type) {
	case nil:
	case *warehouse.Error:
		*err = r
	default:
		panic(r)
	}
}

func (p *parser) end() {
	if p.peek().Kind != EOF {
		p.fail("")
	}
}

// fail stops the parse at the current token.
func (p *parser) fail(hint string) {
	t := p.peek()
	line, pos := position(p.src, t.Start)
	panic(sqlerror.Syntax(p.src[t.Start:t.End], hint, line, pos))
}

// refuse stops the parse with an error of another class.
func (p *parser) refuse(err error) {
	var e *warehouse.Error
	if errors.As(err, &e) {
		panic(e)
	}
	p.fail(err.Error())
}

// enter guards recursion; call the result when done.
func (p *parser) enter() func() {
	p.depth++
	if p.depth > maxDepth {
		panic(
			sqlerror.New(
				"FAILED_TO_PARSE_TOO_COMPLEX",
				"54001",
				"The statement, including potential SQL functions and referenced views, was too complex to parse.",
			),
		)
	}
	return func() { p.depth-- }
}

func (p *parser) peek() Token { return p.tokens[p.i] }

func (p *parser) peekAt(n int) Token {
	if p.i+n < len(p.tokens) {
		return p.tokens[p.i+n]
	}
	return p.tokens[len(p.tokens)-1]
}

func (p *parser) next() Token {
	t := p.tokens[p.i]
	if t.Kind != EOF {
		p.i++
	}
	return t
}

// is reports whether the next tokens are these keywords.
func (p *parser) is(words ...string) bool {
	for n, w := range words {
		if t := p.peekAt(n); t.Kind != Word || t.Upper != w {
			return false
		}
	}
	return true
}

// accept passes the keywords if they are next.
func (p *parser) accept(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.i += len(words)
	return true
}

// acceptAny passes one of several keywords, and returns it.
func (p *parser) acceptAny(words ...string) string {
	for _, w := range words {
		if p.accept(w) {
			return w
		}
	}
	return ""
}

func (p *parser) expect(words ...string) {
	if !p.accept(words...) {
		p.fail("missing '" + strings.Join(words, " ") + "'")
	}
}

func (p *parser) isOp(op string) bool {
	t := p.peek()
	return t.Kind == Op && t.Text == op
}

func (p *parser) isOpAt(n int, op string) bool {
	t := p.peekAt(n)
	return t.Kind == Op && t.Text == op
}

func (p *parser) acceptOp(op string) bool {
	if p.isOp(op) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expectOp(op string) {
	if !p.acceptOp(op) {
		p.fail("missing '" + op + "'")
	}
}

// ident reads an identifier. Reserved words must be quoted.
func (p *parser) ident() string {
	t := p.peek()
	switch {
	case t.Kind == QuotedWord:
	case t.Kind == Word && !reserved[t.Upper]:
		if p.digitsOnly(t) {
			p.fail("")
		}
	default:
		p.fail("an identifier is expected")
	}
	p.i++
	p.noHyphen(t)
	return t.Text
}

func (p *parser) digitsOnly(t Token) bool {
	_, err := strconv.ParseUint(t.Text, 10, 64)
	return err == nil
}

// noHyphen refuses my-table, which Databricks wants in back-quotes, where the
// hyphen touches both words.
func (p *parser) noHyphen(t Token) {
	if t.Kind != Word || !p.isOp("-") || p.peek().Start != t.End {
		return
	}
	if n := p.peekAt(1); n.Kind == Word && n.Start == p.peek().End && p.nameContext {
		line, pos := position(p.src, t.Start)
		panic(
			sqlerror.New(
				"INVALID_IDENTIFIER",
				"42602",
				"The unquoted identifier %s-%s is invalid and must be back quoted as: `%s-%s`. (line %d, pos %d)",
				t.Text,
				n.Text,
				t.Text,
				n.Text,
				line,
				pos,
			),
		)
	}
}

// anyIdent reads an identifier after a dot or AS, where any word will do.
func (p *parser) anyIdent() string {
	t := p.peek()
	if t.Kind != QuotedWord && t.Kind != Word {
		p.fail("an identifier is expected")
	}
	p.i++
	return t.Text
}

// name reads a name with dots.
func (p *parser) name() []string {
	p.nameContext = true
	defer func() { p.nameContext = false }()
	if p.is("IDENTIFIER") && p.isOpAt(1, "(") {
		return p.identifierClause()
	}
	parts := []string{p.ident()}
	for p.acceptOp(".") {
		t := p.peek()
		parts = append(parts, p.anyIdent())
		p.noHyphen(t)
	}
	return parts
}

// identifierClause reads IDENTIFIER('a.b') with a string literal.
func (p *parser) identifierClause() []string {
	p.i += 2
	text := p.str()
	p.expectOp(")")
	tokens, err := Lex(text)
	if err != nil {
		p.refuse(err)
	}
	inner := &parser{src: text, tokens: tokens}
	parts := inner.name()
	inner.end()
	return parts
}

func (p *parser) names() []string {
	p.expectOp("(")
	out := []string{p.anyIdent()}
	for p.acceptOp(",") {
		out = append(out, p.anyIdent())
	}
	p.expectOp(")")
	return out
}

// str reads a string literal; neighbours are joined.
func (p *parser) str() string {
	if p.peek().Kind != StringToken {
		p.fail("a string literal is expected")
	}
	s := p.next().Text
	for p.peek().Kind == StringToken {
		s += p.next().Text
	}
	return s
}

func (p *parser) integer() int64 {
	t := p.peek()
	if t.Kind != Number {
		p.fail("a number is expected")
	}
	n, err := strconv.ParseInt(t.Text, 10, 64)
	if err != nil {
		p.fail("a whole number is expected")
	}
	p.i++
	return n
}

// reserved are the words that cannot name a column, table or alias unquoted
// here, because they begin a clause. Databricks reserves few more.
var reserved = map[string]bool{}

func init() {
	for w := range strings.FieldsSeq(`AND ANTI AS CASE CAST CROSS ELSE END EXCEPT EXISTS FETCH FOR FROM FULL
		GROUP HAVING IN INNER INTERSECT INTO IS JOIN LATERAL LEFT LIKE ILIKE LIMIT NATURAL NOT NULL OFFSET ON
		OR ORDER OVERLAPS PIVOT QUALIFY RIGHT RLIKE SELECT SEMI SET TABLE THEN UNION UNPIVOT USING VALUES WHEN
		WHERE WINDOW WITH BETWEEN`) {
		reserved[w] = true
	}
}
