// Package merge combines the values that many events have for one user field into one
// value: the latest, the sum, the set, and so on.
//
// Merging the state of an operation is commutative and associative. Therefore the order
// in which events arrive, and the order in which profiles are joined, never change the
// value. Of two events at the same time, the one with the greater id counts as later;
// of two values of one event, the greater value is used. A collection that exceeds its
// capacity keeps the latest, oldest, greatest or least members, never the ones that
// arrived first, so that the result does not depend on the order either.
package merge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Operation is the way in which a field combines values.
type Operation string

// The operations. On maps, sum and count work on each key, and merge and capped keep
// the latest value of each key, like latestmap.
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

// The default capacities of collections, and the largest capacity.
const (
	DefaultCapacity       = 10_000
	DefaultCappedCapacity = 100
	MaxCapacity           = 100_000
)

// Rule is the merge rule of one field. NewRule creates it.
type Rule struct {
	typ      value.Type
	op       Operation
	capacity int
	keep     time.Duration
	form     form
}

// DefaultOperation is the operation of a field without a merge operation.
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

// NewRule returns the rule of a field. A capacity of 0 means the default capacity, and
// a keepDays of 0 means that values never expire. The error is a *RuleError.
func NewRule(t value.Type, op Operation, capacity, keepDays int64) (Rule, error) {
	if op == "" {
		op = DefaultOperation(t)
	}
	if ops := Operations(t); !slices.Contains(ops, op) {
		return Rule{}, &RuleError{"merge_operation", fmt.Sprintf("a field of type %s cannot be merged by %q, only by %s", t, op, list(ops))}
	}
	r := Rule{typ: t, op: op, capacity: int(min(max(capacity, 0), MaxCapacity)), keep: time.Duration(keepDays) * 24 * time.Hour}
	r.form = formOf(t, op)
	bounded := t.Shape != value.Scalar && slices.Contains([]Operation{Merge, Capped, LatestMap, OldestMap, MapMax, MapMin}, op)
	switch {
	case capacity < 0 || capacity > MaxCapacity:
		return Rule{}, &RuleError{"capacity", fmt.Sprintf("the capacity is %d; it can be 1 to %d, or 0 for the default", capacity, MaxCapacity)}
	case capacity > 0 && !bounded:
		return Rule{}, &RuleError{
			"capacity",
			fmt.Sprintf("a capacity limits collections, and a field of type %s merged by %q has no limit", t, op),
		}
	case keepDays < 0 || keepDays > maxKeepDays:
		return Rule{}, &RuleError{"keep_days", fmt.Sprintf("keep_days is %d; it can be 1 to %d, or 0 to keep for ever", keepDays, maxKeepDays)}
	case keepDays > 0 && !slices.Contains([]Operation{Latest, Merge, Capped, LatestMap}, op):
		return Rule{}, &RuleError{
			"keep_days",
			fmt.Sprintf("values merged by %q cannot expire; only values merged by latest, merge, capped or latestmap can", op),
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

// Prepare converts an expression's result to the argument of State.Add: a value of the
// field's type, or a count. failed means that the value, or a part of it, could not be
// converted and was left out.
func (r *Rule) Prepare(v value.Value) (out value.Value, failed bool) {
	if r.op == Count && !v.IsNull() {
		if r.typ.Shape == value.Scalar {
			return value.OfInt(1), false
		}
		return countKeys(v), false
	}
	return r.typ.Convert(v)
}

// countKeys returns a map from each counted key to 1.
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

// New returns the state without events.
func (r Rule) New() State {
	switch r.form {
	case singleForm:
		return &single{rule: r}
	case extremumForm:
		return &extremum{rule: r}
	case countForm:
		return &count{}
	case sumForm:
		return &sum{}
	case sumsForm:
		return &sums{}
	case setForm:
		return &set{rule: r}
	default:
		return &keyed{rule: r}
	}
}

// ReadValue reads a stored state and returns its value. It is faster than Read and
// Value.
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

// AppendText reads a stored state, and appends the text of its value. It is faster than
// ReadValue and Text. null means that the value is NULL.
func (r *Rule) AppendText(b []byte, stored *value.Reader, stamps []Stamp, now time.Time) (text []byte, null bool) {
	switch {
	case r.op == Latest || r.op == Oldest:
		if at := readReference(stored, stamps); at.Micros >= r.cutoff(now) {
			return stored.AppendText(b)
		}
		_ = stored.Value()
		return b, true
	case r.op == Min || r.op == Max:
		return stored.AppendText(b)
	default:
		v := r.ReadValue(stored, stamps, now)
		return v.AppendText(b), v.IsNull()
	}
}

// ReadsIDs reports whether a stored state needs the ids of its stamps, and not only their
// times.
func (r *Rule) ReadsIDs() bool {
	return !slices.Contains([]Operation{Latest, Oldest, Min, Max}, r.op)
}

// cutoff is the time in microseconds before which values have expired.
func (r Rule) cutoff(now time.Time) int64 {
	if r.keep == 0 {
		return noCutoff
	}
	return now.Add(-r.keep).UnixMicro()
}
