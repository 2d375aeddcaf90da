package merge

import (
	"encoding/binary"

	"github.com/cockroachdb/apd/v3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// form is the type of a rule's states.
type form uint8

const (
	singleForm form = iota
	extremumForm
	countForm
	sumForm
	sumsForm
	setForm
	keyedForm
)

// formOf returns the type of the states of an operation on a type.
func formOf(t value.Type, op Operation) form {
	switch {
	case op == Latest || op == Oldest:
		return singleForm
	case op == Min || op == Max:
		return extremumForm
	case op == Count && t.Shape == value.Scalar:
		return countForm
	case op == Sum && t.Shape == value.Scalar:
		return sumForm
	case op == Sum || op == Count:
		return sumsForm
	case t.Shape == value.SetOf:
		return setForm
	default:
		return keyedForm
	}
}

// fewMembers is the number of members of a set that are compared with each other.
const fewMembers = 16

// AppendFirst appends the stored form of the state that has one value, which Prepare
// returned and which is not NULL, and adds its stamps to stamps. It is faster than New,
// State.Add and State.AppendBinary, and the form is the same except for the order of
// members and keys.
func (r *Rule) AppendFirst(b []byte, v value.Value, at Stamp, stamps *Stamps) []byte {
	switch r.form {
	case singleForm:
		return canonical(v).AppendBinary(stamps.appendReference(b, at))
	case extremumForm:
		return v.AppendBinary(b)
	case countForm:
		return binary.AppendVarint(b, 1)
	case sumForm:
		var scratch apd.Decimal
		if d := v.Decimal(&scratch); isOwnSum(d) {
			return value.AppendDecimal(b, d)
		}
	case sumsForm:
		if out, ok := appendSums(b, v.Entries()); ok {
			return out
		}
	case setForm:
		if list := v.List(); len(list) <= min(fewMembers, r.capacity) {
			return appendMembers(b, list, at.Micros)
		}
	case keyedForm:
		if len(v.Entries()) > r.capacity {
			break
		}
		if r.op == MapMax || r.op == MapMin {
			at = Stamp{}
		}
		b = binary.AppendUvarint(b, uint64(len(v.Entries())))
		for _, e := range v.Entries() {
			b = e.Value.AppendBinary(stamps.appendReference(value.AppendString(b, e.Key), at))
		}
		return b
	}
	s := r.New()
	s.Add(v, at)
	return s.AppendBinary(b, stamps)
}

// appendMembers appends the stored form of a set of few members, which may repeat.
func appendMembers(b []byte, list []value.Value, at int64) []byte {
	var texts [fewMembers]string
	n := 0
next:
	for _, e := range list {
		text := e.Text()
		for _, known := range texts[:n] {
			if known == text {
				continue next
			}
		}
		texts[n] = text
		n++
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, text := range texts[:n] {
		b = binary.AppendVarint(value.AppendString(b, text), at)
	}
	return b
}

// isOwnSum reports whether zero plus d has the form of d.
func isOwnSum(d *apd.Decimal) bool { return d.Exponent <= 0 && !(d.Negative && d.IsZero()) }

// appendSums appends the stored form of the sums of one value for each key; ok is false
// if it cannot.
func appendSums(b []byte, entries []value.Entry) (out []byte, ok bool) {
	var scratch apd.Decimal
	b = binary.AppendUvarint(b, uint64(len(entries)))
	for _, e := range entries {
		d := e.Value.Decimal(&scratch)
		if !isOwnSum(d) {
			return nil, false
		}
		b = value.AppendDecimal(value.AppendString(b, e.Key), d)
	}
	return b, true
}
