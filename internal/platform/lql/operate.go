package lql

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

func (n binary) bind(b *binder) (operand, error) {
	left, err := n.left.bind(b)
	if err != nil {
		return operand{}, err
	}
	right, err := n.right.bind(b)
	if err != nil {
		return operand{}, err
	}
	if right.constant && n.op == opLike && right.v.Kind() == value.String {
		right.pattern = newPattern(right.v.Str())
	}
	if texts := constantTexts(n.op, &right); texts != nil {
		return operand{eval: inTexts(left, right, texts)}, nil
	}
	op := n.op
	return operand{eval: func(r *Record) (value.Value, State) {
		a, as := left.eval(r)
		b, bs := right.eval(r)
		return op.apply(r, side{a, as, &left}, side{b, bs, &right})
	}}, nil
}

// constantTexts returns the members of a list of string literals, so that a test of a
// long list takes one lookup.
func constantTexts(op operator, right *operand) map[string]struct{} {
	if op != opIn && op != opIntersects || !right.written || !right.constant || len(right.items) < 4 {
		return nil
	}
	texts := make(map[string]struct{}, len(right.items))
	for _, item := range right.items {
		if item.v.Kind() != value.String {
			return nil
		}
		texts[item.v.Str()] = struct{}{}
	}
	return texts
}

func inTexts(left, right operand, texts map[string]struct{}) evaluator {
	return func(r *Record) (value.Value, State) {
		a, as := left.eval(r)
		if as == Known && a.Kind() == value.String {
			_, ok := texts[a.Str()]
			return value.OfBool(ok), Known
		}
		return opIn.apply(r, side{a, as, &left}, side{right.v, Known, &right})
	}
}

// side is an operand with its value.
type side struct {
	v value.Value
	s State
	*operand
}

func truth(b bool) (value.Value, State)   { return value.OfBool(b), Known }
func undecided() (value.Value, State)     { return value.Value{}, Unknown }
func notApplicable() (value.Value, State) { return value.Value{}, Failed }

// apply evaluates an operator. Absent operands are handled first, by absentOperand.
func (o operator) apply(r *Record, a, b side) (value.Value, State) {
	if a.s == Unknown || b.s == Unknown {
		if v, s, ok := o.absentOperand(a.s == Unknown, b.s == Unknown); ok {
			return v, s
		}
	}
	if a.s == Failed || b.s == Failed {
		return undecided()
	}
	switch a.v.Kind() {
	case value.Number:
		return o.number(r, a, b)
	case value.Bool:
		return o.boolean(a.v, b.v)
	case value.String:
		return o.text(r, a, b)
	case value.Time:
		t, ok := b.timeOf(r)
		if !ok || !o.orders() {
			return undecided()
		}
		return truth(o.accepts(compareSeconds(a.v, t)))
	case value.List:
		return o.list(r, a, b)
	case value.Map:
		return o.keys(a.v, b.v)
	default:
		return o.null(b.v)
	}
}

// absentOperand returns the result for unknown operands. An unknown operand equals no
// value, is neither less nor greater than any value, and contains no value.
func (o operator) absentOperand(a, b bool) (v value.Value, s State, decided bool) {
	answer := func(b bool) (value.Value, State, bool) { return value.OfBool(b), Known, true }
	switch {
	case a && b && (o == opOr || o.orders() || o == opLike):
		return answer(false)
	case a && b:
		return value.Value{}, Unknown, true
	case o == opNotEqual:
		return answer(true)
	case o.orders(), o == opLike, o == opIn, o == opIntersects, o == opAnd, o == opContains && a:
		return answer(false)
	}
	return value.Value{}, Unknown, false
}

func (o operator) number(r *Record, a, b side) (value.Value, State) {
	switch {
	case b.written && (o == opIn || o == opIntersects):
		for i := range b.items {
			item, _ := b.items[i].eval(r)
			if n := lenientNumber(item); !n.IsNull() && value.Compare(a.v, n) == 0 {
				return truth(true)
			}
		}
		return truth(false)
	case b.v.Kind() == value.Number:
		return o.numbers(a.v, b.v)
	case b.v.Kind() == value.String:
		n, ok := value.ParseNumber(b.v.Str())
		if !ok && o.orders() && strings.EqualFold(b.v.Str(), "nan") {
			// A value that is not a number equals no number.
			return truth(o == opNotEqual)
		}
		if !ok || o >= opLike && o <= opIntersects {
			return undecided()
		}
		return o.numbers(a.v, n)
	}
	return undecided()
}

func (o operator) numbers(a, b value.Value) (value.Value, State) {
	switch {
	case o.orders():
		return truth(o.accepts(value.Compare(a, b)))
	case o.arithmetic():
		v := value.Compute(arithmetic[o], a, b)
		if v.IsNull() {
			return notApplicable()
		}
		return v, Known
	case o == opOr:
		return truth(!isZero(a) || !isZero(b))
	case o == opAnd:
		return truth(!isZero(a) && !isZero(b))
	}
	return notApplicable()
}

