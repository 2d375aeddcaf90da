package merge

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

const noCutoff = math.MinInt64

// Stamp identifies the event that a value comes from: its time, in microseconds
// since 1970, and its id.
type Stamp struct {
	Micros int64
	ID     string
}

func (s Stamp) compare(o Stamp) int {
	return cmp.Or(cmp.Compare(s.Micros, o.Micros), cmp.Compare(s.ID, o.ID))
}

// State is the merged state of one field of one profile. Add copies the values that it
// keeps.
type State interface {
	// Add merges a value that Rule.Prepare returned and that is not NULL.
	Add(v value.Value, at Stamp)
	// Merge merges the state of another profile, which has the same rule.
	Merge(o State)
	// Value is the field's value at a time; NULL if there is none.
	Value(now time.Time) value.Value
	// AppendBinary appends the form that Read reads, and adds its stamps to stamps.
	AppendBinary(b []byte, stamps *Stamps) []byte
	// Read replaces the state by a stored one.
	Read(r *value.Reader, stamps []Stamp)
	// AddStored merges a stored state, of the same rule, as Merge does. It copies
	// what it keeps of the reader's and the stamps' strings.
	AddStored(r *value.Reader, stamps []Stamp)
	// Size is the approximate memory of the state in bytes.
	Size() int
}

// sameType returns o with the type of s. The states of one field have the same rule, so
// a different type is a bug, and sameType panics.
func sameType[T State](s T, o State) T {
	other, ok := o.(T)
	if !ok {
		panic(fmt.Sprintf("a state of %T cannot be merged with one of %T", s, o))
	}
	return other
}

// single is the state of latest and oldest.
type single struct {
	rule Rule
	at   Stamp
	v    value.Value
}

func (s *single) Add(v value.Value, at Stamp) {
	if !s.v.IsNull() {
		c := at.compare(s.at)
		if s.rule.op == Oldest {
			c = -c
		}
		// Two mappings of one event: the greater value is kept, in any order.
		if c < 0 || c == 0 && value.Compare(s.v, canonical(v)) >= 0 {
			return
		}
	}
	s.v, s.at = canonical(v).Clone(), Stamp{at.Micros, strings.Clone(at.ID)}
}

// canonical sorts the members of a set and removes duplicates, so that equal sets have
// the same form.
func canonical(v value.Value) value.Value {
	if v.Kind() != value.List {
		return v
	}
	l := slices.Clone(v.List())
	slices.SortFunc(l, value.Compare)
	return value.OfList(slices.CompactFunc(l, func(a, b value.Value) bool { return value.Compare(a, b) == 0 }))
}

func (s *single) Merge(o State) {
	if other := sameType(s, o); !other.v.IsNull() {
		s.Add(other.v, other.at)
	}
}

func (s *single) Value(now time.Time) value.Value {
	if s.at.Micros < s.rule.cutoff(now) {
		return value.Value{}
	}
	return s.v
}

func (s *single) AppendBinary(b []byte, stamps *Stamps) []byte {
	return s.v.AppendBinary(stamps.appendReference(b, s.at))
}

func (s *single) Read(r *value.Reader, stamps []Stamp) {
	s.at = readReference(r, stamps)
	s.v = r.Value()
}

func (s *single) AddStored(r *value.Reader, stamps []Stamp) {
	at := readReference(r, stamps)
	if v := r.Value(); !v.IsNull() {
		s.Add(v, at)
	}
}

func (s *single) Size() int { return 160 + len(s.v.Str()) }

// extremum is the state of min and max.
type extremum struct {
	rule Rule
	v    value.Value
}

func (e *extremum) Add(v value.Value, _ Stamp) {
	c := 1
	if !e.v.IsNull() {
		if c = value.Compare(v, e.v); e.rule.op == Min {
			c = -c
		}
	}
	if c > 0 {
		e.v = v.Clone()
	}
}

func (e *extremum) Merge(o State) {
	if other := sameType(e, o); !other.v.IsNull() {
		e.Add(other.v, Stamp{})
	}
}

