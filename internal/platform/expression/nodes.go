package expression

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// staticType is what is known of a node's value before there is an event.
type staticType struct {
	kind  value.Kind
	known bool
}

func of(k value.Kind) staticType { return staticType{kind: k, known: true} }

type node interface {
	static() staticType
	// bind compiles the node; slot gives the place of a column in the row.
	bind(slot func(column string) int) evaluator
}

type evaluator func(row []value.Value) value.Value

// Bound is an expression bound to the places of its columns.
type Bound struct{ eval evaluator }

// Bind asks for the place of each column, which Eval's rows then have.
func (e *Expression) Bind(slot func(column string) int) Bound { return Bound{e.root.bind(slot)} }

// Eval computes the expression for the columns of one event.
func (b Bound) Eval(row []value.Value) value.Value { return b.eval(row) }

// Passes reports whether a guard lets an event through.
func (b Bound) Passes(row []value.Value) bool { return value.ToBool(b.eval(row)).Bool() }

type literal struct{ v value.Value }

func (l literal) static() staticType {
	if l.v.IsNull() {
		return staticType{}
	}
	return of(l.v.Kind())
}

func (l literal) bind(func(string) int) evaluator {
	return func([]value.Value) value.Value { return l.v }
}

type column struct{ path []string }

func (column) static() staticType { return staticType{} }

func (c column) bind(slot func(string) int) evaluator {
	i, rest := slot(c.path[0]), c.path[1:]
	if len(rest) == 0 {
		return func(row []value.Value) value.Value { return row[i] }
	}
	return func(row []value.Value) value.Value {
		v := row[i]
		for _, key := range rest {
			v = v.Lookup(key)
		}
		return v
	}
}

type notNode struct{ operand node }

func (notNode) static() staticType { return of(value.Bool) }

func (n notNode) bind(slot func(string) int) evaluator {
	operand := n.operand.bind(slot)
	return func(row []value.Value) value.Value {
		v := value.ToBool(operand(row))
		if v.IsNull() {
			return v
		}
		return value.OfBool(!v.Bool())
	}
}

type inNode struct {
	left node
	list []node
}

func (inNode) static() staticType { return of(value.Bool) }

func (n inNode) bind(slot func(string) int) evaluator {
	left, list := n.left.bind(slot), bindAll(n.list, slot)
	return func(row []value.Value) value.Value {
		v, out := left(row), value.OfBool(false)
		for _, e := range list {
			c, ok := compare(v, e(row))
			if ok && c == 0 {
				return value.OfBool(true)
			}
			if !ok {
				out = value.Value{}
			}
		}
		return out
	}
}

func bindAll(nodes []node, slot func(string) int) []evaluator {
	out := make([]evaluator, len(nodes))
	for i, n := range nodes {
		out[i] = n.bind(slot)
	}
	return out
}

type binaryNode struct {
	op          string
	left, right node
}

func (p *parser) combine(level int, op string, pos int, left, right node) (node, *Error) {
	for _, operand := range []node{left, right} {
		t := operand.static()
		if l, ok := operand.(literal); ok && level == comparisonLevel && l.v.IsNull() {
			return nil, p.errorf(pos, "a comparison with NULL is never true; use exists(...)")
		}
		switch {
		case !t.known:
		case level < comparisonLevel && t.kind != value.Bool:
			return nil, p.errorf(pos, "%s joins conditions, and this is %s", strings.ToUpper(op), t.kind)
		case level > comparisonLevel && t.kind != value.Number:
			return nil, p.errorf(pos, "%q needs numbers, and this is %s; join(...) puts strings together", op, t.kind)
		}
	}
	return binaryNode{op, left, right}, nil
}

func (n binaryNode) static() staticType {
	switch n.op {
	case "+", "-", "*", "/", "%":
		return of(value.Number)
	default:
		return of(value.Bool)
	}
}

func (n binaryNode) bind(slot func(string) int) evaluator {
	left, right := n.left.bind(slot), n.right.bind(slot)
	switch n.op {
	case "and", "&&":
		return logic(left, right, false)
	case "or", "||":
		return logic(left, right, true)
	case "+", "-", "*", "/", "%":
		op := value.Arithmetic(n.op[0])
		return func(row []value.Value) value.Value {
			return value.Compute(op, value.ToNumber(left(row)), value.ToNumber(right(row)))
		}
	}
	accepts := comparison(n.op)
	return func(row []value.Value) value.Value {
		c, ok := compare(left(row), right(row))
		if !ok {
			return value.Value{}
		}
		return value.OfBool(accepts(c))
	}
}

// logic is OR when decisive is true, AND when it is false: one operand of that
// value decides, whatever the other is.
func logic(left, right evaluator, decisive bool) evaluator {
	return func(row []value.Value) value.Value {
		a := value.ToBool(left(row))
		if !a.IsNull() && a.Bool() == decisive {
			return a
		}
		b := value.ToBool(right(row))
		if b.IsNull() || b.Bool() == decisive {
			return b
		}
		return a
	}
}

func comparison(op string) func(c int) bool {
	switch op {
	case "=", "==":
		return func(c int) bool { return c == 0 }
	case "!=", "<>":
		return func(c int) bool { return c != 0 }
	case "<":
		return func(c int) bool { return c < 0 }
	case "<=":
		return func(c int) bool { return c <= 0 }
	case ">":
		return func(c int) bool { return c > 0 }
	default:
		return func(c int) bool { return c >= 0 }
	}
}

// compare orders two values of one kind, or of kinds that convert without a
// doubt; ok is false when they cannot be compared.
func compare(a, b value.Value) (c int, ok bool) {
	if a.IsNull() || b.IsNull() {
		return 0, false
	}
	if a.Kind() != b.Kind() {
		if a.Kind() != value.String {
			b = like(a.Kind(), b)
		} else {
			a = like(b.Kind(), a)
		}
		if a.IsNull() || b.IsNull() || a.Kind() != b.Kind() {
			return 0, false
		}
	}
	return value.Compare(a, b), true
}

// like converts a string to another kind.
func like(k value.Kind, v value.Value) value.Value {
	if v.Kind() != value.String {
		return value.Value{}
	}
	switch k {
	case value.Number:
		return value.ToNumber(v)
	case value.Time:
		return value.ToTime(v)
	case value.Bool:
		return value.ToBool(v)
	default:
		return value.Value{}
	}
}

// distinct removes what is there before, and keeps the order.
func distinct(list []value.Value) []value.Value {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, value.Compare)
	sorted = slices.CompactFunc(sorted, func(a, b value.Value) bool { return value.Compare(a, b) == 0 })
	if len(sorted) == len(list) {
		return list
	}
	seen := make([]bool, len(sorted))
	out := make([]value.Value, 0, len(sorted))
	for _, v := range list {
		i, _ := slices.BinarySearchFunc(sorted, v, func(a, b value.Value) int { return cmp.Compare(value.Compare(a, b), 0) })
		if !seen[i] {
			seen[i] = true
			out = append(out, v)
		}
	}
	return out
}
