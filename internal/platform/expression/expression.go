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
	// MaxLength is the length limit of the text in bytes.
	MaxLength = 8 << 10
	maxDepth  = 1000
	maxNodes  = 1000
)

// Error is an error in an expression, with its position.
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

// ReadsAllColumns reports whether the expression reads columns that it does not name,
// as the function match does. Such an expression needs Event.All.
func (e *Expression) ReadsAllColumns() bool { return e.tree.ReadsAll() }

// Result is the kind of the expression's result; ok is false if the kind depends on the
// event.
func (e *Expression) Result() (kind value.Kind, ok bool) {
	s := e.tree.Static()
	return s.Kind, s.Known
}

// Parse parses an expression. The error is an *Error.
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

// ParseGuard parses a guard: an expression whose result can be a boolean.
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

// Event is the input of a bound expression: the columns at the indexes that Bind
// received, the event's time, and, if ReadsAllColumns is true, all columns by name. The
// event's time is the result of now() and the base of "now-1d".
type Event = lql.Record

// Bound is an expression bound to the indexes of its columns.
type Bound struct{ evaluator *lql.Evaluator }

// Bind binds the expression to rows. It calls index for the index of each column.
func (e *Expression) Bind(index func(column string) int) Bound {
	// Bind fails only for filters that include audiences.
	evaluator, _ := e.tree.Bind(lql.Scope{Index: func(column string) (int, bool) { return index(column), true }})
	return Bound{evaluator}
}

// Eval evaluates the expression for one event. The value is NULL if there is no result.
func (b Bound) Eval(e *Event) value.Value {
	v, _ := b.evaluator.Eval(e)
	return v
}

// Passes reports whether an event passes a guard: the guard's result is true, or a word
// or number for true.
func (b Bound) Passes(e *Event) bool { return value.ToBool(b.Eval(e)).Bool() }

// Evaluate evaluates the expression for an event with these columns and this time. It
// is slower than Bind and Eval.
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
