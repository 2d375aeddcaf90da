package filterql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Environment is what a filter's names stand for.
type Environment struct {
	// Now is what "now" means, for the whole evaluation.
	Now time.Time
	// Field gives the place of a field in Match's rows, and its type.
	Field func(name string) (place int, t value.Type, ok bool)
	// Include gives the filter of an audience.
	Include func(name string) (*Filter, error)
}

// Matcher is a filter bound to an environment. It is not for use by several
// goroutines at once.
type Matcher struct {
	match test
	run   run
}

// run is the evaluation of one row: an included audience is evaluated once,
// however often it is included.
type run struct {
	row  []value.Value
	memo []answer
}

type answer uint8

const (
	open answer = iota
	no
	yes
)

type test func(r *run) bool

// Compile binds a filter. It fails with an *Error when the filter names a field
// that is not there, compares a field with what its type cannot be, or includes
// an audience that is not there or that includes this one.
func (f *Filter) Compile(env Environment) (*Matcher, error) {
	c := &compiler{Environment: env, included: map[string]int{}}
	match, err := c.filter(f)
	if err != nil {
		return nil, err
	}
	return &Matcher{match: match, run: run{memo: make([]answer, len(c.included))}}, nil
}

// Match evaluates the filter for one profile.
func (m *Matcher) Match(row []value.Value) bool {
	m.run.row = row
	clear(m.run.memo)
	return m.match(&m.run)
}

type compiler struct {
	Environment
	// lexer makes errors with a place in the text of the filter at hand.
	lexer lexer
	// included numbers the audiences met; path are those being compiled.
	included map[string]int
	tests    []test
	path     []string
}

func (c *compiler) filter(f *Filter) (test, error) {
	// An included filter's places are in its own text.
	outer := c.lexer
	c.lexer = lexer{src: f.src}
	defer func() { c.lexer = outer }()
	return f.root.compile(c)
}

// include compiles an audience once, and refuses cycles.
func (c *compiler) include(name string) (test, error) {
	if slices.Contains(c.path, name) {
		return nil, &Error{Reason: "audiences include one another: " + strings.Join(append(c.path, name), " -> ")}
	}
	if i, ok := c.included[name]; ok {
		return memoized(i, c.tests[i]), nil
	}
	f, err := c.Include(name)
	if err != nil {
		return nil, err
	}
	c.path = append(c.path, name)
	inner, err := c.filter(f)
	c.path = c.path[:len(c.path)-1]
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Line > 0 {
			return nil, &Error{Reason: fmt.Sprintf("in the included audience %s, %s", name, e.Error())}
		}
		return nil, err
	}
	i := len(c.tests)
	c.included[name] = i
	c.tests = append(c.tests, inner)
	return memoized(i, inner), nil
}

func memoized(i int, inner test) test {
	return func(r *run) bool {
		if r.memo[i] == open {
			r.memo[i] = no
			if inner(r) {
				r.memo[i] = yes
			}
		}
		return r.memo[i] == yes
	}
}

// source is a field bound to its place: how its value is read, and of what its
// members are.
type source struct {
	read    func(row []value.Value) value.Value
	element value.Element
	// many tells that a value has members: a set's, or a map's keys.
	many bool
}

func (c *compiler) bind(f field) (source, error) {
	place, t, ok := c.Field(f.name)
	if !ok {
		return source{}, c.lexer.errorf(f.pos, "there is no field %s", short(f.name))
	}
	read := func(row []value.Value) value.Value { return row[place] }
	switch {
	case f.keyed && t.Shape != value.MapOf:
		return source{}, c.lexer.errorf(f.pos, "field %s is of type %s and has no keys", f.name, t)
	case f.keyed:
		key := f.key
		return source{read: func(row []value.Value) value.Value { return row[place].Lookup(key) }, element: t.Element}, nil
	case t.Shape == value.MapOf:
		return source{read: read, element: value.ElementString, many: true}, nil
	}
	return source{read: read, element: t.Element, many: t.Shape == value.SetOf}, nil
}

// any tests the value, or each member until one passes. NULL passes nothing.
func (s source) any(accepts func(v value.Value) bool) test {
	if !s.many {
		return func(r *run) bool {
			v := s.read(r.row)
			return !v.IsNull() && accepts(v)
		}
	}
	return func(r *run) bool {
		v := s.read(r.row)
		for _, e := range v.Entries() {
			if accepts(value.OfString(e.Key)) {
				return true
			}
		}
		return slices.ContainsFunc(v.List(), accepts)
	}
}
