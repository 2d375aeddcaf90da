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

// Environment resolves the names in a filter.
type Environment struct {
	// Now is the time of "now" in the filter.
	Now time.Time
	// Field returns the index of a field in Match's rows, and its type. ok is false
	// if no profile has the field.
	Field func(name string) (index int, t value.Type, ok bool)
	// Include returns the filter of an audience. A nil filter without an error means
	// that there is no such audience; its INCLUDE is unknown for every profile.
	Include func(name string) (*Filter, error)
}

// Matcher is a filter bound to an environment. Several goroutines must not use it at
// the same time.
type Matcher struct {
	condition *lql.Evaluator
	record    lql.Record
	// round is the number of the current profile. It ensures that an included
	// audience is evaluated once for each profile.
	round uint64
}

// Compile binds a filter to an environment. It fails with an *Error if audiences include
// one another, and with the error of Environment.Include.
func (f *Filter) Compile(env Environment) (*Matcher, error) {
	m := &Matcher{record: lql.Record{Now: env.Now}}
	c := &compiler{Environment: env, matcher: m, included: map[string]*lql.Evaluator{}}
	var err error
	m.condition, err = c.bind(f)
	return m, err
}

// Match evaluates the filter for one profile. A filter with an unknown result does not
// match.
func (m *Matcher) Match(row []value.Value) bool {
	matches, _ := m.Test(row)
	return matches
}

// Test evaluates the filter for one profile. If known is false, the result is unknown:
// neither the filter nor its NOT matches.
func (m *Matcher) Test(row []value.Value) (matches, known bool) {
	m.record.Row = row
	m.round++
	return m.condition.Test(&m.record)
}

type compiler struct {
	Environment
	matcher *Matcher
	// included holds the bound audiences by name.
	included map[string]*lql.Evaluator
	// path are the names of the audiences that are being bound.
	path []string
}

func (c *compiler) bind(f *Filter) (*lql.Evaluator, error) {
	return f.condition.Bind(lql.Scope{
		Index: func(name string) (int, bool) {
			index, _, ok := c.Field(name)
			return index, ok
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

// Evaluate evaluates the filter for one profile. fields are the profile's values by
// name. types are the types of the fields whose values must be converted. audiences are
// the filters of included audiences by name. known is false if the result is unknown.
// It is slower than Compile and Match.
func (f *Filter) Evaluate(
	fields map[string]value.Value,
	types map[string]value.Type,
	now time.Time,
	audiences map[string]*Filter,
) (matches, known bool, err error) {
	var row []value.Value
	indexes := map[string]int{}
	m, err := f.Compile(Environment{
		Now: now,
		Field: func(name string) (int, value.Type, bool) {
			v, ok := fields[name]
			if !ok {
				return 0, value.Type{}, false
			}
			t, typed := types[name]
			if _, added := indexes[name]; !added {
				// An empty list or map exists, so it must not become NULL.
				if typed && !v.IsEmpty() {
					v, _ = t.Convert(v)
				}
				indexes[name] = len(row)
				row = append(row, v)
			}
			return indexes[name], t, true
		},
		Include: func(name string) (*Filter, error) { return audiences[name], nil },
	})
	if err != nil {
		return false, false, err
	}
	matches, known = m.Test(row)
	return matches, known, nil
}
