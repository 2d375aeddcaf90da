package syntax

import (
	"errors"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/sqlerror"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// parser is a recursive-descent parser. On an error it panics with a
// *warehouse.Error, which Parse recovers and returns.
type parser struct {
	src    string
	tokens []Token
	i      int
	// params counts the question marks parsed so far.
	params int
	// arguments are the values of the parameter markers in IDENTIFIER clauses.
	arguments []warehouse.Parameter
	depth     int
	// inTableName is set while a table name is parsed.
	inTableName bool
}

// maxDepth bounds nesting, so that no statement can exhaust the stack.
const maxDepth = 400

// Parse parses one statement; a trailing semicolon is allowed. The values are those
// of the statement's parameters, since an IDENTIFIER clause may contain some.
func Parse(src string, values ...warehouse.Parameter) (st Statement, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens, arguments: values}
	defer p.recover(&err)
	if p.peek().Kind == EOF || p.isOp(";") {
		return nil, sqlerror.New("PARSE_EMPTY_STATEMENT", "42617", "Syntax error, unexpected empty statement.")
	}
	st = p.statement()
	for p.acceptOp(";") {
	}
	p.expectEnd()
	return st, nil
}

// ParseQuery parses the text of a view.
func ParseQuery(src string) (q *Query, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	defer p.recover(&err)
	q = p.query()
	p.expectEnd()
	return q, nil
}

// ParseExpr parses the text of an expression, such as a column's default.
func ParseExpr(src string) (x Expr, err error) {
	tokens, err := Lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{src: src, tokens: tokens}
	defer p.recover(&err)
	x = p.expr()
	p.expectEnd()
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

func (p *parser) expectEnd() {
	if p.peek().Kind != EOF {
		p.syntaxError("")
	}
}

// syntaxError panics with a syntax error at the current token.
func (p *parser) syntaxError(hint string) {
	t := p.peek()
	line, pos := position(p.src, t.Start)
	panic(sqlerror.Syntax(p.src[t.Start:t.End], hint, line, pos))
}

// refuse panics with the error for a part of Databricks SQL that the DuckDB engine
// lacks.
func (p *parser) refuse(what string) { panic(sqlerror.NotOnDuckDB(what)) }

// failWith panics with an error of another class.
func (p *parser) failWith(err error) {
	var e *warehouse.Error
	if errors.As(err, &e) {
		panic(e)
	}
	p.syntaxError(err.Error())
}

// enterNested bounds recursion. Call the returned function when done.
func (p *parser) enterNested() func() {
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

// accept consumes the keywords if they are next.
func (p *parser) accept(words ...string) bool {
	if !p.is(words...) {
		return false
	}
	p.i += len(words)
	return true
}

// acceptAny consumes one of several keywords and returns it.
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
		p.syntaxError("missing '" + strings.Join(words, " ") + "'")
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
		p.syntaxError("missing '" + op + "'")
	}
}

// identifier parses an identifier. Reserved words must be quoted.
func (p *parser) identifier() string {
	t := p.peek()
	switch {
	case t.Kind == QuotedWord:
	case t.Kind == Word && !reserved[t.Upper]:
		if p.digitsOnly(t) {
			p.syntaxError("")
		}
	default:
		p.syntaxError("an identifier is expected")
	}
	p.i++
	p.refuseHyphen(t)
	return t.Text
}

func (p *parser) digitsOnly(t Token) bool {
	_, err := strconv.ParseUint(t.Text, 10, 64)
	return err == nil
}

// refuseHyphen refuses an unquoted name with a hyphen, such as my-table, as
// Databricks does.
func (p *parser) refuseHyphen(t Token) {
	if t.Kind != Word || !p.isOp("-") || p.peek().Start != t.End {
		return
	}
	if n := p.peekAt(1); n.Kind == Word && n.Start == p.peek().End && p.inTableName {
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

// anyIdentifier parses an identifier after a dot or AS, where reserved words are
// allowed.
func (p *parser) anyIdentifier() string {
	t := p.peek()
	if t.Kind != QuotedWord && t.Kind != Word {
		p.syntaxError("an identifier is expected")
	}
	p.i++
	return t.Text
}

// name parses a dotted name.
func (p *parser) name() []string {
	p.inTableName = true
	defer func() { p.inTableName = false }()
	if parts := p.identifierClause(); parts != nil {
		return parts
	}
	parts := []string{p.identifier()}
	for p.acceptOp(".") {
		t := p.peek()
		parts = append(parts, p.anyIdentifier())
		p.refuseHyphen(t)
	}
	return parts
}

// identifierClause parses an IDENTIFIER clause, or returns nil.
func (p *parser) identifierClause() []string {
	parts, end, ok, err := IdentifierClause(p.tokens, p.i, func(name string) (*string, error) {
		m := &Param{Name: name}
		if name == "" {
			p.params++
			m.Ordinal = p.params
		}
		v, err := m.Value(p.arguments)
		return v.Value, err
	})
	if err != nil {
		p.failWith(err)
	}
	if !ok {
		return nil
	}
	p.i = end
	return parts
}

func (p *parser) nameList() []string {
	p.expectOp("(")
	out := []string{p.anyIdentifier()}
	for p.acceptOp(",") {
		out = append(out, p.anyIdentifier())
	}
	p.expectOp(")")
	return out
}

// stringLiteral parses a string literal; adjacent literals are concatenated.
func (p *parser) stringLiteral() string {
	if p.peek().Kind != StringToken {
		p.syntaxError("a string literal is expected")
	}
	s := p.next().Text
	for p.peek().Kind == StringToken {
		s += p.next().Text
	}
	return s
}

func (p *parser) integerLiteral() int64 {
	t := p.peek()
	if t.Kind != Number {
		p.syntaxError("a number is expected")
	}
	n, err := strconv.ParseInt(t.Text, 10, 64)
	if err != nil {
		p.syntaxError("a whole number is expected")
	}
	p.i++
	return n
}

// reserved are the words that must be quoted as the name of a column, table or alias,
// since they begin a clause. Databricks reserves a few more.
var reserved = map[string]bool{}

func init() {
	for w := range strings.FieldsSeq(`AND ANTI AS CASE CAST CROSS ELSE END EXCEPT EXISTS FETCH FOR FROM FULL
		GROUP HAVING IN INNER INTERSECT INTO IS JOIN LATERAL LEFT LIKE ILIKE LIMIT NATURAL NOT NULL OFFSET ON
		OR ORDER OVERLAPS PIVOT QUALIFY RIGHT RLIKE SELECT SEMI SET TABLE THEN UNION UNPIVOT USING VALUES WHEN
		WHERE WINDOW WITH BETWEEN`) {
		reserved[w] = true
	}
}
