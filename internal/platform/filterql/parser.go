package filterql

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The limits of one filter.
const (
	// MaxLength is the most bytes of text.
	MaxLength = 64 << 10
	maxDepth  = 50
	maxNodes  = 5000
)

// Filter is a parsed filter.
type Filter struct {
	// Alias is the name after ALIAS, if any.
	Alias    string
	src      string
	root     node
	fields   []string
	includes []string
}

// Fields lists the fields that the filter reads itself, sorted.
func (f *Filter) Fields() []string { return f.fields }

// Includes lists the audiences that the filter includes, sorted.
func (f *Filter) Includes() []string { return f.includes }

// Parse reads a filter. The error is an *Error.
func Parse(text string) (*Filter, error) {
	if len(text) > MaxLength {
		return nil, &Error{Reason: "the filter is longer than 64 KB"}
	}
	p := &parser{lexer: lexer{src: text}}
	f, err := p.filter()
	if err != nil {
		return nil, err
	}
	return f, nil
}

type parser struct {
	lexer
	tok      token
	depth    int
	nodes    int
	fields   []string
	includes []string
}

func (p *parser) advance() *Error {
	t, err := p.next()
	p.tok = t
	return err
}

func (p *parser) filter() (*Filter, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.is("FILTER") {
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if p.tok.kind == tokenEnd {
		return nil, p.errorf(p.tok.pos, "the filter is empty; * is every profile")
	}
	root, err := p.disjunction(false)
	if err != nil {
		return nil, err
	}
	f := &Filter{src: p.src, root: root}
	if f.Alias, err = p.clauses(); err != nil {
		return nil, err
	}
	slices.Sort(p.fields)
	slices.Sort(p.includes)
	f.fields, f.includes = slices.Compact(p.fields), slices.Compact(p.includes)
	return f, nil
}

// clauses reads FROM user and ALIAS name.
func (p *parser) clauses() (alias string, err *Error) {
	if p.tok.is("FROM") {
		if err := p.advance(); err != nil {
			return "", err
		}
		if !p.tok.is("user") {
			return "", p.errorf(p.tok.pos, "audiences are FROM user, not from %s", p.tok.describe())
		}
		if err := p.advance(); err != nil {
			return "", err
		}
	}
	if p.tok.is("ALIAS") {
		if err := p.advance(); err != nil {
			return "", err
		}
		if p.tok.kind != tokenName && p.tok.kind != tokenQuotedName {
			return "", p.errorf(p.tok.pos, "expected a name after ALIAS, not %s", p.tok.describe())
		}
		alias = p.tok.text
		if err := p.advance(); err != nil {
			return "", err
		}
	}
	if p.tok.kind != tokenEnd {
		return "", p.errorf(p.tok.pos, "unexpected %s after the end of the filter", p.tok.describe())
	}
	return alias, nil
}

func (p *parser) enter() *Error {
	if p.depth++; p.depth > maxDepth {
		return p.errorf(p.tok.pos, "the filter is nested deeper than %d", maxDepth)
	}
	if p.nodes++; p.nodes > maxNodes {
		return p.errorf(p.tok.pos, "the filter has more than %d parts", maxNodes)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// joined reads parts between the same joining word. Inside a list a word that
// begins a line begins the next part: AND (...) there is a group of its own.
func (p *parser) joined(word string, inList bool, part func(bool) (node, *Error)) ([]node, *Error) {
	first, err := part(inList)
	if err != nil {
		return nil, err
	}
	parts := []node{first}
	for p.tok.is(word) && !(inList && p.tok.newLine) {
		if err := p.advance(); err != nil {
			return nil, err
		}
		next, err := part(inList)
		if err != nil {
			return nil, err
		}
		parts = append(parts, next)
	}
	return parts, nil
}

func (p *parser) disjunction(inList bool) (node, *Error) {
	parts, err := p.joined("OR", inList, p.conjunction)
	if err != nil || len(parts) == 1 {
		return first(parts), err
	}
	return group{any: true, parts: parts}, nil
}

func (p *parser) conjunction(inList bool) (node, *Error) {
	parts, err := p.joined("AND", inList, p.phrase)
	if err != nil || len(parts) == 1 {
		return first(parts), err
	}
	return group{parts: parts}, nil
}

func first(parts []node) node {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}

func (p *parser) phrase(inList bool) (node, *Error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.tok
	switch {
	case t.is("NOT"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.phrase(inList)
		return not{inner}, err
	case t.is("AND"), t.is("OR"):
		return p.group(t)
	case t.is("("):
		if err := p.advance(); err != nil {
			return nil, err
		}
		inner, err := p.disjunction(false)
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case t.is("*"):
		return all{}, p.advance()
	case t.is("INCLUDE"):
		return p.include()
	case t.is("EXISTS"):
		if err := p.advance(); err != nil {
			return nil, err
		}
		f, err := p.field()
		return exists{f}, err
	}
	return p.predicate()
}

// group reads AND (...) and OR (...).
func (p *parser) group(t token) (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if !p.tok.is("(") {
		return nil, p.errorf(p.tok.pos, "expected a list in parentheses after %s, not %s", strings.ToUpper(t.text), p.tok.describe())
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	g := group{any: t.is("OR")}
	for !p.tok.is(")") {
		part, err := p.disjunction(true)
		if err != nil {
			return nil, err
		}
		g.parts = append(g.parts, part)
		switch {
		case p.tok.is(","):
			if err := p.advance(); err != nil {
				return nil, err
			}
		case p.tok.kind == tokenEnd, !p.tok.is(")") && !p.tok.newLine:
			return nil, p.errorf(p.tok.pos, "expected a comma or %q, not %s", ")", p.tok.describe())
		}
	}
	if len(g.parts) == 0 {
		return nil, p.errorf(t.pos, "%s of nothing", strings.ToUpper(t.text))
	}
	return g, p.advance()
}

func (p *parser) include() (node, *Error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.tok.kind != tokenName && p.tok.kind != tokenQuotedName && p.tok.kind != tokenString {
		return nil, p.errorf(p.tok.pos, "expected an audience after INCLUDE, not %s", p.tok.describe())
	}
	name := p.tok.text
	p.includes = append(p.includes, name)
	return include{name}, p.advance()
}

func (p *parser) expect(symbol string) *Error {
	if !p.tok.is(symbol) {
		return p.errorf(p.tok.pos, "expected %q, not %s", symbol, p.tok.describe())
	}
	return p.advance()
}

// keywords are no fields unless back-quoted.
var keywords = []string{"filter", "and", "or", "not", "exists", "in", "intersects", "contains", "like", "between", "include", "from", "alias", "limit", "with", "select", "null"}

// field reads a name, and after a dot the key of a map. Keys may hold dots of
// their own: visits.www.example.com is the key www.example.com.
func (p *parser) field() (field, *Error) {
	t := p.tok
	if t.kind != tokenQuotedName && (t.kind != tokenName || slices.Contains(keywords, strings.ToLower(t.text))) {
		return field{}, p.errorf(t.pos, "expected a field, not %s", t.describe())
	}
	f := field{name: t.text, pos: t.pos}
	if err := p.advance(); err != nil {
		return f, err
	}
	for p.tok.is(".") {
		if err := p.advance(); err != nil {
			return f, err
		}
		if p.tok.kind != tokenName && p.tok.kind != tokenQuotedName && p.tok.kind != tokenNumber {
			return f, p.errorf(p.tok.pos, "expected a key after the dot, not %s", p.tok.describe())
		}
		if f.keyed {
			f.key += "."
		}
		f.key, f.keyed = f.key+p.tok.text, true
		if err := p.advance(); err != nil {
			return f, err
		}
	}
	if p.tok.is("(") {
		return f, p.errorf(t.pos, "filters have no functions; compute %s in a mapping", short(t.text+"(...)"))
	}
	if f.name == "" {
		return f, p.errorf(t.pos, "a field's name is missing")
	}
	p.fields = append(p.fields, f.name)
	return f, nil
}

// literal reads a string, a number, or true or false.
func (p *parser) literal() (literal, *Error) {
	t := p.tok
	negative := t.is("-")
	if negative {
		if err := p.advance(); err != nil {
			return literal{}, err
		}
		if p.tok.kind != tokenNumber {
			return literal{}, p.errorf(p.tok.pos, "expected a number after the minus, not %s", p.tok.describe())
		}
	}
	l := literal{pos: t.pos, text: p.tok.text}
	switch {
	case p.tok.kind == tokenString:
		l.quoted = true
	case p.tok.kind == tokenNumber:
		if negative {
			l.text = "-" + l.text
		}
		n, ok := value.ParseNumber(l.text)
		if !ok {
			return l, p.errorf(t.pos, "%s is no number", short(l.text))
		}
		l.number = n
	case p.tok.is("true"), p.tok.is("false"):
		l.boolean = value.OfBool(p.tok.is("true"))
		l.text = strings.ToLower(l.text)
	default:
		return l, p.errorf(t.pos, "expected a value, not %s", t.describe())
	}
	return l, p.advance()
}

// atLiteral reports whether the present token begins a literal.
func (p *parser) atLiteral() bool {
	return p.tok.kind == tokenString || p.tok.kind == tokenNumber || p.tok.is("-") || p.tok.is("true") || p.tok.is("false")
}
