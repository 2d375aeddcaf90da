package lql

import (
	"fmt"
	"maps"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// functionEval computes a function. Arguments that are unknown or failed are NULL. ok is
// false if there is no result.
type functionEval func(r *Record, args []value.Value) (v value.Value, ok bool)

// function is a function of expressions and filters.
type function struct {
	// min and max are the limits of the number of arguments; a max of 0 means no
	// limit.
	min, max int
	// pairs means that the number of arguments must be even.
	pairs  bool
	result Static
	eval   functionEval
	// prepare checks the literal arguments of a function that requires literals, and
	// returns its evaluation. reason is the reason for refusing the arguments; empty
	// if they are valid.
	prepare func(args []node) (eval functionEval, reason string)
	// readsAll means that the function reads columns that it does not name.
	readsAll bool
}

// misused describes the error of a call with n arguments; it is empty if n is valid.
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

// functions are all functions by name.
var functions = map[string]*function{}

// Functions lists the names of all functions, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// anything is the static type of a function whose result depends on the record.
var anything = Static{}

func init() {
	for _, family := range []map[string]*function{
		textFunctions, numberFunctions, dateFunctions, collectionFunctions, mapFunctions, logicFunctions, hashFunctions, addressFunctions, documentedFunctions,
	} {
		maps.Copy(functions, family)
	}
}

// no is returned by a function that has no result.
func no() (value.Value, bool) { return value.Value{}, false }

func text(s string) (value.Value, bool) { return value.OfString(s), true }

func integer(n int64) (value.Value, bool) { return value.OfInt(n), true }

func boolean(b bool) (value.Value, bool) { return value.OfBool(b), true }

// one returns a function with one argument.
func one(result Static, f func(v value.Value) (value.Value, bool)) *function {
	return &function{min: 1, max: 1, result: result, eval: func(_ *Record, args []value.Value) (value.Value, bool) { return f(args[0]) }}
}

// answer returns v as the result of a function. A NULL is no result.
func answer(v value.Value) (value.Value, bool) { return v, !v.IsNull() }

// literalText returns the string of a node that is a string literal.
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
