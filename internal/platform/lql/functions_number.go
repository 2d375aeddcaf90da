package lql

import (
	"math"
	"strconv"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var numberFunctions = map[string]*function{
	"toint":    one(of(value.Number), func(v value.Value) (value.Value, bool) { return answer(wholeNumber(v)) }),
	"tonumber": one(of(value.Number), func(v value.Value) (value.Value, bool) { return answer(anyNumber(v)) }),
	"tobool":   one(of(value.Bool), func(v value.Value) (value.Value, bool) { return answer(toBool(v)) }),
	"unsign":   one(of(value.String), unsign),
	"cast":     {min: 2, max: 2, result: anything, eval: cast},
	"sqrt":     one(of(value.Number), sqrt),
	"pow":      {min: 2, max: 2, result: of(value.Number), eval: pow},
	"sum":      {min: 1, result: of(value.Number), eval: sum},
	"avg":      {min: 1, result: of(value.Number), eval: average},
	"count": one(of(value.Number), func(v value.Value) (value.Value, bool) {
		if v.IsEmpty() {
			return no()
		}
		return integer(1)
	}),
}

// unsign converts a signed integer of 64 bits to the unsigned integer with the same bits.
func unsign(v value.Value) (value.Value, bool) {
	n, ok := wholeNumber(v).Int()
	if !ok {
		return no()
	}
	return text(strconv.FormatUint(uint64(n), 10))
}

// cast converts to the types of Lytics' engine: string, char, int, time.
func cast(r *Record, args []value.Value) (value.Value, bool) {
	v := args[0]
	if v.IsEmpty() {
		return no()
	}
	switch strings.ToLower(args[1].Str()) {
	case "string", "char":
		return text(textOf(v))
	case "int":
		return answer(wholeNumber(v))
	case "time":
		return toTime(r, v)
	}
	return no()
}

// fromFloat returns the number with the shortest digits of a float; NULL if the float is
// not finite.
func fromFloat(f float64) value.Value {
	n, _ := value.ParseNumber(strconv.FormatFloat(f, 'g', -1, 64))
	return n
}

func toFloat(v value.Value) float64 {
	f, err := strconv.ParseFloat(v.Text(), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

func sqrt(v value.Value) (value.Value, bool) {
	if v.Kind() != value.Number && v.Kind() != value.Time {
		return no()
	}
	return answer(fromFloat(math.Sqrt(toFloat(lenientNumber(v)))))
}

// maxExactPower is the largest exponent for which a power is computed exactly.
const maxExactPower = 64

func pow(_ *Record, args []value.Value) (value.Value, bool) {
	base, power := anyNumber(args[0]), anyNumber(args[1])
	if base.IsNull() || power.IsNull() {
		return no()
	}
	if n, ok := power.Int(); ok && n >= 0 && n <= maxExactPower {
		out := value.OfInt(1)
		for range n {
			out = value.Compute('*', out, base)
		}
		return answer(out)
	}
	return answer(fromFloat(math.Pow(toFloat(base), toFloat(power))))
}

// addends returns the numbers among the arguments, and in the lists among them. ok is
// false if a list has a member that is not a number.
func addends(args []value.Value) (numbers []value.Value, ok bool) {
	for _, a := range args {
		switch a.Kind() {
		case value.Number, value.Time, value.String:
			if n := lenientNumber(a); !n.IsNull() {
				numbers = append(numbers, n)
			}
		case value.List:
			for _, e := range a.List() {
				n := anyNumber(e)
				if n.IsNull() {
					return nil, false
				}
				numbers = append(numbers, n)
			}
		}
	}
	return numbers, true
}

func total(numbers []value.Value) value.Value {
	sum := value.OfInt(0)
	for _, n := range numbers {
		sum = value.Compute('+', sum, n)
	}
	return sum
}

// sum has no result if the sum is 0, as in Lytics.
func sum(_ *Record, args []value.Value) (value.Value, bool) {
	for _, a := range args {
		if a.Kind() == value.Bool || a.Kind() == value.Map && !a.IsEmpty() {
			return no()
		}
	}
	numbers, ok := addends(args)
	if out := total(numbers); ok && !out.IsNull() && !isZero(out) {
		return out, true
	}
	return no()
}

func average(_ *Record, args []value.Value) (value.Value, bool) {
	numbers, ok := addends(args)
	if !ok || len(numbers) == 0 {
		return no()
	}
	return answer(value.Compute('/', total(numbers), value.OfInt(int64(len(numbers)))))
}