var arithmetic = map[operator]value.Arithmetic{opPlus: '+', opMinus: '-', opTimes: '*', opDivide: '/', opModulo: '%'}

func isZero(n value.Value) bool { return value.Compare(n, value.OfInt(0)) == 0 }

func (o operator) boolean(a, b value.Value) (value.Value, State) {
	switch b.Kind() {
	case value.Bool:
		switch o {
		case opAnd:
			return truth(a.Bool() && b.Bool())
		case opOr:
			return truth(a.Bool() || b.Bool())
		case opEqual:
			return truth(a.Bool() == b.Bool())
		case opNotEqual:
			return truth(a.Bool() != b.Bool())
		}
	case value.Null:
		switch o {
		case opAnd, opEqual:
			return truth(false)
		case opOr:
			return a, Known
		case opNotEqual:
			return truth(true)
		}
	}
	return undecided()
}

func (o operator) text(r *Record, a, b side) (value.Value, State) {
	s := a.v.Str()
	switch b.v.Kind() {
	case value.String:
		return o.texts(s, b)
	case value.Null:
		switch o {
		case opEqual:
			return truth(s == "")
		case opNotEqual:
			return truth(s != "")
		}
	case value.List, value.Map:
		return o.textInMembers(s, b.v)
	case value.Bool:
		return o.textAndBoolean(s, b.v)
	case value.Number:
		n := lenientNumber(a.v)
		switch {
		case n.IsNull() && o.orders():
			// A value that is not a number equals no number.
			return truth(o == opNotEqual)
		case n.IsNull() && o.arithmetic():
			return undecided()
		case n.IsNull():
			return notApplicable()
		}
		return o.numbers(n, b.v)
	case value.Time:
		if t, ok := a.timeOf(r); ok && o.orders() {
			return truth(o.accepts(compareSeconds(t, b.v)))
		}
	}
	return undecided()
}

// texts compares strings by equality and by pattern. Strings have no order.
func (o operator) texts(s string, b side) (value.Value, State) {
	switch o {
	case opEqual, opIn, opIntersects:
		return truth(s == b.v.Str())
	case opNotEqual:
		return truth(s != b.v.Str())
	case opContains:
		return truth(strings.Contains(s, b.v.Str()))
	case opLike:
		matches, ok := b.like(s)
		if !ok {
			return notApplicable()
		}
		return truth(matches)
	}
	return notApplicable()
}

// like matches the text with the operand as a pattern. A constant was parsed before.
func (s side) like(text string) (matches, ok bool) {
	if s.operand != nil && s.pattern != nil {
		return s.pattern.match(text)
	}
	return newPattern(s.v.Str()).match(text)
}

func (o operator) textAndBoolean(s string, b value.Value) (value.Value, State) {
	if v := strictBool(s); !v.IsNull() && (o == opEqual || o == opNotEqual) {
		return truth((v.Bool() == b.Bool()) == (o == opEqual))
	}
	if o == opNotEqual || o.orders() && o != opEqual || o.arithmetic() {
		return undecided()
	}
	return truth(false)
}

// null compares an explicit NULL with b.
func (o operator) null(b value.Value) (value.Value, State) {
	switch o {
	case opAnd:
		return truth(false)
	case opOr:
		return truth(b.Bool())
	case opEqual:
		return truth(b.IsNull())
	case opNotEqual:
		return truth(true)
	}
	return undecided()
}

// bind binds BETWEEN. The bounds are exclusive, and only numbers and dates are compared.
func (n between) bind(b *binder) (operand, error) {
	all, _, err := bindAll(b, []node{n.of, n.low, n.high})
	if err != nil {
		return operand{}, err
	}
	return operand{eval: func(r *Record) (value.Value, State) {
		var sides [3]side
		for i := range all {
			v, s := all[i].eval(r)
			if s != Known {
				return undecided()
			}
			sides[i] = side{v, s, &all[i]}
		}
		return within(r, sides[0].v, sides[1], sides[2])
	}}, nil
}

func within(r *Record, v value.Value, low, high side) (value.Value, State) {
	switch v.Kind() {
	case value.Number:
		l, h := lenientNumber(low.v), lenientNumber(high.v)
		if l.IsNull() || h.IsNull() {
			return undecided()
		}
		return truth(value.Compare(v, l) > 0 && value.Compare(v, h) < 0)
	case value.Time:
		l, ok := low.timeOf(r)
		h, ok2 := high.timeOf(r)
		if !ok || !ok2 {
			return undecided()
		}
		return truth(compareSeconds(v, l) > 0 && compareSeconds(v, h) < 0)
	}
	return undecided()
}
