package lql

import (
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// textOf is a value's text in the languages: NULL is empty, a date is its milliseconds
// since 1970, a list is its members with commas between them, and a map is JSON.
func textOf(v value.Value) string {
	switch v.Kind() {
	case value.Number:
		return numberText(v)
	case value.Time:
		return strconv.FormatInt(millis(v), 10)
	case value.List:
		members := make([]string, len(v.List()))
		for i, e := range v.List() {
			members[i] = textOf(e)
		}
		return strings.Join(members, ",")
	default:
		return v.Text()
	}
}

// A number whose exponent is between these limits is written without an exponent.
const (
	leastPlainExponent = -4
	plainExponentBelow = 21
)

// numberText writes all digits. A very large or very small number has an exponent.
func numberText(v value.Value) string {
	if _, ok := v.Int(); ok {
		if text := v.Text(); len(text) <= plainExponentBelow {
			return text
		}
	}
	var scratch, reduced apd.Decimal
	reduced.Reduce(v.Decimal(&scratch))
	digits := reduced.Coeff.String()
	exponent := len(digits) - 1 + int(reduced.Exponent)
	if reduced.IsZero() || exponent >= leastPlainExponent && exponent < plainExponentBelow {
		return v.Text()
	}
	var b strings.Builder
	if reduced.Negative {
		b.WriteByte('-')
	}
	b.WriteByte(digits[0])
	if len(digits) > 1 {
		b.WriteString("." + digits[1:])
	}
	sign := "e+"
	if exponent < 0 {
		sign, exponent = "e-", -exponent
	}
	b.WriteString(sign)
	if exponent < 10 {
		b.WriteByte('0')
	}
	b.WriteString(strconv.Itoa(exponent))
	return b.String()
}

// goTime is the layout in which Lytics' engine converts a date to the text argument of
// a function.
const goTime = "2006-01-02 15:04:05.999999999 -0700 MST"

// scalarText is the argument of a function of texts: the text of a value, or of the
// first member of a list. NULL and maps have none.
func scalarText(v value.Value) (string, bool) {
	switch v.Kind() {
	case value.Null, value.Map:
		return "", false
	case value.Time:
		return timeOf(v).Format(goTime), true
	case value.List:
		if len(v.List()) == 0 || v.List()[0].IsNull() {
			return "", false
		}
		return textOf(v.List()[0]), true
	default:
		return textOf(v), true
	}
}

// firstText is the argument of a function of addresses: a string, or the first member
// of a list. It is empty for other values.
func firstText(v value.Value) string {
	switch v.Kind() {
	case value.String:
		return v.Str()
	case value.List:
		if len(v.List()) > 0 {
			return textOf(v.List()[0])
		}
	}
	return ""
}

// validText returns a string in which invalid UTF-8 is replaced by U+FFFD.
func validText(s string) value.Value { return value.OfString(strings.ToValidUTF8(s, "\uFFFD")) }

func timeOf(v value.Value) time.Time { return time.UnixMicro(v.Micros()).UTC() }

func millis(v value.Value) int64 { return timeOf(v).UnixMilli() }

// compareSeconds compares two dates in seconds, as Lytics does.
func compareSeconds(a, b value.Value) int {
	return value.Compare(value.OfInt(timeOf(a).Unix()), value.OfInt(timeOf(b).Unix()))
}

// moneySigns removes currency symbols, thousands separators and spaces.
var moneySigns = strings.NewReplacer("$", "", ",", "", "£", "", "€", "", " ", "")

func parseLenient(s string) value.Value {
	if n, ok := value.ParseNumber(s); ok {
		return n
	}
	n, _ := value.ParseNumber(moneySigns.Replace(s))
	return n
}

// lenientNumber converts a number, a numeric text with currency symbols, or a date to
// its milliseconds since 1970; the result is NULL otherwise.
func lenientNumber(v value.Value) value.Value {
	switch v.Kind() {
	case value.Number:
		return v
	case value.String:
		return parseLenient(v.Str())
	case value.Time:
		return value.OfInt(millis(v))
	default:
		return value.Value{}
	}
}

// anyNumber is lenientNumber, but also converts a boolean to 1 or 0.
func anyNumber(v value.Value) value.Value {
	if v.Kind() == value.Bool {
		return value.OfInt(map[bool]int64{true: 1}[v.Bool()])
	}
	return lenientNumber(v)
}

// wholeNumber removes a fraction. A text without a point must be an integer; "1e3" is
// not accepted.
func wholeNumber(v value.Value) value.Value {
	switch v.Kind() {
	case value.String:
		s := v.Str()
		if !strings.Contains(s, ".") && strings.ContainsAny(s, "eE") {
			return value.Value{}
		}
		return int64Of(parseLenient(s))
	case value.List:
		if len(v.List()) == 0 {
			return value.Value{}
		}
		return wholeNumber(v.List()[0])
	default:
		return int64Of(lenientNumber(v))
	}
}

// int64Of removes a fraction; the result is NULL beyond 64 bits.
func int64Of(v value.Value) value.Value {
	if i, ok := value.Truncate(v).Int(); ok {
		return value.OfInt(i)
	}
	return value.Value{}
}

// strictBool converts the words for a boolean that Lytics accepts; the result is NULL
// otherwise.
func strictBool(s string) value.Value {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return value.Value{}
	}
	return value.OfBool(b)
}

// toBool converts a boolean, 0, 1, or a word for a boolean; the result is NULL
// otherwise.
func toBool(v value.Value) value.Value {
	switch v.Kind() {
	case value.Bool:
		return v
	case value.String:
		return strictBool(v.Str())
	case value.Number, value.Time:
		if i, ok := int64Of(lenientNumber(v)).Int(); ok && (i == 0 || i == 1) {
			return value.OfBool(i == 1)
		}
	}
	return value.Value{}
}

// equal compares like the function eq: it converts b to the kind of a. ok is false if
// the result is unknown.
func equal(r *Record, a, b value.Value) (same, ok bool) {
	if a.IsNull() || b.IsNull() {
		return a.IsNull() && b.IsNull(), true
	}
	as := func(b value.Value) (bool, bool) { return !b.IsNull() && value.Compare(a, b) == 0, true }
	switch a.Kind() {
	case value.String:
		return a.Str() == textOf(b), true
	case value.Number:
		return as(anyNumber(b))
	case value.Bool:
		return as(toBool(b))
	case value.Time:
		t, _ := toTime(r, b)
		return as(t)
	case value.List:
		if b.Kind() != value.List {
			return false, false
		}
		if len(a.List()) != len(b.List()) {
			return false, true
		}
		for i, e := range a.List() {
			if same, ok := equal(r, e, b.List()[i]); !same || !ok {
				return false, true
			}
		}
		return true, true
	}
	return false, false
}
