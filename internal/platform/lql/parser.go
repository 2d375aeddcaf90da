package lql

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Limits are the limits of one text.
type Limits struct {
	// Depth is the maximum depth of nesting, and Nodes the maximum number of nodes.
	Depth, Nodes int
}

// Parser parses one text. Its methods are for the packages that parse the text around a
// condition, such as the clauses of a filter.
type Parser struct {
	lexer
	limits Limits
	tok    token
	depth  int
	nodes  int
	// inList means that the conditions of AND (...) or OR (...) are being parsed.
	inList bool

	columns  []name
	includes []string
	// readsAll means that a function reads all columns.
	readsAll bool
}

// NewParser returns a parser at the beginning of a text.
func NewParser(text string, d Dialect, l Limits) (*Parser, *Error) {
	p := &Parser{lexer: lexer{dialect: d, src: text}, limits: l}
	return p, p.advance()
}

// Tree is a parsed condition or expression.
type Tree struct {
	src  string
	root node
	// columns are the names of columns, as written.
	columns  []name
	includes []string
	readsAll bool
}

// Static is the kind of the tree's values, if it does not depend on the record.
func (t *Tree) Static() Static { return t.root.static() }

// Literal returns the value of a tree that is a single literal.
func (t *Tree) Literal() (v value.Value, ok bool) {
	l, ok := t.root.(literal)
	return l.v, ok
}

