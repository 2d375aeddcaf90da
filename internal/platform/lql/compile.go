package lql

import (
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Record is what an evaluation reads.
type Record struct {
	// Row has the columns at the places that Scope.Place gave.
	Row []value.Value
	// Now is what now() gives and "now-1d" counts from.
	Now time.Time
	// All gives all columns by name, for functions that read any column. Nil
	// means that there are none.
	All func(yield func(name string, v value.Value) bool)
}

// Scope is what a tree's names stand for.
type Scope struct {
	// Place gives the place of a column in Record.Row. Without one the column is
	// absent.
	Place func(name string) (place int, ok bool)
	// Times reports whether a column is a list of times. Nil means that none is.
	Times func(name string) bool
	// Include gives the condition of an audience; ok is false when there is no
	// such audience. Only filters include.
	Include func(name string) (inner *Evaluator, ok bool, err error)
}

// Evaluator is a tree bound to a scope.
type Evaluator struct{ eval evaluator }

// State is what an evaluation came to.
type State uint8

// The states; see the package's comment.
const (
	Known State = iota
	Unknown
	Failed
)

type evaluator func(r *Record) (value.Value, State)

// Eval evaluates one record. The value of what is unknown or failed is NULL.
func (e *Evaluator) Eval(r *Record) (value.Value, State) {
	v, s := e.eval(r)
	if s != Known {
		return value.Value{}, s
	}
	return v, s
}

// Test evaluates a condition; known is false when it could not be decided.
func (e *Evaluator) Test(r *Record) (matches, known bool) {
	v, s := e.eval(r)
	return s == Known && v.Bool(), s != Unknown
}

// operand is a bound node.
type operand struct {
	eval evaluator
	// constant operands have the value v, whatever the record.
	constant bool
	v        value.Value
	// date is a constant's reading as a date.
	date dateReading
	// items are those of a list that is written out.
	items   []operand
	written bool
	// times tells that the operand is a column that is a list of times.
	times bool
	// pattern is a constant's reading as the pattern of LIKE.
	pattern *pattern
}

func constantOperand(v value.Value) operand {
	o := operand{constant: true, v: v, eval: func(*Record) (value.Value, State) { return v, Known }}
	if v.Kind() == value.String {
		o.date = readDate(v.Str())
	}
	return o
}

type binder struct{ Scope }

// Bind binds a tree. It fails with what Scope.Include fails with.
func (t *Tree) Bind(s Scope) (*Evaluator, error) {
	b := &binder{s}
	o, err := t.root.bind(b)
	return &Evaluator{o.eval}, err
}

// Memoize evaluates a condition once for each record: seen tells by its result
// whether a record is a new one.
func (e *Evaluator) Memoize(newRecord func() bool) *Evaluator {
	var v value.Value
	var s State
	return &Evaluator{func(r *Record) (value.Value, State) {
		if newRecord() {
			v, s = e.eval(r)
		}
		return v, s
	}}
}

func (l literal) bind(*binder) (operand, error) { return constantOperand(l.v), nil }

func (everything) bind(*binder) (operand, error) { return constantOperand(value.OfBool(true)), nil }

func absent(*Record) (value.Value, State) { return value.Value{}, Unknown }

// read gives a column's value: what is absent is unknown.
func read(place int) evaluator {
	return func(r *Record) (value.Value, State) {
		v := r.Row[place]
		if v.IsAbsent() {
			return v, Unknown
		}
		return v, Known
	}
}

func (c column) bind(b *binder) (operand, error) {
	var whole, part evaluator
	if c.name.exact != "" {
		if place, ok := b.Place(c.name.exact); ok {
			whole = read(place)
		}
	}
	if c.name.keyed {
		if place, ok := b.Place(c.name.left); ok {
			part = readKey(place, c.name.key)
		}
	}
	switch {
	case whole == nil && part == nil:
		return operand{eval: absent}, nil
	case whole == nil:
		return operand{eval: part}, nil
	case part == nil:
		return operand{eval: whole, times: b.Times != nil && b.Times(c.name.exact)}, nil
	}
	return operand{eval: func(r *Record) (value.Value, State) {
		if v, s := whole(r); s == Known {
			return v, s
		}
		return part(r)
	}}, nil
}

// readKey gives a map's value for a key. A dotted key that the map has not is a
// path through nested maps.
func readKey(place int, key string) evaluator {
	paths := dottedPaths(key)
	return func(r *Record) (value.Value, State) {
		v := r.Row[place]
		if v.Kind() != value.Map {
			return value.Value{}, Unknown
		}
		for _, path := range paths {
			inner := v
			for _, k := range path {
				inner = inner.Lookup(k)
			}
			if !inner.IsAbsent() {
				return inner, Known
			}
		}
		return value.Value{}, Unknown
	}
}

func (l list) bind(b *binder) (operand, error) {
	items, constant, err := bindAll(b, l.items)
	if err != nil {
		return operand{}, err
	}
	o := operand{items: items, written: true}
	o.eval = func(r *Record) (value.Value, State) {
		values := make([]value.Value, len(items))
		for i := range items {
			values[i], _ = items[i].eval(r)
		}
		return value.OfList(values), Known
	}
	if constant {
		v, _ := o.eval(nil)
		o.constant, o.v = true, v
		o.eval = func(*Record) (value.Value, State) { return v, Known }
	}
	return o, nil
}

// bindAll binds nodes, and reports whether all of them are constant.
func bindAll(b *binder, nodes []node) (operands []operand, constant bool, err error) {
	operands, constant = make([]operand, len(nodes)), true
	for i, n := range nodes {
		if operands[i], err = n.bind(b); err != nil {
			return nil, false, err
		}
		constant = constant && operands[i].constant
	}
	return operands, constant, nil
}

func (c call) bind(b *binder) (operand, error) {
	args, _, err := bindAll(b, c.args)
	if err != nil {
		return operand{}, err
	}
	eval := c.eval
	if len(args) == 1 {
		arg := args[0].eval
		return operand{eval: func(r *Record) (value.Value, State) {
			var one [1]value.Value
			one[0], _ = arg(r)
			return stateOf(eval(r, one[:]))
		}}, nil
	}
	return operand{eval: func(r *Record) (value.Value, State) {
		values := make([]value.Value, len(args))
		for i := range args {
			values[i], _ = args[i].eval(r)
		}
		return stateOf(eval(r, values))
	}}, nil
}

func stateOf(v value.Value, ok bool) (value.Value, State) {
	if !ok {
		return value.Value{}, Unknown
	}
	return v, Known
}

func (n negation) bind(b *binder) (operand, error) {
	inner, err := n.inner.bind(b)
	if err != nil {
		return operand{}, err
	}
	// An included audience that cannot be decided counts as not included; one
	// that is not there is unknown.
	undecided := Unknown
	if i, ok := n.inner.(include); ok {
		if _, ok, err := b.Include(i.name); err == nil && ok {
			undecided = Known
		}
	}
	return operand{eval: func(r *Record) (value.Value, State) {
		v, s := inner.eval(r)
		if s == Known && v.Kind() == value.Bool {
			return value.OfBool(!v.Bool()), Known
		}
		return value.OfBool(true), undecided
	}}, nil
}

func (n minus) bind(b *binder) (operand, error) {
	inner, err := n.inner.bind(b)
	return operand{eval: func(r *Record) (value.Value, State) {
		v, s := inner.eval(r)
		n := lenientNumber(v)
		if s != Known || n.IsNull() || v.Kind() == value.Bool {
			return value.Value{}, Unknown
		}
		return value.Compute('-', value.OfInt(0), n), Known
	}}, err
}

func (n existing) bind(b *binder) (operand, error) {
	inner, err := n.inner.bind(b)
	return operand{eval: func(r *Record) (value.Value, State) {
		v, s := inner.eval(r)
		return value.OfBool(s == Failed || s == Known && !v.IsNull()), Known
	}}, err
}

// include evaluates another audience's condition. An audience that is not there
// is unknown.
func (n include) bind(b *binder) (operand, error) {
	inner, ok, err := b.Include(n.name)
	if err != nil || !ok {
		return operand{eval: absent}, err
	}
	return operand{eval: func(r *Record) (value.Value, State) {
		v, s := inner.eval(r)
		if s == Known && v.Kind() == value.Bool {
			return v, Known
		}
		return value.Value{}, Unknown
	}}, nil
}

func (n group) bind(b *binder) (operand, error) {
	parts, _, err := bindAll(b, n.parts)
	if err != nil {
		return operand{}, err
	}
	decisive := n.any
	return operand{eval: func(r *Record) (value.Value, State) {
		for i := range parts {
			v, s := parts[i].eval(r)
			decided := s == Known && v.Kind() == value.Bool
			switch {
			case !decided && !decisive:
				return value.Value{}, Unknown
			case decided && v.Bool() == decisive:
				return v, Known
			}
		}
		return value.OfBool(!decisive), Known
	}}, nil
}
