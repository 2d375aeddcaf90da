package lql

import (
	"net/netip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var logicFunctions = map[string]*function{
	"eq": {min: 2, max: 2, result: of(value.Bool), eval: func(r *Record, args []value.Value) (value.Value, bool) {
		same, ok := equal(r, args[0], args[1])
		return value.OfBool(same), ok
	}},
	"ne": {min: 2, max: 2, result: of(value.Bool), eval: func(r *Record, args []value.Value) (value.Value, bool) {
		same, ok := equal(r, args[0], args[1])
		return value.OfBool(!same), ok
	}},
	"gt":     orderTest(func(c int) bool { return c > 0 }),
	"ge":     orderTest(func(c int) bool { return c >= 0 }),
	"lt":     orderTest(func(c int) bool { return c < 0 }),
	"le":     orderTest(func(c int) bool { return c <= 0 }),
	"not":    one(of(value.Bool), not),
	"exists": one(of(value.Bool), exists),
	"any": {min: 1, result: of(value.Bool), eval: func(_ *Record, args []value.Value) (value.Value, bool) {
		for _, a := range args {
			if !a.IsEmpty() {
				return boolean(true)
			}
		}
		return boolean(false)
	}},
	"all": {min: 1, result: of(value.Bool), eval: all},
	"oneof": {min: 1, result: anything, eval: func(_ *Record, args []value.Value) (value.Value, bool) {
		for _, a := range args {
			if !a.IsEmpty() {
				return a, true
			}
		}
		return no()
	}},
	"ipfilter": {min: 2, max: 2, result: of(value.Bool), eval: ipFilter},
}

// orderTest returns a function that compares numbers and values that convert to
// numbers.
func orderTest(accepts func(c int) bool) *function {
	return &function{min: 2, max: 2, result: of(value.Bool), eval: func(_ *Record, args []value.Value) (value.Value, bool) {
		a, b := anyNumber(args[0]), anyNumber(args[1])
		if a.IsNull() || b.IsNull() {
			return no()
		}
		return boolean(accepts(value.Compare(a, b)))
	}}
}

func not(v value.Value) (value.Value, bool) {
	b := toBool(v)
	if b.IsNull() {
		return no()
	}
	return boolean(!b.Bool())
}

// exists is true for every value except NULL and maps, as in Lytics. An empty string
// exists. For a map, use len.
func exists(v value.Value) (value.Value, bool) {
	return boolean(!v.IsNull() && v.Kind() != value.Map)
}

// all is true if no argument is empty, false or 0.
func all(_ *Record, args []value.Value) (value.Value, bool) {
	for _, a := range args {
		if a.IsEmpty() || a.Kind() == value.Bool && !a.Bool() || a.Kind() == value.Number && isZero(a) {
			return boolean(false)
		}
	}
	return boolean(true)
}

// ipFilter reports whether an address is in a network such as 10.0.0.0/8.
func ipFilter(_ *Record, args []value.Value) (value.Value, bool) {
	address, _ := scalarText(args[0])
	network, _ := scalarText(args[1])
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return no()
	}
	prefix, err := netip.ParsePrefix(network)
	if err != nil {
		return no()
	}
	return boolean(prefix.Contains(ip.Unmap()))
}
