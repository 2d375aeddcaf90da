package value

import (
	"math"
	"math/bits"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// The limits of a number. A text beyond them is not read as a number. Every DECIMAL and
// DOUBLE is far below the limits, and a hostile value (1e999999) cannot take a megabyte
// of digits.
const (
	maxDigits   = 1000
	maxExponent = 1000
)

// quotientDigits is the precision of a division, the only operation whose result may
// have infinitely many digits.
const quotientDigits = 34

var (
	exact    = apd.BaseContext
	quotient = apd.BaseContext.WithPrecision(quotientDigits)
)

// ParseNumber parses a number as in JSON: sign, digits, fraction, exponent. Leading
// zeros are allowed.
func ParseNumber(s string) (Value, bool) {
	if i, ok := parseSmallInt(s); ok {
		return OfInt(i), true
	}
	if v, ok := parseShortDecimal(s); ok {
		return v, true
	}
	return parseAnyNumber(s)
}

func parseAnyNumber(s string) (Value, bool) {
	if len(s) > maxDigits+maxExponent || !numberSyntax(s) {
		return Value{}, false
	}
	d, _, err := apd.NewFromString(s)
	if err != nil {
		return Value{}, false
	}
	return ofDecimal(d)
}

// parseSmallInt is the fast path for integers of up to 18 digits.
func parseSmallInt(s string) (int64, bool) {
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	if len(s) == 0 || len(s) > 18 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		c := s[i] - '0'
		if c > 9 {
			return 0, false
		}
		n = n*10 + int64(c)
	}
	if neg {
		n = -n
	}
	return n, true
}

// parseShortDecimal is the fast path for decimals of up to 18 digits, with digits on both
// sides of the point and without an exponent.
func parseShortDecimal(s string) (Value, bool) {
	digits, negative := s, false
	if len(s) > 0 && s[0] == '-' {
		digits, negative = s[1:], true
	}
	if len(digits) < len("0.0") || len(digits) > 19 || !isDigit(digits[0]) {
		return Value{}, false
	}
	var c uint64
	point := -1
	for i := range len(digits) {
		switch {
		case isDigit(digits[i]):
			c = c*10 + uint64(digits[i]-'0')
		case digits[i] == '.' && point < 0:
			point = i
		default:
			return Value{}, false
		}
	}
	fraction := len(digits) - 1 - point
	if point < 0 || fraction == 0 {
		return Value{}, false
	}
	d := &apd.Decimal{Negative: negative, Exponent: int32(-fraction)}
	d.Coeff.SetUint64(c)
	return Value{kind: Number, ref: d}, true
}

