// Package merge combines what many events say of one user field into one
// value: the latest, the sum, the set, and so on.
//
// Each operation keeps a state that is commutative and associative, so the
// order in which events arrive, and the order in which profiles are joined,
// never changes the value. Equal times are settled by the greater event id, and
// two values of one event by the greater value. Collections are bounded by
// their capacity in a way that is independent of order too: by what stays
// (the latest, the oldest, the greatest, the least), never by what came first.
package merge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Operation is how a field combines values.
type Operation string

// The operations. On maps, sum and count work key by key, and merge and capped
// keep the latest value of each key, as latestmap does.
const (
	Latest    Operation = "latest"
	Oldest    Operation = "oldest"
	Sum       Operation = "sum"
	Count     Operation = "count"
	Min       Operation = "min"
	Max       Operation = "max"
	Merge     Operation = "merge"
	Capped    Operation = "capped"
	MapMax    Operation = "mapmax"
	MapMin    Operation = "mapmin"
	LatestMap Operation = "latestmap"
	OldestMap Operation = "oldestmap"
)

// The capacities of collections that name none, and the most one may name.
const (
	DefaultCapacity       = 10_000
	DefaultCappedCapacity = 100
	MaxCapacity           = 100_000
)

// Rule is the way one field merges. Make it with NewRule.
type Rule struct {
	typ      value.Type
	op       Operation
	capacity int
	keep     time.Duration
}

// DefaultOperation is the operation of a field that names none.
func DefaultOperation(t value.Type) Operation {
	if t.Shape == value.Scalar {
		return Latest
	}
	return Merge
}

// Operations lists the operations that a type allows.
func Operations(t value.Type) []Operation {
	ops := []Operation{Latest, Oldest}
	ordered := t.Numeric() || t.Element == value.ElementDate
	switch t.Shape {
	case value.SetOf:
		return append(ops, Merge, Capped)
	case value.MapOf:
		ops = append(ops, Merge, Capped, LatestMap, OldestMap)
		if ordered {
			ops = append(ops, MapMax, MapMin)
		}
	default:
		if ordered {
			ops = append(ops, Min, Max)
		}
	}
	if t.Numeric() {
		ops = append(ops, Sum, Count)
	}
	return ops
}

// RuleError says which part of a rule is invalid.
type RuleError struct {
	// Part is merge_operation, capacity or keep_days.
	Part   string
	Reason string
}

func (e *RuleError) Error() string { return e.Reason }

// NewRule makes the rule of a field. Capacity and keepDays 0 mean the default,
// and for ever. The error is a *RuleError.
func NewRule(t value.Type, op Operation, capacity, keepDays int64) (Rule, error) {
	if op == "" {
		op = DefaultOperation(t)
	}
	if ops := Operations(t); !slices.Contains(ops, op) {
		return Rule{}, &RuleError{"merge_operation", fmt.Sprintf("a field of type %s cannot be merged by %q; it can by %s", t, op, list(ops))}
	}
	r := Rule{typ: t, op: op, capacity: int(min(max(capacity, 0), MaxCapacity)), keep: time.Duration(keepDays) * 24 * time.Hour}
	bounded := t.Shape != value.Scalar && slices.Contains([]Operation{Merge, Capped, LatestMap, OldestMap, MapMax, MapMin}, op)
	switch {
	case capacity < 0 || capacity > MaxCapacity:
		return Rule{}, &RuleError{"capacity", fmt.Sprintf("the capacity is %d; it can be 1 to %d, or 0 for the default", capacity, MaxCapacity)}
	case capacity > 0 && !bounded:
		return Rule{}, &RuleError{"capacity", fmt.Sprintf("a capacity bounds collections; a field of type %s merged by %q has none", t, op)}
	case keepDays < 0 || keepDays > maxKeepDays:
		return Rule{}, &RuleError{"keep_days", fmt.Sprintf("keep_days is %d; it can be 1 to %d, or 0 to keep for ever", keepDays, maxKeepDays)}
	case keepDays > 0 && !slices.Contains([]Operation{Latest, Merge, Capped, LatestMap}, op):
		return Rule{}, &RuleError{
			"keep_days",
			fmt.Sprintf("values merged by %q cannot expire one by one; those merged by latest, merge, capped and latestmap can", op),
		}
	}
	if r.capacity == 0 {
		r.capacity = DefaultCapacity
		if op == Capped {
			r.capacity = DefaultCappedCapacity
		}
	}
	return r, nil
}

// maxKeepDays is a hundred years.
const maxKeepDays = 36_500

func list(ops []Operation) string {
	var names []string
	for _, o := range ops {
		names = append(names, string(o))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Type is the field's type.
func (r Rule) Type() value.Type { return r.typ }

// Operation is the field's operation.
func (r Rule) Operation() Operation { return r.op }

// Prepare makes an expression's result what Add takes: it converts it to the
// field's type, or counts it. Failed tells that a value, or a part of it, did
// not fit and was left out.
func (r Rule) Prepare(v value.Value) (out value.Value, failed bool) {
	if r.op == Count && !v.IsNull() {
		if r.typ.Shape == value.Scalar {
			return value.OfInt(1), false
		}
		return countKeys(v), false
	}
	return r.typ.Convert(v)
}

// countKeys maps what is counted to ones.
func countKeys(v value.Value) value.Value {
	var entries []value.Entry
	one := func(key string) { entries = append(entries, value.Entry{Key: key, Value: value.OfInt(1)}) }
	switch v.Kind() {
	case value.Map:
		for _, e := range v.Entries() {
			one(e.Key)
		}
	case value.List:
		for _, e := range v.List() {
			if !e.IsNull() {
				one(e.Text())
			}
		}
	default:
		one(v.Text())
	}
	if len(entries) == 0 {
		return value.Value{}
	}
	return value.OfMap(entries)
}

// New makes the state of no events.
func (r Rule) New() State {
	switch {
	case r.op == Latest || r.op == Oldest:
		return &single{rule: r}
	case r.op == Min || r.op == Max:
		return &extremum{rule: r}
	case r.op == Count && r.typ.Shape == value.Scalar:
		return &count{}
	case r.op == Sum && r.typ.Shape == value.Scalar:
		return &sum{}
	case r.op == Sum || r.op == Count:
		return &sums{}
	case r.typ.Shape == value.SetOf:
		return &set{rule: r}
	default:
		return &keyed{rule: r}
	}
}

// ReadValue reads a stored state as Read does, and gives only what its Value is.
func (r *Rule) ReadValue(stored *value.Reader, stamps []Stamp, now time.Time) value.Value {
	switch {
	case r.op == Latest || r.op == Oldest:
		at := readReference(stored, stamps)
		v := stored.Value()
		if at.Micros < r.cutoff(now) {
			return value.Value{}
		}
		return v
	case r.op == Min || r.op == Max:
		return stored.Value()
	default:
		s := r.New()
		s.Read(stored, stamps)
		return s.Value(now)
	}
}

// cutoff is the time before which values have expired, in microseconds.
func (r Rule) cutoff(now time.Time) int64 {
	if r.keep == 0 {
		return noCutoff
	}
	return now.Add(-r.keep).UnixMicro()
}
