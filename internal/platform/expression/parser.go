package expression

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The limits of one expression.
const (
	// MaxLength is the most bytes of text.
	MaxLength = 8 << 10
	maxDepth  = 50
	maxNodes  = 1000
)

// Expression is a parsed and checked expression.
type Expression struct {
	root    node
	columns []string
}

// Columns lists the event's top-level columns that the expression reads, sorted.
func (e *Expression) Columns() []string { return e.columns }

// Result is the kind of value the expression gives, when its text tells; ok is
// false when that depends on the event.
func (e *Expression) Result() (kind value.Kind, ok bool) {
	t := e.root.static()
	return t.kind, t.known
}

// Parse reads an expression. The error is an *Error.
func Parse(text string) (*Expression, error) {
	if len(text) > MaxLength {
		return nil, &Error{Column: 1, Reason: "the expression is longer than 8 KB"}
	}
	p := &parser{lexer: lexer{src: text}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind == tokenEnd {
		return nil, p.errorf(0, "the expression is empty")
	}
	root, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, p.errorf(p.tok.pos, "unexpected %s after the end of the expression", p.tok.describe())
	}
	slices.Sort(p.columns)
	return &Expression{root: root, columns: slices.Compact(p.columns)}, nil
}

// ParseGuard reads a condition: an expression that can be true.
func ParseGuard(text string) (*Expression, error) {
	e, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if kind, ok := e.Result(); ok && kind != value.Bool {
		return nil, &Error{Column: 1, Reason: "a guard must be true or false; this is " + kind.String()}
	}
	return e, nil
}

type parser struct {
	lexer
	tok     token
	depth   int
	nodes   int
	columns []string
}

func (p *parser) advance() *Error {
	t, err := p.next()
	p.tok = t
	return err
}

// count bounds the size of the tree.
func (p *parser) count() *Error {
	if p.nodes++; p.nodes > maxNodes {
		return p.errorf(p.tok.pos, "the expression has more than %d parts", maxNodes)
	}
	return nil
}

// levels are the binary operators, those that bind least first.
var levels = [][]string{
	{"or", "||"},
	{"and", "&&"},
	{"=", "==", "!=", "<>", "<", "<=", ">", ">="},
	{"+", "-"},
	{"*", "/", "%"},
}

const comparisonLevel = 2

// operator gives the present token as an operator of the level.
func (p *parser) operator(level int) (string, bool) {
	if p.tok.kind != tokenOperator && p.tok.kind != tokenName {
		return "", false
	}
	op := strings.ToLower(p.tok.text)
	return op, slices.Contains(levels[level], op)
}

func (p *parser) binary(level int) (node, *Error) {
	if level == len(levels) {
		return p.unary()
	}
	if level == comparisonLevel && p.atNot() {
		return p.not()
	}
	left, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		op, ok := p.operator(level)
		if !ok {
			break
		}
		pos := p.tok.pos
		if err := p.advance(); err != nil {
			return nil, err
		}
		right, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		if err := p.count(); err != nil {
			return nil, err
		}
		if left, err = p.combine(level, op, pos, left, right); err != nil {
			return nil, err
		}
		if _, again := p.operator(level); again && level == comparisonLevel {
			return nil, p.errorf(p.tok.pos, "comparisons do not chain; join them with AND")
		}
	}
	if level == comparisonLevel && p.tok.kind == tokenName && strings.EqualFold(p.tok.text, "in") {
		return p.in(left)
	}
	return left, nil
}

func (p *parser) atNot() bool {
	return p.tok.kind == tokenName && strings.EqualFold(p.tok.text, "not") || p.tok.kind == tokenOperator && p.tok.text == "!"
}

func (p *parser) not() (node, *Error) {
	pos := p.tok.pos
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.advance(); err != nil {
		return nil, err
	}
	operand, err := p.binary(comparisonLevel)
	if err != nil {
		return nil, err
	}
	if t := operand.static(); t.known && t.kind != value.Bool {
		return nil, p.errorf(pos, "NOT needs a condition, not %s", t.kind)
	}
	return notNode{operand}, nil
}

// in reads `x IN (a, b)`.
func (p *parser) in(left node) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.text != "(" || p.tok.kind != tokenOperator {
		return nil, p.errorf(p.tok.pos, "IN needs a list in parentheses")
	}
	list, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, p.errorf(p.tok.pos, "IN needs at least one value")
	}
	return inNode{left, list}, nil
}

func (p *parser) enter() *Error {
	if p.depth++; p.depth > maxDepth {
		return p.errorf(p.tok.pos, "the expression is nested deeper than %d", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) unary() (node, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if err := p.count(); err != nil {
		return nil, err
	}
	t := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	switch {
	case t.kind == tokenOperator && t.text == "-":
		operand, err := p.unary()
		if err != nil {
			return nil, err
		}
		return p.combine(3, "-", t.pos, literal{value.OfInt(0)}, operand)
	case t.kind == tokenOperator && t.text == "(":
		inner, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case t.kind == tokenString:
		return literal{value.OfString(t.text)}, nil
	case t.kind == tokenNumber:
		n, ok := value.ParseNumber(t.text)
		if !ok {
			return nil, p.errorf(t.pos, "%s is no number", quoteShort(t.text))
		}
		return literal{n}, nil
	case t.kind == tokenName || t.kind == tokenQuotedName:
		return p.path(t)
	}
	return nil, p.errorf(t.pos, "expected a column, a value or a function, not %s", t.describe())
}

func (p *parser) expect(op string) *Error {
	if p.tok.kind != tokenOperator || p.tok.text != op {
		return p.errorf(p.tok.pos, "expected %q, not %s", op, p.tok.describe())
	}
	return p.advance()
}

// reserved words are no columns unless back-quoted.
var reserved = []string{"and", "or", "not", "in"}

// path reads what begins with a name: a column, dotted into nested values, a
// function with its arguments, or true, false, null.
func (p *parser) path(first token) (node, *Error) {
	path := []string{first.text}
	quoted := first.kind == tokenQuotedName
	for p.tok.kind == tokenOperator && p.tok.text == "." {
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.tok.kind != tokenName && p.tok.kind != tokenQuotedName {
			return nil, p.errorf(p.tok.pos, "expected a name after the dot, not %s", p.tok.describe())
		}
		quoted = quoted || p.tok.kind == tokenQuotedName
		if path = append(path, p.tok.text); len(path) > maxDepth {
			return nil, p.errorf(p.tok.pos, "the name is nested deeper than %d", maxDepth)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if !quoted && p.tok.kind == tokenOperator && p.tok.text == "(" {
		return p.call(strings.ToLower(strings.Join(path, ".")), first.pos)
	}
	if !quoted && len(path) == 1 {
		switch word := strings.ToLower(path[0]); {
		case word == "true" || word == "false":
			return literal{value.OfBool(word == "true")}, nil
		case word == "null":
			return literal{}, nil
		case slices.Contains(reserved, word):
			return nil, p.errorf(first.pos, "%s stands where a value should; a column of that name is written in back-quotes", quoteShort(path[0]))
		}
	}
	if path[0] == "" || !utf8.ValidString(path[0]) {
		return nil, p.errorf(first.pos, "a column's name is missing")
	}
	p.columns = append(p.columns, path[0])
	return column{path}, nil
}

// arguments reads a parenthesised list.
func (p *parser) arguments() ([]node, *Error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	var args []node
	for p.tok.kind != tokenOperator || p.tok.text != ")" {
		if len(args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		arg, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, p.advance()
}
