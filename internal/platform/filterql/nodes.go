package filterql

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

type node interface {
	compile(c *compiler) (test, error)
}

type field struct {
	name  string
	key   string
	keyed bool
	pos   int
}

// literal is a value as written; how it is read depends on the field.
type literal struct {
	text    string
	quoted  bool
	number  value.Value
	boolean value.Value
	pos     int
}

var trueValue = value.OfBool(true)

type (
	all        struct{}
	not        struct{ inner node }
	include    struct{ name string }
	exists     struct{ f field }
	comparison struct {
		f  field
		op string
		l  literal
	}
	between struct {
		f         field
		low, high literal
	}
	membership struct {
		f    field
		list []literal
	}
	contains struct {
		f field
		l literal
	}
	like struct {
		f field
		l literal
	}
	group struct {
		// any tells OR from AND.
		any   bool
		parts []node
	}
)

func (all) compile(*compiler) (test, error) { return func(*run) bool { return true }, nil }

func (n not) compile(c *compiler) (test, error) {
	inner, err := n.inner.compile(c)
	return func(r *run) bool { return !inner(r) }, err
}

func (n include) compile(c *compiler) (test, error) { return c.include(n.name) }

func (n exists) compile(c *compiler) (test, error) {
	s, err := c.bind(n.f)
	return func(r *run) bool { return !s.read(r.row).IsEmpty() }, err
}

func (n group) compile(c *compiler) (test, error) {
	tests := make([]test, len(n.parts))
	for i, p := range n.parts {
		var err error
		if tests[i], err = p.compile(c); err != nil {
			return nil, err
		}
	}
	if n.any {
		return func(r *run) bool { return slices.ContainsFunc(tests, func(t test) bool { return t(r) }) }, nil
	}
	return func(r *run) bool { return !slices.ContainsFunc(tests, func(t test) bool { return !t(r) }) }, nil
}

func (n comparison) compile(c *compiler) (test, error) {
	s, err := c.bind(n.f)
	if err != nil {
		return nil, err
	}
	order, err := c.order(n.f, s.element, n.l)
	if err != nil {
		return nil, err
	}
	accepts := func(ok func(c int) bool) test {
		return s.any(func(v value.Value) bool {
			c, known := order(v)
			return known && ok(c)
		})
	}
	switch n.op {
	case "<":
		return accepts(func(c int) bool { return c < 0 }), nil
	case "<=":
		return accepts(func(c int) bool { return c <= 0 }), nil
	case ">":
		return accepts(func(c int) bool { return c > 0 }), nil
	case ">=":
		return accepts(func(c int) bool { return c >= 0 }), nil
	}
	equal := accepts(func(c int) bool { return c == 0 })
	if n.op == "!=" || n.op == "<>" {
		return func(r *run) bool { return !equal(r) }, nil
	}
	return equal, nil
}

func (n between) compile(c *compiler) (test, error) {
	s, err := c.bind(n.f)
	if err != nil {
		return nil, err
	}
	low, err := c.order(n.f, s.element, n.low)
	if err != nil {
		return nil, err
	}
	high, err := c.order(n.f, s.element, n.high)
	if err != nil {
		return nil, err
	}
	return s.any(func(v value.Value) bool {
		above, ok := low(v)
		below, ok2 := high(v)
		return ok && ok2 && above > 0 && below < 0
	}), nil
}

func (n membership) compile(c *compiler) (test, error) {
	s, err := c.bind(n.f)
	if err != nil {
		return nil, err
	}
	if s.element == value.ElementString && !slices.ContainsFunc(n.list, func(l literal) bool { return !l.quoted }) {
		texts := make(map[string]bool, len(n.list))
		for _, l := range n.list {
			texts[l.text] = true
		}
		return s.any(func(v value.Value) bool { return texts[v.Str()] }), nil
	}
	orders := make([]ordering, len(n.list))
	for i, l := range n.list {
		if orders[i], err = c.order(n.f, s.element, l); err != nil {
			return nil, err
		}
	}
	return s.any(func(v value.Value) bool {
		return slices.ContainsFunc(orders, func(o ordering) bool {
			c, ok := o(v)
			return ok && c == 0
		})
	}), nil
}

func (n contains) compile(c *compiler) (test, error) {
	s, err := c.bind(n.f)
	if err != nil {
		return nil, err
	}
	if s.many {
		return membership{n.f, []literal{n.l}}.compile(c)
	}
	if s.element != value.ElementString && s.element != value.ElementAny {
		return nil, c.lexer.errorf(n.f.pos, "CONTAINS looks into strings, sets and maps; field %s is of type %s", n.f.name, s.element)
	}
	return s.any(func(v value.Value) bool {
		if v.Kind() == value.List {
			return slices.ContainsFunc(v.List(), func(e value.Value) bool { return e.Text() == n.l.text })
		}
		return v.Kind() == value.String && strings.Contains(v.Str(), n.l.text)
	}), nil
}

func (n like) compile(c *compiler) (test, error) {
	s, err := c.bind(n.f)
	if err != nil {
		return nil, err
	}
	if s.element != value.ElementString && s.element != value.ElementAny {
		return nil, c.lexer.errorf(n.f.pos, "LIKE matches strings; field %s is of type %s", n.f.name, s.element)
	}
	parts := strings.Split(n.l.text, "*")
	return s.any(func(v value.Value) bool { return v.Kind() == value.String && glob(v.Str(), parts) }), nil
}

// glob matches the parts of a pattern between its asterisks, in time that grows
// with the text and the pattern.
func glob(s string, parts []string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
