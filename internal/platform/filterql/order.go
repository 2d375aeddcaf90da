package filterql

import (
	"cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// ordering compares a value, which is not NULL, with a literal; ok is false
// when the two cannot be compared.
type ordering func(v value.Value) (c int, ok bool)

// order reads a literal as a field's type asks.
func (c *compiler) order(f field, e value.Element, l literal) (ordering, error) {
	refuse := func(what string) (ordering, error) {
		return nil, c.lexer.errorf(l.pos, "field %s is of type %s, and %s is %s", f.name, e, short(l.text), what)
	}
	switch e {
	case value.ElementInt, value.ElementNumber:
		n := l.asNumber()
		if n.IsNull() {
			return refuse("no number")
		}
		return against(n), nil
	case value.ElementBool:
		b := l.asBool()
		if b.IsNull() {
			return refuse("neither true nor false")
		}
		return against(b), nil
	case value.ElementDate:
		t, ok := ParseDate(l.text, c.Now)
		if !ok {
			return refuse(`no date, nor one like "now-30d"`)
		}
		return against(t), nil
	case value.ElementString:
		return l.orderStrings(), nil
	default:
		return l.orderAny(), nil
	}
}

func against(operand value.Value) ordering {
	return func(v value.Value) (int, bool) { return value.Compare(v, operand), v.Kind() == operand.Kind() }
}

func (l literal) asNumber() value.Value {
	if l.quoted {
		return value.ToNumber(value.OfString(l.text))
	}
	return l.number
}

func (l literal) asBool() value.Value {
	if l.quoted {
		return value.ToBool(value.OfString(l.text))
	}
	if !l.number.IsNull() {
		return value.ToBool(l.number)
	}
	return l.boolean
}

// orderStrings compares as numbers with a bare number, else by bytes.
func (l literal) orderStrings() ordering {
	if !l.number.IsNull() {
		return func(v value.Value) (int, bool) {
			n := value.ToNumber(v)
			return value.Compare(n, l.number), !n.IsNull()
		}
	}
	return func(v value.Value) (int, bool) { return cmp.Compare(v.Str(), l.text), v.Kind() == value.String }
}

// orderAny takes the type from each value.
func (l literal) orderAny() ordering {
	texts, number, boolean := l.orderStrings(), l.asNumber(), l.asBool()
	return func(v value.Value) (int, bool) {
		switch v.Kind() {
		case value.String:
			return texts(v)
		case value.Number:
			return value.Compare(v, number), !number.IsNull()
		case value.Bool:
			return value.Compare(v, boolean), !boolean.IsNull()
		default:
			return 0, false
		}
	}
}
