package value

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/cockroachdb/apd/v3"
)

// ErrCorrupt means that a binary value is damaged.
var ErrCorrupt = errors.New("the stored value is damaged")

// The tags of the binary form. A number is an integer or a decimal.
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

// AppendBinary appends the binary form, which Reader.Value reads.
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

// AppendString appends the length of a string and the string.
func AppendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// AppendDecimal appends a finite decimal as sign, exponent and coefficient.
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

// appendCoefficient appends the length and the bytes of big.Int.Bytes.
func appendCoefficient(b []byte, c uint64) []byte {
	n := (bits.Len64(c) + 7) / 8
	b = append(b, byte(n))
	for n--; n >= 0; n-- {
		b = append(b, byte(c>>(8*n)))
	}
	return b
}

// Reader reads a binary form. After the first error, all reads return zero values, and
// Err returns the error.
type Reader struct {
	b   []byte
	err error
	// text is a copy of the whole input, and strings are parts of it. It is empty if
	// each string is copied separately.
	text string
}

// NewReader reads from b, which must not change during the reads. Strings are copied.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Reset makes the reader read from b, which must not change during the reads. text has the
// same content, and strings are parts of it, so that a string that is kept keeps all of it
// in memory; if it is empty, strings are copied.
func (r *Reader) Reset(b []byte, text string) { *r = Reader{b: b, text: text} }

// Left is the number of bytes that were not read yet.
func (r *Reader) Left() int { return len(r.b) }

// Err is ErrCorrupt if a read failed.
func (r *Reader) Err() error { return r.err }

// Done reports whether the whole input was read or a read failed.
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

// Count reads the number of items that follow. Each item has at least one byte, so a
// number above the number of remaining bytes is an error; memory for the items can be
// allocated without another check.
func (r *Reader) Count() int {
	u, n := binary.Uvarint(r.b)
	if n <= 0 || u > uint64(len(r.b)-n) {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return int(u)
}

// Skip skips n bytes; n must not exceed Left.
func (r *Reader) Skip(n int) { r.b = r.b[n:] }

// Index reads a number below n; it is -1 after an error.
func (r *Reader) Index(n int) int {
	u, width := binary.Uvarint(r.b)
	if width <= 0 || u >= uint64(n) {
		r.fail()
		return -1
	}
	r.b = r.b[width:]
	return int(u)
}

// Bytes reads a length and that many bytes, without copying.
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

// Decimal reads the form of AppendDecimal.
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

// Value reads the form of AppendBinary.
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