func (e *extremum) Value(time.Time) value.Value             { return e.v }
func (e *extremum) AppendBinary(b []byte, _ *Stamps) []byte { return e.v.AppendBinary(b) }
func (e *extremum) Read(r *value.Reader, _ []Stamp)         { e.v = r.Value() }
func (e *extremum) Size() int                               { return 96 }

func (e *extremum) AddStored(r *value.Reader, _ []Stamp) {
	if v := r.Value(); !v.IsNull() {
		e.Add(v, Stamp{})
	}
}

// count is the number of events with a value.
type count struct{ n int64 }

func (c *count) Add(value.Value, Stamp)                  { c.n++ }
func (c *count) Merge(o State)                           { c.n += sameType(c, o).n }
func (c *count) Value(time.Time) value.Value             { return value.OfInt(c.n) }
func (c *count) AppendBinary(b []byte, _ *Stamps) []byte { return binary.AppendVarint(b, c.n) }
func (c *count) Read(r *value.Reader, _ []Stamp)         { c.n = r.Varint() }
func (c *count) AddStored(r *value.Reader, _ []Stamp)    { c.n += r.Varint() }
func (c *count) Size() int                               { return 24 }

// sum is an exact decimal sum.
type sum struct{ total apd.Decimal }

// add adds without rounding. It cannot fail, because the context has no precision limit
// and the values are within the limits of a number.
func add(total, x *apd.Decimal) { _, _ = apd.BaseContext.Add(total, total, x) }

func (s *sum) Add(v value.Value, _ Stamp) {
	var scratch apd.Decimal
	add(&s.total, v.Decimal(&scratch))
}

func (s *sum) Merge(o State) { add(&s.total, &sameType(s, o).total) }

func (s *sum) Value(time.Time) value.Value {
	return value.OfDecimal(new(apd.Decimal).Set(&s.total))
}

func (s *sum) AppendBinary(b []byte, _ *Stamps) []byte { return value.AppendDecimal(b, &s.total) }
func (s *sum) Read(r *value.Reader, _ []Stamp)         { r.Decimal(&s.total) }
func (s *sum) Size() int                               { return 80 }

func (s *sum) AddStored(r *value.Reader, _ []Stamp) {
	var x apd.Decimal
	r.Decimal(&x)
	add(&s.total, &x)
}

// sums is an exact sum for each key of a map.
type sums struct{ totals map[string]*apd.Decimal }

func (s *sums) of(key string) *apd.Decimal {
	d, ok := s.totals[key]
	if !ok {
		if s.totals == nil {
			s.totals = map[string]*apd.Decimal{}
		}
		d = new(apd.Decimal)
		s.totals[strings.Clone(key)] = d
	}
	return d
}

func (s *sums) Add(v value.Value, _ Stamp) {
	var scratch apd.Decimal
	for _, e := range v.Entries() {
		add(s.of(e.Key), e.Value.Decimal(&scratch))
	}
}

func (s *sums) Merge(o State) {
	for key, d := range sameType(s, o).totals {
		add(s.of(key), d)
	}
}

func (s *sums) Value(time.Time) value.Value {
	entries := make([]value.Entry, 0, len(s.totals))
	for key, d := range s.totals {
		entries = append(entries, value.Entry{Key: key, Value: value.OfDecimal(new(apd.Decimal).Set(d))})
	}
	if len(entries) == 0 {
		return value.Value{}
	}
	return value.OfMap(entries)
}

func (s *sums) AppendBinary(b []byte, _ *Stamps) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.totals)))
	for key, d := range s.totals {
		b = value.AppendDecimal(value.AppendString(b, key), d)
	}
	return b
}

func (s *sums) Read(r *value.Reader, _ []Stamp) {
	for range r.Count() {
		r.Decimal(s.of(r.String()))
	}
}

func (s *sums) AddStored(r *value.Reader, _ []Stamp) {
	var x apd.Decimal
	for range r.Count() {
		total := s.of(r.String())
		r.Decimal(&x)
		add(total, &x)
	}
}

func (s *sums) Size() int { return 48 + 128*len(s.totals) }
