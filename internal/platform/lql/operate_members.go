package lql

import (
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// textInMembers compares a string with the members of a list, or the keys of a map.
func (o operator) textInMembers(s string, in value.Value) (value.Value, State) {
	var test func(member string) bool
	switch o {
	case opIn, opIntersects:
		test = func(member string) bool { return member == s }
	case opContains:
		test = func(member string) bool { return strings.Contains(s, member) }
	case opLike:
		test = func(member string) bool {
			matches, _ := newPattern(member).match(s)
			return matches
		}
	default:
		return undecided()
	}
	return truth(slices.ContainsFunc(membersOf(in), test))
}

// membersOf returns the texts of a list's members, or the keys of a map.
func membersOf(v value.Value) []string {
	var out []string
	for _, e := range v.Entries() {
		out = append(out, e.Key)
	}
	for _, e := range v.List() {
		out = append(out, textOf(e))
	}
	return out
}

// list compares a list. Comparisons are defined for lists of times only, and are true if
// they are true for any member.
func (o operator) list(r *Record, a, b side) (value.Value, State) {
	members := a.v.List()
	ofTimes := a.times || len(members) > 0 && members[0].Kind() == value.Time
	texts := !ofTimes && !slices.ContainsFunc(members, func(e value.Value) bool { return e.Kind() != value.String })
	switch {
	case o == opOr, o == opAnd, o == opEqual && texts:
		return truth(false)
	case o.orders() && ofTimes:
		if len(members) == 0 {
			return truth(false)
		}
		t, ok := b.timeOf(r)
		if !ok {
			return undecided()
		}
		return truth(slices.ContainsFunc(members, func(e value.Value) bool {
			return e.Kind() == value.Time && o.accepts(compareSeconds(e, t))
		}))
	case o == opContains:
		return o.listContains(members, texts, b.v)
	case o == opLike && b.v.Kind() == value.String:
		return truth(slices.ContainsFunc(members, func(e value.Value) bool {
			matches, _ := b.like(textOf(e))
			return matches
		}))
	case (o == opIn || o == opIntersects) && b.v.Kind() == value.List:
		for _, e := range members {
			if slices.ContainsFunc(b.v.List(), func(other value.Value) bool {
				same, ok := equal(r, e, other)
				return ok && same
			}) {
				return truth(true)
			}
		}
		return truth(false)
	}
	return undecided()
}

func (o operator) listContains(members []value.Value, texts bool, what value.Value) (value.Value, State) {
	switch {
	case what.Kind() == value.String, what.Kind() == value.Bool && texts:
		return truth(slices.ContainsFunc(members, func(e value.Value) bool { return strings.Contains(textOf(e), textOf(what)) }))
	case what.Kind() == value.Number && !texts:
		return truth(slices.ContainsFunc(members, func(e value.Value) bool {
			n := lenientNumber(e)
			return !n.IsNull() && value.Compare(n, what) == 0
		}))
	}
	return undecided()
}

// keys tests the keys of a map, the only comparison that is defined for maps.
func (o operator) keys(m, b value.Value) (value.Value, State) {
	if b.Kind() != value.List && b.Kind() != value.Map || o != opIn && o != opIntersects {
		return undecided()
	}
	return truth(slices.ContainsFunc(membersOf(b), func(key string) bool { return hasKey(m, key) }))
}

func hasKey(m value.Value, key string) bool {
	return slices.ContainsFunc(m.Entries(), func(e value.Entry) bool { return e.Key == key })
}
