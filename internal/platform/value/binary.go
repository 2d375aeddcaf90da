package value

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/cockroachdb/apd/v3"
)

// ErrCorrupt is a binary value that cannot be read.
var ErrCorrupt = errors.New("the stored value is damaged")

// The tags of the binary form. Numbers have two.
const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagDecimal
	tagString
	tagTime
	tagList
	tagMap
)

// AppendBinary appends a form that Reader.Value reads.
func (v Value) AppendBinary(b []byte) []byte {
	switch v.kind {
	case Bool:
		if v.num != 0 {
			return append(b, tagTrue)
		}
		return append(b, tagFalse)
	case Number:
		if d, ok := v.ref.(*apd.Decimal); ok {
			return AppendDecimal(append(b, tagDecimal), d)
		}
		return binary.AppendVarint(append(b, tagInt), v.num)
	case String:
		return AppendString(append(b, tagString), v.str)
	case Time:
		return binary.AppendVarint(append(b, tagTime), v.num)
	case List:
		b = binary.AppendUvarint(append(b, tagList), uint64(len(v.List())))
		for _, e := range v.List() {
			b = e.AppendBinary(b)
		}
		return b
	case Map:
		b = binary.AppendUvarint(append(b, tagMap), uint64(len(v.Entries())))
		for _, e := range v.Entries() {
			b = e.Value.AppendBinary(AppendString(b, e.Key))
		}
		return b
	default:
		return append(b, tagNull)
	}
}

// AppendString appends a string with its length.
func AppendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendDecimal appends a finite decimal: sign, exponent, coefficient.
func AppendDecimal(b []byte, d *apd.Decimal) []byte {
	sign := byte(0)
	if d.Negative {
		sign = 1
	}
	b = binary.AppendVarint(append(b, sign), int64(d.Exponent))
	if d.Coeff.IsUint64() {
		return appendCoefficient(b, d.Coeff.Uint64())
	}
	digits := d.Coeff.Bytes()
	return append(binary.AppendUvarint(b, uint64(len(digits))), digits...)
}

// appendCoefficient appends what big.Int.Bytes gives, with its length.
func appendCoefficient(b []byte, c uint64) []byte {
	n := (bits.Len64(c) + 7) / 8
	b = append(b, byte(n))
	for n--; n >= 0; n-- {
		b = append(b, byte(c>>(8*n)))
	}
	return b
}

// Reader takes a binary form apart. After the first error all reads give zero
// values; Err tells.
type Reader struct {
	b   []byte
	err error
	// text is a copy of all there was to read, which strings are parts of; empty
	// when each string is a copy of its own.
	text string
}

// NewReader reads from b, which must not change: strings are copied out of it.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// NewRowReader reads from b, which must not change, for a short time: strings
// are parts of one copy, so that one that is kept keeps all of them.
func NewRowReader(b []byte) *Reader { return &Reader{b: b, text: string(b)} }

// Left is how many bytes were not read yet.
func (r *Reader) Left() int { return len(r.b) }

// Err is ErrCorrupt if anything could not be read.
func (r *Reader) Err() error { return r.err }

// Done reports whether all was read.
func (r *Reader) Done() bool { return len(r.b) == 0 || r.err != nil }

func (r *Reader) fail() {
	r.err = ErrCorrupt
	r.b = nil
}

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

// Varint reads a signed number.
func (r *Reader) Varint() int64 {
	i, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return i
}

// Count reads a number of things that follow, each of at least one byte, so
// that a damaged one allocates no memory.
func (r *Reader) Count() int {
	u, n := binary.Uvarint(r.b)
	if n <= 0 || u > uint64(len(r.b)-n) {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(u)
}

// Skip passes over n bytes, which are there.
func (r *Reader) Skip(n int) { r.b = r.b[n:] }

// Index reads a number below n; -1 when it is none.
func (r *Reader) Index(n int) int {
	u, width := binary.Uvarint(r.b)
	if width <= 0 || u >= uint64(n) {
		r.fail()
		return -1
	}
	r.b = r.b[width:]
	return int(u)
}

// Bytes reads a length and so many bytes, without copying.
func (r *Reader) Bytes() []byte {
	n := r.Count()
	if r.err != nil {
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// String reads a string.
func (r *Reader) String() string {
	b := r.Bytes()
	if r.text == "" {
		return string(b)
	}
	end := len(r.text) - len(r.b)
	return r.text[end-len(b) : end]
}

// Decimal reads what AppendDecimal wrote.
func (r *Reader) Decimal(d *apd.Decimal) {
	d.Form = apd.Finite
	d.Negative = r.Byte() == 1
	d.Exponent = int32(r.Varint())
	digits := r.Bytes()
	if len(digits) > 8 {
		d.Coeff.SetBytes(digits)
		return
	}
	c := uint64(0)
	for _, b := range digits {
		c = c<<8 | uint64(b)
	}
	d.Coeff.SetUint64(c)
}

// Value reads what AppendBinary wrote.
func (r *Reader) Value() Value { return r.value(0) }

func (r *Reader) value(depth int) Value {
	if depth > maxNesting+1 {
		r.fail()
		return Value{}
	}
	switch r.Byte() {
	case tagNull:
		return Value{}
	case tagFalse:
		return OfBool(false)
	case tagTrue:
		return OfBool(true)
	case tagInt:
		return OfInt(r.Varint())
	case tagDecimal:
		d := new(apd.Decimal)
		r.Decimal(d)
		return Value{kind: Number, ref: d}
	case tagString:
		return OfString(r.String())
	case tagTime:
		return OfMicros(r.Varint())
	case tagList:
		list := make([]Value, r.Count())
		for i := range list {
			list[i] = r.value(depth + 1)
		}
		return OfList(list)
	case tagMap:
		entries := make([]Entry, r.Count())
		for i := range entries {
			entries[i] = Entry{Key: r.String(), Value: r.value(depth + 1)}
		}
		return Value{kind: Map, ref: entries}
	default:
		r.fail()
		return Value{}
	}
}
