// Package sparkvalue converts between text and values as Spark's casts do: numbers,
// dates and timestamps, including how Java prints a double.
//
// It serves the DuckDB engine's casts, and the type inference of COPY INTO.
package sparkvalue

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// trim removes what Java's UTF8String.trimAll removes: spaces and control characters.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// ParseInt parses a whole number of bits bits. A fraction is an error, or cut off if
// lenient is true.
func ParseInt(s string, bits int, lenient bool) (int64, bool) {
	s = trim(s)
	if lenient {
		if i := strings.IndexByte(s, '.'); i >= 0 {
			if strings.Trim(s[i+1:], "0123456789") != "" {
				return 0, false
			}
			s = s[:i]
			if s == "" || s == "-" || s == "+" {
				return 0, false
			}
		}
	}
	if s == "" || strings.Contains(s, "_") {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, bits)
	return n, err == nil
}

// ParseFloat parses a double as Spark's cast does, with all its names for infinity.
func ParseFloat(s string, bits int) (float64, bool) {
	s = trim(s)
	switch strings.ToLower(s) {
	case "inf", "+inf", "infinity", "+infinity":
		return math.Inf(1), true
	case "-inf", "-infinity":
		return math.Inf(-1), true
	case "nan":
		return math.NaN(), true
	}
	return ParseJavaFloat(s, bits)
}

// ParseJavaFloat parses what Double.parseDouble parses: NaN and Infinity only in
// Java's spelling.
func ParseJavaFloat(s string, bits int) (float64, bool) {
	s = trim(s)
	switch strings.TrimLeft(s, "+-") {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		if strings.HasPrefix(s, "-") {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	if n := len(s); n > 1 && strings.IndexByte("dDfF", s[n-1]) >= 0 && (s[n-2] == '.' || s[n-2] >= '0' && s[n-2] <= '9') {
		s = s[:n-1]
	}
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && !math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// ParseBool parses the words that Spark's cast accepts for a boolean.
func ParseBool(s string) (value, ok bool) {
	switch strings.ToLower(trim(s)) {
	case "t", "true", "y", "yes", "1":
		return true, true
	case "f", "false", "n", "no", "0":
		return false, true
	}
	return false, false
}

// splitDecimal splits a number into its unscaled value and its scale.
func splitDecimal(s string) (unscaled *big.Int, scale int, ok bool) {
	s = trim(s)
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(strings.TrimPrefix(s[i+1:], "+"))
		if err != nil || n > 1000 || n < -1000 {
			return nil, 0, false
		}
		mantissa, exp = s[:i], n
	}
	digits := strings.TrimLeft(mantissa, "+-")
	if len(mantissa)-len(digits) > 1 {
		return nil, 0, false
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return nil, 0, false
	}
	unscaled, ok = new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return nil, 0, false
	}
	if strings.HasPrefix(mantissa, "-") {
		unscaled.Neg(unscaled)
	}
	return unscaled, len(fraction) - exp, true
}

// DecimalShape returns the precision and scale of a number as written.
func DecimalShape(s string) (precision, scale int, ok bool) {
	u, scale, ok := splitDecimal(s)
	if !ok {
		return 0, 0, false
	}
	precision = len(new(big.Int).Abs(u).String())
	if scale < 0 {
		precision, scale = precision-scale, 0
	}
	return precision, scale, true
}

// RoundDecimal parses a number and rounds it to a scale, half away from zero. fits is
// false if the result exceeds the precision.
func RoundDecimal(s string, precision, scale int) (text string, fits, ok bool) {
	u, from, ok := splitDecimal(s)
	if !ok {
		return "", false, false
	}
	u = rescale(u, from, scale)
	if len(new(big.Int).Abs(u).String()) > precision {
		return "", false, true
	}
	return formatDecimal(u, scale), true, true
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func rescale(u *big.Int, from, to int) *big.Int {
	if to >= from {
		return new(big.Int).Mul(u, pow10(to-from))
	}
	return divideHalfUp(u, pow10(from-to))
}

func divideHalfUp(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	r.Abs(r).Lsh(r, 1)
	if r.CmpAbs(b) >= 0 {
		if a.Sign()*b.Sign() < 0 {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

func formatDecimal(u *big.Int, scale int) string {
	digits := new(big.Int).Abs(u).String()
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if u.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// DivideDecimals returns a/b rounded to a scale, half away from zero; ok is false if
// b is zero.
func DivideDecimals(a, b string, scale int) (string, bool) {
	ua, sa, _ := splitDecimal(a)
	ub, sb, _ := splitDecimal(b)
	if ua == nil || ub == nil || ub.Sign() == 0 {
		return "", false
	}
	// a/b = ua/ub * 10^(sb-sa), and the result is that times 10^scale.
	shift := scale + sb - sa
	if shift >= 0 {
		ua = new(big.Int).Mul(ua, pow10(shift))
	} else {
		ub = new(big.Int).Mul(ub, pow10(-shift))
	}
	return formatDecimal(divideHalfUp(ua, ub), scale), true
}

// ModDecimals returns the remainder of a/b, with the sign of a, at a scale.
func ModDecimals(a, b string, scale int) (string, bool) {
	ua, sa, _ := splitDecimal(a)
	ub, sb, _ := splitDecimal(b)
	if ua == nil || ub == nil || ub.Sign() == 0 {
		return "", false
	}
	s := max(sa, sb)
	r := new(big.Int).Rem(rescale(ua, sa, s), rescale(ub, sb, s))
	return formatDecimal(rescale(r, s, scale), scale), true
}

// MultiplyDecimals returns a*b rounded to a scale, half away from zero.
func MultiplyDecimals(a, b string, scale int) string {
	ua, sa, _ := splitDecimal(a)
	ub, sb, _ := splitDecimal(b)
	return formatDecimal(rescale(new(big.Int).Mul(ua, ub), sa+sb, scale), scale)
}
