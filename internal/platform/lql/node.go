package lql

import (
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// node is a part of a parsed text.
type node interface {
	// static is the kind of the node's values, if it does not depend on the record.
	static() Static
	bind(b *binder) (operand, error)
}

// Static is the kind of a value, if it does not depend on the record.
type Static struct {
	Kind  value.Kind
	Known bool
}

func of(k value.Kind) Static { return Static{Kind: k, Known: true} }

type (
	literal struct{ v value.Value }
	// everything is * and match_all.
	everything struct{}
	column     struct {
		name name
		pos  int
	}
	// list is a list of values in parentheses or brackets.
	list struct{ items []node }
	call struct {
		function *function
		// eval is the function, prepared for its literal arguments.
		eval functionEval
		args []node
	}
	binary struct {
		op          operator
		left, right node
	}
	negation struct{ inner node }
	minus    struct{ inner node }
	existing struct{ inner node }
	between  struct{ of, low, high node }
	include  struct {
		name string
		pos  int
	}
	// group is AND (...) or OR (...).
	group struct {
		// any means OR; otherwise the group is an AND.
		any   bool
		parts []node
	}
)

func (l literal) static() Static {
	if l.v.IsNull() {
		return Static{}
	}
	return of(l.v.Kind())
}
func (everything) static() Static { return of(value.Bool) }
func (column) static() Static     { return Static{} }
func (list) static() Static       { return of(value.List) }
func (c call) static() Static     { return c.function.result }
func (b binary) static() Static {
	if b.op.arithmetic() {
		return of(value.Number)
	}
	return of(value.Bool)
}
func (negation) static() Static { return of(value.Bool) }
func (minus) static() Static    { return of(value.Number) }
func (existing) static() Static { return of(value.Bool) }
func (between) static() Static  { return of(value.Bool) }
func (include) static() Static  { return of(value.Bool) }
func (group) static() Static    { return of(value.Bool) }

// operator is a binary operator.
type operator uint8

const (
	opOr operator = iota + 1
	opAnd
	opEqual
	opNotEqual
	opLess
	opLessOrEqual
	opGreater
	opGreaterOrEqual
	opLike
	opContains
	opIn
	opIntersects
	opPlus
	opMinus
	opTimes
	opDivide
	opModulo
)

func (o operator) arithmetic() bool { return o >= opPlus }

// orders reports whether the operator compares two values.
func (o operator) orders() bool { return o >= opEqual && o <= opGreaterOrEqual }

// accepts reports whether a comparison is true, given the order c of its operands.
func (o operator) accepts(c int) bool {
	switch o {
	case opEqual:
		return c == 0
	case opNotEqual:
		return c != 0
	case opLess:
		return c < 0
	case opLessOrEqual:
		return c <= 0
	case opGreater:
		return c > 0
	default:
		return c >= 0
	}
}

var operators = map[string]operator{
	"or": opOr, "||": opOr, "and": opAnd, "&&": opAnd,
	"=": opEqual, "==": opEqual, "!=": opNotEqual, "<>": opNotEqual, "<": opLess, "<=": opLessOrEqual, ">": opGreater, ">=": opGreaterOrEqual,
	"like": opLike, "contains": opContains, "in": opIn, "intersects": opIntersects,
	"+": opPlus, "-": opMinus, "*": opTimes, "/": opDivide, "%": opModulo,
}
