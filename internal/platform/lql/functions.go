package lql

import (
	"fmt"
	"maps"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// functionEval computes a function. Arguments that are unknown or failed are
// NULL. Ok is false when there is no answer.
type functionEval func(r *Record, args []value.Value) (v value.Value, ok bool)

// function is one that expressions and filters may call.
type function struct {
	// min and max arguments; max 0 means any number.
	min, max int
	// pairs functions take arguments two by two.
	pairs  bool
	result Static
	eval   functionEval
	// prepare makes the evaluation of a function some of whose arguments must be
	// literals. Reason says what is wrong with them.
	prepare func(args []node) (eval functionEval, reason string)
	// readsAll tells that the function reads columns that it does not name.
	readsAll bool
}

// misused says what is wrong with a number of arguments.
func (f *function) misused(n int) string {
	switch {
	case n < f.min && f.max == f.min, f.max > 0 && n > f.max && f.max == f.min:
		return fmt.Sprintf("needs %d arguments", f.min)
	case n < f.min:
		return fmt.Sprintf("needs at least %d arguments", f.min)
	case f.max > 0 && n > f.max, f.min == 0 && f.max == 0 && n > 0:
		return fmt.Sprintf("takes at most %d arguments", f.max)
	case f.pairs && n%2 != 0:
		return "takes pairs of a key and a value"
	}
	return ""
}

// functions are all that there are, by name.
var functions = map[string]*function{}

// Functions lists the names of all functions, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// anything is the static type of functions whose result depends on the record.
var anything = Static{}

func init() {
	for _, family := range []map[string]*function{
		textFunctions, numberFunctions, dateFunctions, collectionFunctions, mapFunctions, logicFunctions, hashFunctions, addressFunctions, placeFunctions,
	} {
		maps.Copy(functions, family)
	}
}

// no is the answer of a function that has none.
func no() (value.Value, bool) { return value.Value{}, false }

func text(s string) (value.Value, bool) { return value.OfString(s), true }

func integer(n int64) (value.Value, bool) { return value.OfInt(n), true }

func boolean(b bool) (value.Value, bool) { return value.OfBool(b), true }

// one makes a function of one argument.
func one(result Static, f func(v value.Value) (value.Value, bool)) *function {
	return &function{min: 1, max: 1, result: result, eval: func(_ *Record, args []value.Value) (value.Value, bool) { return f(args[0]) }}
}

// answer gives a value, unless it is NULL.
func answer(v value.Value) (value.Value, bool) { return v, !v.IsNull() }

// literalText is the string that a node is, if the text says it.
func literalText(n node) (string, bool) {
	l, ok := n.(literal)
	return l.v.Str(), ok && l.v.Kind() == value.String
}

func texts(list []string) value.Value {
	out := make([]value.Value, len(list))
	for i, s := range list {
		out[i] = value.OfString(s)
	}
	return value.OfList(out)
}