// numberSyntax refuses texts that the decimal package accepts but that are not numbers:
// NaN, Infinity, and an exponent without digits before it.
func numberSyntax(s string) bool {
	i, digits := 0, 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for ; i < len(s) && isDigit(s[i]); i++ {
		digits++
	}
	if i < len(s) && s[i] == '.' {
		for i++; i < len(s) && isDigit(s[i]); i++ {
			digits++
		}
	}
	if digits == 0 {
		return false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		if i == len(s) || len(s)-i > 6 {
			return false
		}
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	return i == len(s)
}

func isDigit(c byte) bool { return c-'0' <= 9 }

// ofDecimal returns the decimal as a number, if it is within the limits.
func ofDecimal(d *apd.Decimal) (Value, bool) {
	if d.Form != apd.Finite || d.Exponent > maxExponent || d.Exponent < -maxExponent-maxDigits || d.NumDigits() > maxDigits {
		return Value{}, false
	}
	return Value{kind: Number, ref: d}, true
}

// OfDecimal returns a decimal as a number. The Value owns the decimal afterwards. The
// result is NULL if the decimal is not finite or not within the limits.
func OfDecimal(d *apd.Decimal) Value {
	v, _ := ofDecimal(d)
	return v
}

// Decimal returns the number as a decimal, which must not be changed. An integer is
// converted to a decimal in scratch.
func (v Value) Decimal(scratch *apd.Decimal) *apd.Decimal { return v.decimal(scratch) }

func (v Value) decimal(scratch *apd.Decimal) *apd.Decimal {
	if d, ok := v.ref.(*apd.Decimal); ok {
		return d
	}
	return scratch.SetInt64(v.num)
}

// Int returns the number as an integer of 64 bits; false if it has a fraction or does
// not fit.
func (v Value) Int() (int64, bool) {
	if v.kind != Number {
		return 0, false
	}
	d, ok := v.ref.(*apd.Decimal)
	if !ok {
		return v.num, true
	}
	i, err := d.Int64()
	return i, err == nil
}

// Truncate removes a number's fraction.
func Truncate(v Value) Value {
	d, ok := v.ref.(*apd.Decimal)
	if !ok || v.kind != Number {
		return v
	}
	var whole, fraction apd.Decimal
	d.Modf(&whole, &fraction)
	return OfDecimal(&whole)
}

// Arithmetic is one of + - * / %.
type Arithmetic byte

// Compute applies an operation to two numbers. The result is exact, except that a
// division has 34 digits. The result of a division by zero, and a result beyond the
// limits, is NULL.
func Compute(op Arithmetic, a, b Value) Value {
	if a.kind != Number || b.kind != Number {
		return Value{}
	}
	if a.ref == nil && b.ref == nil {
		if v, ok := computeInts(op, a.num, b.num); ok {
			return v
		}
	}
	var x, y apd.Decimal
	l, r := a.decimal(&x), b.decimal(&y)
	if (op == '/' || op == '%') && r.IsZero() {
		return Value{}
	}
	out := new(apd.Decimal)
	var err error
	switch op {
	case '+':
		_, err = exact.Add(out, l, r)
	case '-':
		_, err = exact.Sub(out, l, r)
	case '*':
		_, err = exact.Mul(out, l, r)
	case '/':
		if _, err = quotient.Quo(out, l, r); err == nil {
			out.Reduce(out)
		}
	case '%':
		// The remainder of 10^1000 by 10^-1000 has thousands of digits.
		_, err = exact.WithPrecision(3*maxDigits).Rem(out, l, r)
	}
	if err != nil {
		return Value{}
	}
	return OfDecimal(out)
}

func computeInts(op Arithmetic, a, b int64) (Value, bool) {
	switch op {
	case '+':
		if s := a + b; (s > a) == (b > 0) {
			return OfInt(s), true
		}
	case '-':
		if s := a - b; (s < a) == (b > 0) {
			return OfInt(s), true
		}
	case '*':
		if a == math.MinInt64 || b == math.MinInt64 {
			return Value{}, false
		}
		if hi, lo := bits.Mul64(uint64(max(a, -a)), uint64(max(b, -b))); hi == 0 && lo <= math.MaxInt64 {
			return OfInt(a * b), true
		}
	case '%':
		if b != 0 && b != -1 {
			return OfInt(a % b), true
		}
	}
	return Value{}, false
}

// appendNumber appends all digits, without an exponent and without trailing zeros of
// the fraction.
func appendNumber(b []byte, v Value) []byte {
	d, ok := v.ref.(*apd.Decimal)
	if !ok {
		return strconv.AppendInt(b, v.num, 10)
	}
	if d.Coeff.IsUint64() && d.Exponent <= 0 && d.Exponent >= -longestFraction {
		return appendShort(b, d.Negative, d.Coeff.Uint64(), int(-d.Exponent))
	}
	var reduced apd.Decimal
	reduced.Reduce(d)
	if reduced.IsZero() {
		return append(b, '0')
	}
	return reduced.Append(b, 'f')
}

// longestFraction is the largest number of digits after the point that appendShort
// writes: that of every number within the limits.
const longestFraction = maxExponent + maxDigits

// appendShort appends a coefficient with fraction digits after the point.
func appendShort(b []byte, negative bool, c uint64, fraction int) []byte {
	for ; fraction > 0 && c%10 == 0; c /= 10 {
		fraction--
	}
	if negative && c != 0 {
		b = append(b, '-')
	}
	var scratch [20]byte
	digits := strconv.AppendUint(scratch[:0], c, 10)
	if fraction == 0 {
		return append(b, digits...)
	}
	whole := len(digits) - fraction
	if whole > 0 {
		b = append(b, digits[:whole]...)
		return append(append(b, '.'), digits[whole:]...)
	}
	b = append(b, "0."...)
	for ; whole < 0; whole++ {
		b = append(b, '0')
	}
	return append(b, digits...)
}
