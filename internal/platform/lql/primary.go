package lql

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The reserved words: they are names only in quotes.
var (
	expressionWords = []string{"and", "or", "not", "in"}
	filterWords     = []string{
		"filter",
		"and",
		"or",
		"not",
		"exists",
		"in",
		"intersects",
		"contains",
		"like",
		"between",
		"include",
		"from",
		"alias",
		"limit",
		"with",
		"select",
		"null",
	}
)

// reserved reports whether a token is a reserved word.
func (p *Parser) reserved(t token) bool {
	if p.dialect == Filters {
		return t.isAny(filterWords...)
	}
	return t.isAny(expressionWords...)
}

// unary parses prefix operators and their operand.
func (p *Parser) unary() (node, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.tok
	switch {
	case t.is("not") && (p.dialect == Filters || !t.adjoins):
		if err := p.advance(); err != nil {
			return nil, err
		}
		return p.negated()
	case t.is("!") && p.dialect == Expressions:
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.unary()
		return negation{inner}, err
	case t.is("-"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.unary()
		return negative(inner), err
	case t.is("exists") && !t.adjoins && (p.dialect == Filters || p.nameFollows()):
		return p.exists()
	case t.isAny("and", "or"):
		return p.group()
	}
	return p.base()
}

// nameFollows reports whether the token after the current one is a name. It
// distinguishes EXISTS from a column called exists.
func (p *Parser) nameFollows() bool {
	ahead := p.lexer
	t, err := ahead.next()
	return err == nil && t.kind == tokenName && !p.reserved(t)
}

// negative folds the minus of a number into it.
func negative(inner node) node {
	if l, ok := inner.(literal); ok && l.v.Kind() == value.Number {
		return literal{value.Compute('-', value.OfInt(0), l.v)}
	}
	return minus{inner}
}

// negated parses the operand of NOT: a condition, or a single function call.
func (p *Parser) negated() (node, *Error) {
	var inner node
	var err *Error
	if p.tok.kind == tokenName && !p.tok.quoted && p.tok.adjoins && !p.reserved(p.tok) {
		inner, err = p.base()
		return negation{inner}, err
	}
	inner, err = p.comparison()
	return negation{inner}, err
}

func (p *Parser) exists() (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokenName || p.reserved(p.tok) && !p.tok.is("null") {
		return nil, p.errorf(p.tok.pos, "expected a field after EXISTS, not %s", p.tok.describe())
	}
	inner, err := p.base()
	return existing{inner}, err
}

// group parses AND (...) and OR (...).
func (p *Parser) group() (node, *Error) {
	t := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.tok.is("(") {
		return nil, p.errorf(p.tok.pos, "expected a list in parentheses after %s, not %s", strings.ToUpper(t.text), p.tok.describe())
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	inList := p.inList
	p.inList = true
	defer func() { p.inList = inList }()
	g := group{any: t.is("or")}
	for !p.tok.is(")") {
		part, err := p.or()
		if err != nil {
			return nil, err
		}
		g.parts = append(g.parts, part)
		if p.tok.is(",") {
			if err := p.advance(); err != nil {
				return nil, err
			}
		} else if p.tok.kind == tokenEnd {
			return nil, p.errorf(p.tok.pos, "expected a comma or %q, not %s", ")", p.tok.describe())
		}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if len(g.parts) == 1 {
		return g.parts[0], nil
	}
	return g, nil
}

// base parses one operand.
func (p *Parser) base() (node, *Error) {
	t := p.tok
	switch {
	case t.kind == tokenString:
		return literal{value.OfString(t.text)}, p.advance()
	case t.kind == tokenNumber:
		n, ok := parseLiteralNumber(t.text)
		if !ok {
			return nil, p.errorf(t.pos, "%s is not a number", short(t.text))
		}
		return literal{n}, p.advance()
	case t.is("("):
		return p.parenthesized()
	case t.is("["):
		items, err := p.items("[", "]")
		return list{items}, err
	case t.is("*") && p.dialect == Filters, t.is("match_all") && p.dialect == Filters:
		return everything{}, p.advance()
	case t.is("include") && p.dialect == Filters:
		return p.include()
	case t.kind == tokenName:
		return p.named(t)
	}
	return nil, p.errorf(t.pos, "expected a value, not %s", t.describe())
}

// parseLiteralNumber parses a number literal. It has no leading zeros, digits on both
// sides of the point, and a value in the range of a float of 64 bits.
func parseLiteralNumber(text string) (value.Value, bool) {
	if hex, ok := strings.CutPrefix(text, "0x"); ok {
		return parseHex(hex)
	}
	whole, _, _ := strings.Cut(text, ".")
	if len(whole) > 1 && whole[0] == '0' || strings.HasSuffix(text, ".") || strings.Contains(text, ".e") || strings.Contains(text, ".E") {
		return value.Value{}, false
	}
	n, ok := value.ParseNumber(text)
	var scratch apd.Decimal
	if ok && !n.Decimal(&scratch).IsZero() {
		d := n.Decimal(&scratch)
		if exponent := d.NumDigits() + int64(d.Exponent); exponent > maxFloatDigits {
			return value.Value{}, false
		}
	}
	return n, ok
}

// maxFloatDigits is the number of digits of the greatest float of 64 bits.
const maxFloatDigits = 309

func parseHex(digits string) (value.Value, bool) {
	if digits == "" || len(digits) > 15 {
		return value.Value{}, false
	}
	n := int64(0)
	for _, c := range []byte(digits) {
		i := strings.IndexByte("0123456789abcdef", c|0x20)
		if i < 0 {
			return value.Value{}, false
		}
		n = n<<4 | int64(i)
	}
	return value.OfInt(n), true
}

func (p *Parser) parenthesized() (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	inList := p.inList
	p.inList = false
	inner, err := p.or()
	p.inList = inList
	if err != nil {
		return nil, err
	}
	return inner, p.expect(")")
}

func (p *Parser) include() (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokenName && p.tok.kind != tokenString {
		return nil, p.errorf(p.tok.pos, "expected an audience after INCLUDE, not %s", p.tok.describe())
	}
	i := include{p.tok.text, p.tok.pos}
	p.includes = append(p.includes, i.name)
	return i, p.advance()
}

// named parses a function call, true, false, null, or a column.
func (p *Parser) named(t token) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !t.quoted && p.tok.is("(") && (t.adjoins || !p.reserved(t)) {
		if t.is("exists") && p.dialect == Filters {
			return nil, p.errorf(t.pos, "EXISTS is followed by a field without parentheses")
		}
		return p.call(strings.ToLower(t.text), t.pos)
	}
	switch {
	case t.quoted:
	case t.is("true"), t.is("false"):
		return literal{value.OfBool(t.is("true"))}, nil
	case t.is("null"):
		return literal{value.OfNull()}, nil
	case p.reserved(t):
		return nil, p.errorf(t.pos, "expected a value, not %s; write a name like this in back-quotes", t.describe())
	}
	p.columns = append(p.columns, t.name)
	return column{t.name, t.pos}, nil
}

func (p *Parser) call(name string, pos int) (node, *Error) {
	f, ok := functions[name]
	if !ok {
		return nil, p.errorf(pos, "there is no function %s; the functions are %s", name, strings.Join(Functions(), ", "))
	}
	if f.readsAll && p.dialect == Filters {
		return nil, p.errorf(pos, "%s reads the columns of an event; a filter has fields", name)
	}
	var args []node
	var err *Error
	if name == "cast" {
		args, err = p.castArguments()
	} else {
		args, err = p.items("(", ")")
	}
	if err != nil {
		return nil, err
	}
	if reason := f.misused(len(args)); reason != "" {
		return nil, p.errorf(pos, "%s %s and has %d", name, reason, len(args))
	}
	c := call{function: f, eval: f.eval, args: args}
	p.readsAll = p.readsAll || f.readsAll
	if f.prepare != nil {
		eval, reason := f.prepare(args)
		if reason != "" {
			return nil, p.errorf(pos, "%s: %s", name, reason)
		}
		c.eval = eval
	}
	return c, p.count()
}

// castArguments parses (x AS type) and (x, "type").
func (p *Parser) castArguments() ([]node, *Error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	x, err := p.or()
	if err != nil {
		return nil, err
	}
	switch {
	case p.tok.is(")"):
		return []node{x}, p.advance()
	case p.tok.is("as") && p.dialect == Expressions, p.tok.is(","):
	default:
		return nil, p.errorf(p.tok.pos, "expected a comma, not %s", p.tok.describe())
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokenName && p.tok.kind != tokenString {
		return nil, p.errorf(p.tok.pos, "expected a type, not %s", p.tok.describe())
	}
	to := literal{value.OfString(p.tok.text)}
	if err := p.advance(); err != nil {
		return nil, err
	}
	return []node{x, to}, p.expect(")")
}
