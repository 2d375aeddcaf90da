package sparkvalue

import (
	"math"
	"strconv"
	"strings"
)

// FormatFloat formats a float as Java's Double.toString or Float.toString does.
func FormatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		if math.Signbit(f) {
			return "-0.0"
		}
		return "0.0"
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		s := strconv.FormatFloat(f, 'f', -1, bits)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	sign := ""
	if strings.HasPrefix(exp, "-") {
		sign = "-"
	}
	return mantissa + "E" + sign + strings.TrimLeft(exp, "+-0")
}

// RoundFloat rounds the shortest decimal form of f, half away from zero.
func RoundFloat(f float64, scale int) float64 {
	u, s, _ := splitDecimal(strconv.FormatFloat(f, 'f', -1, 64))
	if s <= scale {
		return f
	}
	u = rescale(u, s, scale)
	var text string
	if scale >= 0 {
		text = formatDecimal(u, scale)
	} else {
		text = u.String() + strings.Repeat("0", -scale)
	}
	out, _ := strconv.ParseFloat(text, 64)
	return out
}
