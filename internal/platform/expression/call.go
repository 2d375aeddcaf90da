package expression

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// function is one that expressions may call.
type function struct {
	// min and max arguments; max 0 means any number.
	min, max int
	// accepts are the kinds an argument may have; nil accepts all.
	accepts []value.Kind
	result  staticType
	// lenient functions see NULL arguments; of the others a NULL is NULL.
	lenient bool
	// pairs functions take arguments two by two.
	pairs bool
	eval  func(args []value.Value) value.Value
}

type call struct {
	f    function
	args []node
}

// Functions lists the names of all functions, sorted.
func Functions() []string {
	names := make([]string, 0, len(functions))
	for n := range functions {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func (p *parser) call(name string, pos int) (node, *Error) {
	f, ok := functions[name]
	if !ok {
		return nil, p.errorf(pos, "there is no function %s; there are %s", name, strings.Join(Functions(), ", "))
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	switch n := len(args); {
	case n < f.min && f.max == f.min:
		return nil, p.errorf(pos, "%s needs %d arguments and has %d", name, f.min, n)
	case n < f.min:
		return nil, p.errorf(pos, "%s needs at least %d arguments and has %d", name, f.min, n)
	case f.max > 0 && n > f.max:
		return nil, p.errorf(pos, "%s takes at most %d arguments and has %d", name, f.max, n)
	case f.pairs && n%2 != 0:
		return nil, p.errorf(pos, "%s takes pairs of a key and a value and has %d arguments", name, n)
	}
	for i, a := range args {
		if t := a.static(); t.known && f.accepts != nil && !slices.Contains(f.accepts, t.kind) {
			return nil, p.errorf(pos, "argument %d of %s cannot be %s", i+1, name, t.kind)
		}
	}
	return call{f, args}, nil
}

func (c call) static() staticType { return c.f.result }

func (c call) bind(slot func(string) int) evaluator {
	args := bindAll(c.args, slot)
	eval, lenient := c.f.eval, c.f.lenient
	if len(args) == 1 && !lenient {
		arg := args[0]
		return func(row []value.Value) value.Value {
			v := arg(row)
			if v.IsNull() {
				return v
			}
			return eval([]value.Value{v})
		}
	}
	return func(row []value.Value) value.Value {
		values := make([]value.Value, len(args))
		for i, a := range args {
			if values[i] = a(row); values[i].IsNull() && !lenient {
				return value.Value{}
			}
		}
		return eval(values)
	}
}