// Columns lists the columns that the tree reads, sorted. For a name with dots, it lists
// the part before the first dot.
func (t *Tree) Columns() []string {
	var names []string
	for _, n := range t.columns {
		names = append(names, n.left)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Includes lists the audiences that the tree includes, sorted.
func (t *Tree) Includes() []string {
	names := slices.Clone(t.includes)
	slices.Sort(names)
	return slices.Compact(names)
}

// ReadsAll reports whether the tree reads columns that it does not name, as the function
// match does.
func (t *Tree) ReadsAll() bool { return t.readsAll }

// Condition parses an expression or the condition of a filter.
func (p *Parser) Condition() (*Tree, *Error) {
	root, err := p.or()
	if err != nil {
		return nil, err
	}
	return &Tree{src: p.src, root: root, columns: p.columns, includes: p.includes, readsAll: p.readsAll}, nil
}

// AtEnd reports whether the whole text was read.
func (p *Parser) AtEnd() bool { return p.tok.kind == tokenEnd }

// Fail returns an error at the current token; the format's %s is the token.
func (p *Parser) Fail(format string) *Error {
	if strings.Contains(format, "%s") {
		return p.errorf(p.tok.pos, format, p.tok.describe())
	}
	return p.errorf(p.tok.pos, "%s", format)
}

// Accept skips a keyword or symbol if it is the current token.
func (p *Parser) Accept(word string) (bool, *Error) {
	if !p.tok.is(word) {
		return false, nil
	}
	return true, p.advance()
}

func (p *Parser) advance() *Error {
	t, err := p.next()
	p.tok = t
	return err
}

func (p *Parser) expect(symbol string) *Error {
	if !p.tok.is(symbol) {
		return p.errorf(p.tok.pos, "expected %q, not %s", symbol, p.tok.describe())
	}
	return p.advance()
}

func (p *Parser) enter() *Error {
	if p.depth++; p.depth > p.limits.Depth {
		return p.errorf(p.tok.pos, "this is nested deeper than %d", p.limits.Depth)
	}
	return p.count()
}

func (p *Parser) count() *Error {
	if p.nodes++; p.nodes > p.limits.Nodes {
		return p.errorf(p.tok.pos, "there are more than %d parts", p.limits.Nodes)
	}
	return nil
}

func (p *Parser) leave() { p.depth-- }

// startsGroup reports whether the current AND or OR begins the next condition of a list,
// instead of joining the previous condition. It does at the beginning of a line.
func (p *Parser) startsGroup() bool { return p.inList && p.tok.newLine }

func (p *Parser) or() (node, *Error) {
	return p.chain(p.and, func() bool { return p.tok.isAny("or", "||") && !p.startsGroup() })
}

func (p *Parser) and() (node, *Error) {
	return p.chain(p.comparison, func() bool { return p.tok.isAny("and", "&&") && !p.startsGroup() })
}

// chain parses operands with left-associative operators of one precedence between them.
func (p *Parser) chain(operand func() (node, *Error), at func() bool) (node, *Error) {
	left, err := operand()
	for err == nil && at() {
		op := operators[strings.ToLower(p.tok.text)]
		if err = p.advance(); err != nil {
			break
		}
		if err = p.refuseParentheses(op); err != nil {
			break
		}
		var right node
		if right, err = operand(); err != nil {
			break
		}
		left = binary{op, left, right}
		err = p.count()
	}
	return left, err
}

// refuseParentheses refuses parentheses after a comparison or an arithmetic operator in
// a filter, because Lytics does not accept them.
func (p *Parser) refuseParentheses(op operator) *Error {
	if p.dialect == Filters && op > opAnd && p.tok.is("(") {
		return p.errorf(p.tok.pos, "expected a value, not parentheses: a filter allows them around conditions, and around the first operand only")
	}
	return nil
}

func (p *Parser) additive() (node, *Error) {
	return p.chain(p.multiplicative, func() bool { return p.tok.isAny("+", "-") })
}

func (p *Parser) multiplicative() (node, *Error) {
	return p.chain(p.unary, func() bool { return p.tok.kind == tokenSymbol && p.tok.isAny("*", "/", "%") && !p.tok.newLine })
}

func (p *Parser) comparison() (node, *Error) {
	left, err := p.additive()
	if err != nil {
		return nil, err
	}
	switch {
	case p.tok.is("not") && !p.startsGroup():
		if err := p.advance(); err != nil {
			return nil, err
		}
		if !p.tok.isAny("in", "intersects", "like", "contains", "between") {
			return nil, p.errorf(p.tok.pos, "expected IN, LIKE, CONTAINS, BETWEEN or INTERSECTS after NOT, not %s", p.tok.describe())
		}
		inner, err := p.operation(left)
		return negation{inner}, err
	case p.tok.is("is"):
		return p.isNull(left)
	}
	return p.operation(left)
}

// isNull parses IS NULL and IS NOT NULL.
func (p *Parser) isNull(left node) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	not, err := p.Accept("not")
	if err != nil {
		return nil, err
	}
	if !p.tok.is("null") {
		return nil, p.errorf(p.tok.pos, "expected NULL after IS, not %s", p.tok.describe())
	}
	op := opEqual
	if not {
		op = opNotEqual
	}
	return binary{op, left, literal{value.OfNull()}}, p.advance()
}

// operation parses a comparison's operator and right side, if there is one.
func (p *Parser) operation(left node) (node, *Error) {
	if p.tok.kind != tokenSymbol && (p.tok.kind != tokenName || p.tok.quoted) {
		return left, nil
	}
	if p.tok.is("between") {
		return p.between(left)
	}
	op := operators[strings.ToLower(p.tok.text)]
	if op < opEqual || op > opIntersects {
		return left, nil
	}
	word := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	var right node
	var err *Error
	if op == opIn || op == opIntersects {
		right, err = p.members(strings.ToUpper(word.text))
	} else if err = p.refuseParentheses(op); err == nil {
		right, err = p.additive()
	}
	if err != nil {
		return nil, err
	}
	if next := operators[strings.ToLower(p.tok.text)]; next.orders() && p.tok.kind == tokenSymbol {
		return nil, p.errorf(p.tok.pos, "comparisons do not chain; join two comparisons with AND")
	}
	return binary{op, left, right}, nil
}

func (p *Parser) between(of node) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if err := p.refuseParentheses(opEqual); err != nil {
		return nil, err
	}
	low, err := p.additive()
	if err != nil {
		return nil, err
	}
	if !p.tok.is("and") {
		return nil, p.errorf(p.tok.pos, "expected AND between the ends of BETWEEN, not %s", p.tok.describe())
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	high, err := p.additive()
	return between{of, low, high}, err
}

// members parses the right side of IN and INTERSECTS: a list, or an operand whose value
// may have members.
func (p *Parser) members(after string) (node, *Error) {
	switch {
	case p.tok.is("("):
		items, err := p.items("(", ")")
		return list{items}, err
	case p.tok.is("["):
		items, err := p.items("[", "]")
		return list{items}, err
	case p.tok.kind == tokenString && after == "IN":
		return p.base()
	case p.tok.kind == tokenName && !p.reserved(p.tok) && !p.tok.isAny("true", "false", "null"):
		return p.base()
	}
	return nil, p.errorf(p.tok.pos, "expected a list in parentheses after %s, not %s", after, p.tok.describe())
}

// items parses items with commas between them, enclosed by two symbols.
func (p *Parser) items(opening, closing string) ([]node, *Error) {
	if err := p.expect(opening); err != nil {
		return nil, err
	}
	inList := p.inList
	p.inList = false
	defer func() { p.inList = inList }()
	var items []node
	for !p.tok.is(closing) {
		item, err := p.or()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if p.tok.is(",") {
			if err := p.advance(); err != nil {
				return nil, err
			}
		} else if !p.tok.is(closing) {
			return nil, p.errorf(p.tok.pos, "expected a comma or %q, not %s", closing, p.tok.describe())
		}
	}
	return items, p.advance()
}
