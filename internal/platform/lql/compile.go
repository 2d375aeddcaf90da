package lql

import (
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Record is the input of an evaluation: an event or a profile.
type Record struct {
	// Row holds the values of the columns at the indexes of Scope.Index.
	Row []value.Value
	// Now is the result of now() and the base of "now-1d".
	Now time.Time
	// All iterates over all columns by name, for functions that read every column.
	// Nil means that there are none.
	All func(yield func(name string, v value.Value) bool)
}

// Scope resolves the names in a tree.
type Scope struct {
	// Index returns the index of a column in Record.Row. If ok is false, the column is
	// absent in every record.
	Index func(name string) (index int, ok bool)
	// Times reports whether a column is a list of times. Nil means that no column is.
	Times func(name string) bool
	// Include returns the condition of an audience; ok is false if there is no such
	// audience. Only filters use it.
	Include func(name string) (inner *Evaluator, ok bool, err error)
}

// Evaluator is a tree bound to a scope.
type Evaluator struct{ eval evaluator }

// State is the state of an evaluation's result; see the package comment.
type State uint8

// The states.
const (
	Known State = iota
	Unknown
	Failed
)

type evaluator func(r *Record) (value.Value, State)

// Eval evaluates one record. The value is NULL if the state is not Known.
func (e *Evaluator) Eval(r *Record) (value.Value, State) {
	v, s := e.eval(r)
	if s != Known {
		return value.Value{}, s
	}
	return v, s
}

// Test evaluates a condition; known is false if the result is unknown.
func (e *Evaluator) Test(r *Record) (matches, known bool) {
	v, s := e.eval(r)
	return s == Known && v.Bool(), s != Unknown
}

// operand is a bound node.
type operand struct {
	eval evaluator
	// constant means that the value is v for every record.
	constant bool
	v        value.Value
	// date is a constant that was parsed as a date.
	date dateReading
	// items are the items of a list in the text.
	items   []operand
	written bool
	// times means that the operand is a column that is a list of times.
	times bool
	// pattern is a constant that was parsed as the pattern of LIKE.
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

// Bind binds a tree to a scope. It fails only with the error of Scope.Include.
func (t *Tree) Bind(s Scope) (*Evaluator, error) {
	b := &binder{s}
	o, err := t.root.bind(b)
	return &Evaluator{o.eval}, err
}

// Memoize returns an evaluator that evaluates the condition once for each record.
// newRecord reports whether the record has changed since the last call.
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

// read returns a column's value. An absent value is unknown.
func read(index int) evaluator {
	return func(r *Record) (value.Value, State) {
		v := r.Row[index]
		if v.IsAbsent() {
			return v, Unknown
		}
		return v, Known
	}
}

func (c column) bind(b *binder) (operand, error) {
	var whole, part evaluator
	if c.name.exact != "" {
		if index, ok := b.Index(c.name.exact); ok {
			whole = read(index)
		}
	}
	if c.name.keyed {
		if index, ok := b.Index(c.name.left); ok {
			part = readKey(index, c.name.key)
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

// readKey returns a map's value for a key. If the map does not have a key with dots, the
// key is a path through nested maps.
func readKey(index int, key string) evaluator {
	paths := dottedPaths(key)
	return func(r *Record) (value.Value, State) {
		v := r.Row[index]
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
	// The NOT of an included audience with an unknown result is true. The NOT of an
	// audience that does not exist is unknown.
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

// bind binds another audience's condition. An audience that does not exist is unknown.
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
