package lql

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// CheckTypes refuses a comparison of a field with a literal that no value of the
// field's type can equal, such as age > "old". Lytics accepts such a filter, but it
// matches no profile, so it is a mistake.
func (t *Tree) CheckTypes(typeOf func(field string) (value.Type, bool)) *Error {
	return checkTypes(t, t.root, typeOf)
}

func checkTypes(t *Tree, n node, typeOf func(field string) (value.Type, bool)) *Error {
	var inner []node
	switch n := n.(type) {
	case binary:
		if n.op.orders() {
			if err := checkComparison(t, n.left, n.right, typeOf); err != nil {
				return err
			}
			return checkComparison(t, n.right, n.left, typeOf)
		}
		inner = []node{n.left, n.right}
	case between:
		if err := checkComparison(t, n.of, n.low, typeOf); err != nil {
			return err
		}
		return checkComparison(t, n.of, n.high, typeOf)
	case negation:
		inner = []node{n.inner}
	case group:
		inner = n.parts
	}
	for _, part := range inner {
		if err := checkTypes(t, part, typeOf); err != nil {
			return err
		}
	}
	return nil
}

func checkComparison(t *Tree, field, operand node, typeOf func(field string) (value.Type, bool)) *Error {
	c, ok := field.(column)
	l, ok2 := operand.(literal)
	if !ok || !ok2 || l.v.Kind() != value.String {
		return nil
	}
	typ, known := typeOf(c.name.exact)
	if c.name.keyed && (!known || c.name.exact == "") {
		if typ, known = typeOf(c.name.left); typ.Shape != value.MapOf {
			return nil
		}
	} else if typ.Shape == value.MapOf {
		return nil
	}
	if !known {
		return nil
	}
	problem := ""
	switch typ.Element {
	case value.ElementInt, value.ElementNumber:
		if _, ok := value.ParseNumber(l.v.Str()); !ok && !strings.EqualFold(l.v.Str(), "nan") {
			problem = "not a number"
		}
	case value.ElementBool:
		if value.ToBool(l.v).IsNull() {
			problem = "neither true nor false"
		}
	case value.ElementDate:
		if !readDate(l.v.Str()).ok {
			problem = `not a date, nor a relative date like "now-30d"`
		}
	}
	if problem == "" {
		return nil
	}
	return errorAt(t.src, c.pos, "field %s is of type %s, and %s is %s", c.name.left, typ, short(l.v.Str()), problem)
}
