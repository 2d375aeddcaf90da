package filterql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Environment is what a filter's names stand for.
type Environment struct {
	// Now is what "now" means, for the whole evaluation.
	Now time.Time
	// Field gives the place of a field in Match's rows, and its type. Profiles do
	// not have a field for which ok is false.
	Field func(name string) (place int, t value.Type, ok bool)
	// Include gives the filter of an audience; nil without an error means that
	// there is no such audience, which is unknown for every profile.
	Include func(name string) (*Filter, error)
}

// Matcher is a filter bound to an environment. It is not for use by several
// goroutines at once.
type Matcher struct {
	condition *lql.Evaluator
	record    lql.Record
	// round numbers the profiles, so that an included audience is evaluated once
	// for each.
	round uint64
}

// Compile binds a filter. It fails with an *Error when audiences include one
// another, and with what Environment.Include fails with.
func (f *Filter) Compile(env Environment) (*Matcher, error) {
	m := &Matcher{record: lql.Record{Now: env.Now}}
	c := &compiler{Environment: env, matcher: m, included: map[string]*lql.Evaluator{}}
	var err error
	m.condition, err = c.bind(f)
	return m, err
}

// Match evaluates the filter for one profile. What cannot be decided does not
// match.
func (m *Matcher) Match(row []value.Value) bool {
	matches, _ := m.Test(row)
	return matches
}

// Test evaluates the filter for one profile; known is false when it cannot be
// decided, so that neither the filter nor its NOT matches.
func (m *Matcher) Test(row []value.Value) (matches, known bool) {
	m.record.Row = row
	m.round++
	return m.condition.Test(&m.record)
}

type compiler struct {
	Environment
	matcher *Matcher
	// included are the audiences met; path are those being bound.
	included map[string]*lql.Evaluator
	path     []string
}

func (c *compiler) bind(f *Filter) (*lql.Evaluator, error) {
	return f.condition.Bind(lql.Scope{
		Place: func(name string) (int, bool) {
			place, _, ok := c.Field(name)
			return place, ok
		},
		Times: func(name string) bool {
			_, t, ok := c.Field(name)
			return ok && t.Shape == value.SetOf && t.Element == value.ElementDate
		},
		Include: c.include,
	})
}

// include binds an audience once, and refuses cycles.
func (c *compiler) include(name string) (*lql.Evaluator, bool, error) {
	if slices.Contains(c.path, name) {
		return nil, false, &Error{Reason: "audiences include one another: " + strings.Join(append(c.path, name), " -> ")}
	}
	if inner, ok := c.included[name]; ok {
		return inner, inner != nil, nil
	}
	f, err := c.Include(name)
	if err != nil {
		return nil, false, err
	}
	if f == nil {
		c.included[name] = nil
		return nil, false, nil
	}
	c.path = append(c.path, name)
	inner, err := c.bind(f)
	c.path = c.path[:len(c.path)-1]
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok && e.Line > 0 {
			return nil, false, &Error{Reason: fmt.Sprintf("in the included audience %s, %s", name, e.Error())}
		}
		return nil, false, err
	}
	round := uint64(0)
	c.included[name] = inner.Memoize(func() bool {
		before := round
		round = c.matcher.round
		return before != round
	})
	return c.included[name], true, nil
}

// Evaluate evaluates the filter for one profile that is given whole: its fields
// by name, with their types where they are not those of the values, what now
// means, and the filters of included audiences by name. Known is false when the
// filter cannot be decided.
func (f *Filter) Evaluate(
	fields map[string]value.Value,
	types map[string]value.Type,
	now time.Time,
	audiences map[string]*Filter,
) (matches, known bool, err error) {
	var row []value.Value
	places := map[string]int{}
	m, err := f.Compile(Environment{
		Now: now,
		Field: func(name string) (int, value.Type, bool) {
			v, ok := fields[name]
			if !ok {
				return 0, value.Type{}, false
			}
			t, typed := types[name]
			if _, placed := places[name]; !placed {
				// A list or map that is there and has nothing in it exists.
				if typed && !v.IsEmpty() {
					v, _ = t.Convert(v)
				}
				places[name] = len(row)
				row = append(row, v)
			}
			return places[name], t, true
		},
		Include: func(name string) (*Filter, error) { return audiences[name], nil },
	})
	if err != nil {
		return false, false, err
	}
	matches, known = m.Test(row)
	return matches, known, nil
}
