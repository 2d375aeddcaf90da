package rows

import (
	"encoding/base64"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/types"
)

// appendText appends a value without members, parsed from its text.
func appendText(to array.Builder, t *types.Type, text string, location *time.Location) error {
	switch b := to.(type) {
	case *array.StringBuilder:
		b.Append(text)
		return nil
	case *array.BinaryBuilder:
		raw, err := base64.StdEncoding.DecodeString(text)
		b.Append(raw)
		return err
	case *array.Decimal128Builder:
		n, err := parseDecimal(text, t.Scale)
		b.Append(decimal128.FromBigInt(n))
		return err
	case *array.Date32Builder:
		days, rest, err := parseDate(text)
		if err == nil && rest != "" {
			err = fmt.Errorf("%q is not a date", text)
		}
		b.Append(arrow.Date32(days))
		return err
	case *array.TimestampBuilder:
		if t.Kind == types.TimestampNTZ {
			location = time.UTC
		}
		micros, err := Timestamp(text, location)
		b.Append(arrow.Timestamp(micros))
		return err
	case *array.BooleanBuilder:
		v, err := strconv.ParseBool(text)
		b.Append(v)
		return err
	case *array.Float64Builder:
		v, err := parseFloat(text, 64)
		b.Append(v)
		return err
	case *array.Float32Builder:
		v, err := parseFloat(text, 32)
		b.Append(float32(v))
		return err
	case *array.Int8Builder:
		v, err := strconv.ParseInt(text, 10, 8)
		b.Append(int8(v))
		return err
	case *array.Int16Builder:
		v, err := strconv.ParseInt(text, 10, 16)
		b.Append(int16(v))
		return err
	case *array.Int32Builder:
		v, err := strconv.ParseInt(text, 10, 32)
		b.Append(int32(v))
		return err
	case *array.Int64Builder:
		v, err := strconv.ParseInt(text, 10, 64)
		b.Append(v)
		return err
	}
	return fmt.Errorf("a value of type %s cannot be parsed from text", t)
}

func parseFloat(text string, bits int) (float64, error) {
	switch text {
	case "NaN":
		return math.NaN(), nil
	case "Infinity":
		return math.Inf(1), nil
	case "-Infinity":
		return math.Inf(-1), nil
	}
	return strconv.ParseFloat(text, bits)
}

// parseDecimal parses a decimal exactly, as a multiple of its last digit's unit.
func parseDecimal(text string, scale int) (*big.Int, error) {
	digits, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(text[i+1:]); err != nil {
			return new(big.Int), fmt.Errorf("%q is not a decimal", text)
		}
		digits = text[:i]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	shift := scale - len(fraction) + exponent
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return new(big.Int), fmt.Errorf("%q is not a decimal", text)
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		return n.Mul(n, power), nil
	}
	rest := new(big.Int)
	if n.QuoRem(n, power, rest); rest.Sign() != 0 {
		return n, fmt.Errorf("%q has more than %d digits after the point", text, scale)
	}
	return n, nil
}

var date = regexp.MustCompile(`^([+-]?\d{4,})-(\d\d)-(\d\d)`)

// parseDate parses a date of any year as days since 1970.
func parseDate(text string) (n int64, rest string, err error) {
	m := date.FindStringSubmatch(text)
	if m == nil {
		return 0, "", fmt.Errorf("%q is not a date", text)
	}
	year, err := strconv.Atoi(strings.TrimPrefix(m[1], "+"))
	if err != nil {
		return 0, "", err
	}
	month, _ := strconv.Atoi(m[2]) // two digits
	day, _ := strconv.Atoi(m[3])
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400, text[len(m[0]):], nil
}

var clock = regexp.MustCompile(`^[ T](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d(?::\d\d)?)?$`)

// Timestamp parses a timestamp as microseconds since 1970. Without an offset it is
// in location.
func Timestamp(text string, location *time.Location) (int64, error) {
	n, rest, err := parseDate(text)
	if err != nil {
		return 0, err
	}
	m := clock.FindStringSubmatch(rest)
	if m == nil {
		return 0, fmt.Errorf("%q is not a timestamp", text)
	}
	part := func(s string) int64 {
		n, _ := strconv.ParseInt(s, 10, 64) // digits, or nothing
		return n
	}
	seconds := n*86400 + part(m[1])*3600 + part(m[2])*60 + part(m[3])
	fraction := part((m[4] + "000000")[:6])
	switch {
	case len(m[5]) > 1:
		offset := part(m[5][1:3])*3600 + part(m[5][4:6])*60
		if len(m[5]) > 6 {
			offset += part(m[5][7:])
		}
		if m[5][0] == '-' {
			offset = -offset
		}
		seconds -= offset
	case m[5] == "" && location != time.UTC:
		u := time.Unix(seconds, 0).UTC()
		seconds = time.Date(u.Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), 0, location).Unix()
	}
	return seconds*1_000_000 + fraction, nil
}
