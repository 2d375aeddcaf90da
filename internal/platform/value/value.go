package value

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"
)

// Kind is the kind of a Value.
type Kind uint8

// The kinds, in the order in which values of different kinds sort.
const (
	Null Kind = iota
	Bool
	Number
	String
	Time
	List
	Map
)

func (k Kind) String() string {
	return [...]string{"NULL", "a boolean", "a number", "a string", "a date", "a list", "a map"}[k]
}

// Value is one immutable value. The zero Value is NULL.
type Value struct {
	kind Kind
	// num is the boolean, the integer (when ref is nil), or the instant in
	// microseconds since 1970.
	num int64
	str string
	// ref is the *apd.Decimal, []Value or []Entry.
	ref any
}

// Entry is one key of a map with its value.
type Entry struct {
	Key   string
	Value Value
}

// OfBool returns a boolean.
func OfBool(b bool) Value {
	if b {
		return Value{kind: Bool, num: 1}
	}
	return Value{kind: Bool}
}

// OfInt returns an integer number.
func OfInt(i int64) Value { return Value{kind: Number, num: i} }

// OfString returns a string.
func OfString(s string) Value { return Value{kind: String, str: s} }

// OfMicros returns an instant from microseconds since 1970.
func OfMicros(us int64) Value { return Value{kind: Time, num: us} }

// OfTime returns an instant, truncated to microseconds.
func OfTime(t time.Time) Value { return OfMicros(t.UnixMicro()) }

// OfList returns a list. The Value owns l afterwards.
func OfList(l []Value) Value { return Value{kind: List, ref: l} }

// OfMap returns a map. The Value owns entries afterwards. If a key occurs twice, its
// last value is used.
func OfMap(entries []Entry) Value {
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
	out := entries[:0]
	for i, e := range entries {
		if i+1 < len(entries) && entries[i+1].Key == e.Key {
			continue
		}
		out = append(out, e)
	}
	return Value{kind: Map, ref: out}
}

// OfNull returns an explicit NULL of a source, such as null in JSON. The zero Value is
// an absent value. The two differ only in IsAbsent.
func OfNull() Value { return Value{num: 1} }

// Kind is the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsAbsent reports whether the source has no such value, not even an explicit NULL.
func (v Value) IsAbsent() bool { return v.kind == Null && v.num == 0 }

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return v.kind == Null }

// IsEmpty reports whether the value is NULL, "", or a collection without elements.
func (v Value) IsEmpty() bool {
	switch v.kind {
	case Null:
		return true
	case String:
		return v.str == ""
	case List:
		return len(v.List()) == 0
	case Map:
		return len(v.Entries()) == 0
	default:
		return false
	}
}

// Bool is the boolean; it is false for other kinds.
func (v Value) Bool() bool { return v.kind == Bool && v.num != 0 }

// Str is the string; it is empty for other kinds.
func (v Value) Str() string { return v.str }

// Micros is the instant in microseconds since 1970.
func (v Value) Micros() int64 { return v.num }

// List returns the list's elements, which must not be changed.
func (v Value) List() []Value {
	l, _ := v.ref.([]Value)
	return l
}

// Entries returns the map's entries, sorted by key, which must not be changed.
func (v Value) Entries() []Entry {
	e, _ := v.ref.([]Entry)
	return e
}

// Lookup returns a map's value for a key, or NULL.
func (v Value) Lookup(key string) Value {
	entries := v.Entries()
	i, ok := slices.BinarySearchFunc(entries, key, func(e Entry, k string) int { return cmp.Compare(e.Key, k) })
	if !ok {
		return Value{}
	}
	return entries[i].Value
}

// Clone copies the strings. Without a copy, a value would keep the line of text that it
// comes from in memory.
func (v Value) Clone() Value {
	switch v.kind {
	case String:
		v.str = strings.Clone(v.str)
	case List:
		l := make([]Value, len(v.List()))
		for i, e := range v.List() {
			l[i] = e.Clone()
		}
		v.ref = l
	case Map:
		m := make([]Entry, len(v.Entries()))
		for i, e := range v.Entries() {
			m[i] = Entry{Key: strings.Clone(e.Key), Value: e.Value.Clone()}
		}
		v.ref = m
	}
	return v
}

// Compare orders any two values, by kind and then by content. This order breaks ties,
// and sorts the members of sets.
func Compare(a, b Value) int {
	if a.kind != b.kind {
		return cmp.Compare(a.kind, b.kind)
	}
	switch a.kind {
	case Null:
		return 0
	case Number:
		return compareNumbers(a, b)
	case String:
		return cmp.Compare(a.str, b.str)
	case List:
		return slices.CompareFunc(a.List(), b.List(), Compare)
	case Map:
		return slices.CompareFunc(a.Entries(), b.Entries(), func(x, y Entry) int {
			return cmp.Or(cmp.Compare(x.Key, y.Key), Compare(x.Value, y.Value))
		})
	default:
		return cmp.Compare(a.num, b.num)
	}
}

func compareNumbers(a, b Value) int {
	if a.ref == nil && b.ref == nil {
		return cmp.Compare(a.num, b.num)
	}
	var x, y apd.Decimal
	return a.decimal(&x).Cmp(b.decimal(&y))
}
