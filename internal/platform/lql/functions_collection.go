package lql

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var collectionFunctions = map[string]*function{
	"len":         one(of(value.Number), length),
	"char_length": one(of(value.Number), length),
	"array.index": {min: 2, max: 2, result: anything, eval: arrayIndex},
	"array.slice": {min: 2, max: 3, result: anything, eval: arraySlice},
	"set":         {min: 1, result: of(value.List), eval: set},
	"valuect":     one(of(value.Map), valueCount),
	"filter":      {min: 2, result: anything, eval: keep(false)},
	"filtermatch": {min: 2, result: anything, eval: keep(true)},
}

// length is the number of a list's members, of a map's keys, or of a string's bytes.
// Other values have the length 0.
func length(v value.Value) (value.Value, bool) {
	switch v.Kind() {
	case value.Null:
		return no()
	case value.List:
		return integer(int64(len(v.List())))
	case value.Map:
		return integer(int64(len(v.Entries())))
	default:
		return integer(int64(len(v.Str())))
	}
}

// position converts an index argument. A negative index counts from the end.
func position(v value.Value, size int) (int, bool) {
	n, ok := wholeNumber(v).Int()
	if n < 0 {
		n += int64(size)
	}
	return int(n), ok && n >= 0 && n <= int64(size)
}

func arrayIndex(_ *Record, args []value.Value) (value.Value, bool) {
	list := args[0].List()
	i, ok := position(args[1], len(list))
	if !ok || i >= len(list) {
		return no()
	}
	return list[i], true
}

func arraySlice(_ *Record, args []value.Value) (value.Value, bool) {
	list := args[0].List()
	from, ok := position(args[1], len(list))
	if !ok || from >= len(list) {
		return no()
	}
	to := len(list)
	if len(args) == 3 {
		if to, ok = position(args[2], len(list)); !ok || to < from {
			return no()
		}
	}
	return value.OfList(slices.Clone(list[from:to])), true
}

// elements returns the members of a list, the keys of a map, or a single value. None of
// them is NULL.
func elements(v value.Value) []value.Value {
	var out []value.Value
	switch v.Kind() {
	case value.Null:
	case value.List:
		for _, e := range v.List() {
			if !e.IsNull() {
				out = append(out, e)
			}
		}
	case value.Map:
		for _, e := range v.Entries() {
			out = append(out, value.OfString(e.Key))
		}
	default:
		out = append(out, v)
	}
	return out
}

// set collects distinct values, including the members of lists.
func set(_ *Record, args []value.Value) (value.Value, bool) {
	var all []value.Value
	for _, a := range args {
		all = append(all, elements(a)...)
	}
	if len(all) == 0 {
		return no()
	}
	return value.OfList(distinct(all)), true
}

// distinct removes duplicates, and keeps the order.
func distinct(all []value.Value) []value.Value {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, value.Compare)
	sorted = slices.CompactFunc(sorted, func(a, b value.Value) bool { return value.Compare(a, b) == 0 })
	if len(sorted) == len(all) {
		return all
	}
	seen := make([]bool, len(sorted))
	out := make([]value.Value, 0, len(sorted))
	for _, v := range all {
		i, _ := slices.BinarySearchFunc(sorted, v, func(a, b value.Value) int { return cmp.Compare(value.Compare(a, b), 0) })
		if !seen[i] {
			seen[i] = true
			out = append(out, v)
		}
	}
	return out
}

// valueCount maps each value to the number of its occurrences.
func valueCount(v value.Value) (value.Value, bool) {
	counts := map[string]int64{}
	for _, e := range elements(v) {
		counts[e.Text()]++
	}
	if len(counts) == 0 {
		return no()
	}
	entries := make([]value.Entry, 0, len(counts))
	for k, n := range counts {
		entries = append(entries, value.Entry{Key: k, Value: value.OfInt(n)})
	}
	return value.OfMap(entries), true
}

// keep returns filtermatch, which keeps the members of a list, the keys of a map or the
// string that match any pattern, or filter, which keeps the others.
func keep(matching bool) functionEval {
	return func(_ *Record, args []value.Value) (value.Value, bool) {
		v := args[0]
		if v.IsEmpty() {
			return no()
		}
		tests := prefixTests(args[1:], matching)
		stays := func(s string) bool {
			return slices.ContainsFunc(tests, func(test func(string) bool) bool { return test(s) }) == matching
		}
		switch v.Kind() {
		case value.Map:
			entries := slices.DeleteFunc(slices.Clone(v.Entries()), func(e value.Entry) bool { return !stays(e.Key) })
			return value.OfMap(entries), len(entries) > 0
		case value.String:
			if !stays(v.Str()) {
				return value.OfNull(), true
			}
			return v, true
		case value.List:
			var kept []string
			for _, e := range v.List() {
				if s := textOf(e); stays(s) {
					kept = append(kept, s)
				}
			}
			return texts(kept), len(kept) > 0
		}
		return no()
	}
}

// prefixTests are the tests of filter and filtermatch. A test matches a pattern with a
// star, or a prefix. As in Lytics, an empty prefix matches every non-empty text in
// filtermatch, and only the empty text in filter.
func prefixTests(args []value.Value, emptyIsAny bool) []func(string) bool {
	var tests []func(string) bool
	for _, a := range args {
		if a.Kind() != value.String && a.Kind() != value.List {
			continue
		}
		for _, e := range elements(a) {
			s := textOf(e)
			switch {
			case strings.ContainsAny(s, "*%"):
				p := newPattern(s)
				tests = append(tests, func(of string) bool { matches, _ := p.match(of); return matches })
			case s == "" && !emptyIsAny:
				tests = append(tests, func(of string) bool { return of == "" })
			default:
				tests = append(tests, func(of string) bool { return of != "" && strings.HasPrefix(of, s) })
			}
		}
	}
	return tests
}
