package lql

import (
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// CheckTypes finds a comparison of a field with a literal that can never be one
// of the field's values, such as age > "old". Lytics accepts such a filter and
// it matches nobody; whoever writes one has made a mistake.
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
	complaint := ""
	switch typ.Element {
	case value.ElementInt, value.ElementNumber:
		if _, ok := value.ParseNumber(l.v.Str()); !ok && !strings.EqualFold(l.v.Str(), "nan") {
			complaint = "no number"
		}
	case value.ElementBool:
		if value.ToBool(l.v).IsNull() {
			complaint = "neither true nor false"
		}
	case value.ElementDate:
		if !readDate(l.v.Str()).ok {
			complaint = `no date, nor one like "now-30d"`
		}
	}
	if complaint == "" {
		return nil
	}
	return errorAt(t.src, c.pos, "field %s is of type %s, and %s is %s", c.name.left, typ, short(l.v.Str()), complaint)
}
