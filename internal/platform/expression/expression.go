package expression

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The limits of one expression.
const (
	// MaxLength is the most bytes of text.
	MaxLength = 8 << 10
	maxDepth  = 1000
	maxNodes  = 1000
)

// Error is a fault in an expression, and where it is.
type Error struct {
	// Column counts characters of the whole text from 1.
	Column int
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("column %d: %s", e.Column, e.Reason) }

// Expression is a parsed and checked expression.
type Expression struct{ tree *lql.Tree }

// Columns lists the event's top-level columns that the expression names, sorted.
func (e *Expression) Columns() []string { return e.tree.Columns() }

// ReadsAllColumns reports whether the expression reads columns that it does not
// name, so that Event.All is needed: match does.
func (e *Expression) ReadsAllColumns() bool { return e.tree.ReadsAll() }

// Result is the kind of value the expression gives, when its text tells; ok is
// false when that depends on the event.
func (e *Expression) Result() (kind value.Kind, ok bool) {
	s := e.tree.Static()
	return s.Kind, s.Known
}

// Parse reads an expression. The error is an *Error.
func Parse(text string) (*Expression, error) {
	if len(text) > MaxLength {
		return nil, &Error{Column: 1, Reason: "the expression is longer than 8 KB"}
	}
	if strings.TrimSpace(text) == "" {
		return nil, &Error{Column: 1, Reason: "the expression is empty"}
	}
	tree, err := parse(text)
	if err != nil {
		return nil, &Error{Column: utf8.RuneCountInString(text[:err.Offset]) + 1, Reason: err.Reason}
	}
	return &Expression{tree}, nil
}

func parse(text string) (*lql.Tree, *lql.Error) {
	p, err := lql.NewParser(text, lql.Expressions, lql.Limits{Depth: maxDepth, Nodes: maxNodes})
	if err != nil {
		return nil, err
	}
	tree, err := p.Condition()
	if err != nil {
		return nil, err
	}
	if !p.AtEnd() {
		return nil, p.Fail("unexpected %s after the end of the expression")
	}
	return tree, nil
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

// Event is what a bound expression is evaluated for: the columns at the places
// that Bind was given, the event's time, which is what now() gives and "now-1d"
// counts from, and, for an expression that ReadsAllColumns, all columns by name.
type Event = lql.Record

// Bound is an expression bound to the places of its columns.
type Bound struct{ evaluator *lql.Evaluator }

// Bind asks for the place of each column, which the rows of events then have.
func (e *Expression) Bind(slot func(column string) int) Bound {
	// An expression includes nothing, which is what could fail.
	evaluator, _ := e.tree.Bind(lql.Scope{Place: func(column string) (int, bool) { return slot(column), true }})
	return Bound{evaluator}
}

// Eval computes the expression for one event. What cannot be computed is NULL.
func (b Bound) Eval(e *Event) value.Value {
	v, _ := b.evaluator.Eval(e)
	return v
}

// Passes reports whether a guard lets an event through: when it is true, or a
// word or number for true.
func (b Bound) Passes(e *Event) bool { return value.ToBool(b.Eval(e)).Bool() }

// Evaluate computes the expression for an event that is given whole: its columns
// by name, and its time.
func (e *Expression) Evaluate(columns map[string]value.Value, at time.Time) value.Value {
	var row []value.Value
	bound := e.Bind(func(column string) int {
		row = append(row, columns[column])
		return len(row) - 1
	})
	return bound.Eval(&Event{Row: row, Now: at, All: func(yield func(string, value.Value) bool) {
		for name, v := range columns {
			if !yield(name, v) {
				return
			}
		}
	}})
}
