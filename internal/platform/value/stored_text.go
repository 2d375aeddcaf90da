package value

import (
	"strconv"
	"time"

	"github.com/cockroachdb/apd/v3"
)

// AppendText reads a value, and appends the result of its Text. It is faster than Value
// and Text, because it copies neither strings nor decimals. null means that the value is
// NULL.
func (r *Reader) AppendText(b []byte) (text []byte, null bool) {
	whole := r.b
	switch r.Byte() {
	case tagNull:
		return b, true
	case tagFalse:
		return append(b, "false"...), false
	case tagTrue:
		return append(b, "true"...), false
	case tagInt:
		return strconv.AppendInt(b, r.Varint(), 10), false
	case tagDecimal:
		return r.appendDecimal(b), false
	case tagString:
		return append(b, r.Bytes()...), false
	case tagTime:
		return AppendTime(b, time.UnixMicro(r.Varint())), false
	default:
		if r.err != nil {
			return b, true
		}
		r.b = whole
		return r.Value().AppendText(b), false
	}
}

// appendDecimal appends the text of a decimal in the form of AppendDecimal.
func (r *Reader) appendDecimal(b []byte) []byte {
	whole := r.b
	negative := r.Byte() == 1
	exponent := r.Varint()
	digits := r.Bytes()
	if len(digits) <= 8 && exponent <= 0 && exponent >= -longestFraction {
		c := uint64(0)
		for _, d := range digits {
			c = c<<8 | uint64(d)
		}
		return appendShort(b, negative, c, int(-exponent))
	}
	if r.err != nil {
		return b
	}
	r.b = whole
	var d apd.Decimal
	r.Decimal(&d)
	return appendNumber(b, Value{kind: Number, ref: &d})
}
