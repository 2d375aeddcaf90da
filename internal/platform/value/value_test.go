package value_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/apd/v3"
	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

func number(tb testing.TB, s string) value.Value {
	tb.Helper()
	v, ok := value.ParseNumber(s)
	if !ok {
		tb.Fatalf("%q is not read as a number", s)
	}
	return v
}

// checklist 15, 16: integers beyond 2^53 and decimals keep every digit.
func TestNumbersKeepAllDigits(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"9223372036854775807":     "9223372036854775807",
		"-9223372036854775808":    "-9223372036854775808",
		"18446744073709551616":    "18446744073709551616",
		"3.30":                    "3.3",
		"0.1":                     "0.1",
		"-0":                      "0",
		"0.000":                   "0",
		"1e3":                     "1000",
		"1.5E-3":                  "0.0015",
		"-1.4285714285714285E-5":  "-0.000014285714285714285",
		"1.50e-300":               "0." + strings.Repeat("0", 299) + "15",
		"-0e-900":                 "0",
		"12345678901234567890.12": "12345678901234567890.12",
		"1.0E300":                 "1" + strings.Repeat("0", 300),
		"00123":                   "123",
		"1e19":                    "10000000000000000000",
	} {
		if got := number(t, in).Text(); got != want {
			t.Errorf("text of %s: got %s, want %s", in, got, want)
		}
	}
}

func TestTheFastPathFormatsNumbersLikeTheDecimalPackage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := apd.NewWithBigInt(new(apd.BigInt).SetUint64(rapid.Uint64().Draw(t, "digits")), rapid.Int32Range(-25, 5).Draw(t, "exponent"))
		d.Negative = rapid.Bool().Draw(t, "negative")
		var reduced apd.Decimal
		reduced.Reduce(d)
		want := reduced.Text('f')
		if reduced.IsZero() {
			want = "0"
		}
		if got := value.OfDecimal(d).Text(); got != want {
			t.Fatalf("text of %v: got %s, want %s", d, got, want)
		}
	})
}

func TestInstantsHaveMicroseconds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(-62167219200000000, 253402300799999999).Draw(t, "at"))
		if got, want := value.OfTime(at).Text(), at.UTC().Format("2006-01-02T15:04:05.000000Z"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	})
}

func TestTextsThatAreNotNumbers(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "-", "abc", "1a", "NaN", "Infinity", "inf", "1e", "e5", ".", "0x10", "1_000", "1e999999", strings.Repeat("9", 1001), " 1"} {
		if v, ok := value.ParseNumber(in); ok {
			t.Errorf("%q is read as the number %s", in, v.Text())
		}
	}
}

func TestArithmeticIsExact(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a  string
		op value.Arithmetic
		b  string
		is string
	}{
		{"0.1", '+', "0.2", "0.3"},
		{"9223372036854775807", '+', "1", "9223372036854775808"},
		{"-9223372036854775808", '-', "1", "-9223372036854775809"},
		{"9223372036854775807", '*', "9223372036854775807", "85070591730234615847396907784232501249"},
		{"-9223372036854775808", '*', "-1", "9223372036854775808"},
		{"1", '/', "3", "0.3333333333333333333333333333333333"},
		{"10", '/', "4", "2.5"},
		{"7", '%', "3", "1"},
		{"-7.5", '%', "2", "-1.5"},
		{"1", '/', "0", ""},
		{"1", '%', "0", ""},
		{"1e900", '*', "1e900", ""},
	} {
		if got := value.Compute(c.op, number(t, c.a), number(t, c.b)).Text(); got != c.is {
			t.Errorf("%s %c %s = %q, want %q", c.a, c.op, c.b, got, c.is)
		}
	}
}

// checklist 7, 8: times keep their microseconds, and a time without a zone is UTC.
func TestTimes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"2024-03-01":                       "2024-03-01T00:00:00.000000Z",
		"2024-03-01T10:20:30Z":             "2024-03-01T10:20:30.000000Z",
		"2024-03-01T10:20:30.123456Z":      "2024-03-01T10:20:30.123456Z",
		"2024-03-01 10:20:30.5":            "2024-03-01T10:20:30.500000Z",
		"2024-03-01T10:20:30.123456+02:00": "2024-03-01T08:20:30.123456Z",
		"2024-03-01 10:20:30 +0100":        "2024-03-01T09:20:30.000000Z",
		"2024-03-01 10:20:30-08":           "2024-03-01T18:20:30.000000Z",
		"2024-03-01T10:20z":                "2024-03-01T10:20:00.000000Z",
		"0001-01-01T00:00:00.000001Z":      "0001-01-01T00:00:00.000001Z",
		"9999-12-31T23:59:59.999999Z":      "9999-12-31T23:59:59.999999Z",
	} {
		v, ok := value.ParseTime(in)
		if !ok || v.Text() != want {
			t.Errorf("%q = %q, want %q", in, v.Text(), want)
		}
	}
	for _, in := range []string{"", "2024", "2024-02-30", "2024-03-01X10:20:30Z", "2024-03-01T", "2024-03-01T25:00:00Z", "now", "12/18/2015", "2024-03-01T10:20:30+99999"} {
		if v, ok := value.ParseTime(in); ok {
			t.Errorf("%q is read as %s", in, v.Text())
		}
	}
}

// checklist 16, 17: nested values keep their digits.
func TestJSONIsReadAndWritten(t *testing.T) {
	t.Parallel()
	in := `{"z":[1.10,{"b":9007199254740993,"a":"\u00e9\n\"<&>"}],"a":null,"t":true,"e":{},"l":[]}`
	want := `{"a":null,"e":{},"l":[],"t":true,"z":[1.1,{"a":"é\n\"<&>","b":9007199254740993}]}`
	if got := value.FromJSON(gjson.Parse(in)).Text(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestConversions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, in, want string
		failed        bool
	}{
		{"string", `12.50`, "12.5", false},
		{"string", `"00123"`, "00123", false},
		{"string", `""`, "", false},
		{"int", `"42"`, "42", false},
		{"int", `42.0`, "42", false},
		{"int", `42.5`, "", true},
		{"int", `"x"`, "", true},
		{"int", `""`, "", false},
		{"int", `null`, "", false},
		{"int", `9223372036854775808`, "", true},
		{"number", `"1.50"`, "1.5", false},
		{"number", `"NaN"`, "", true},
		{"bool", `"Yes"`, "true", false},
		{"bool", `0`, "false", false},
		{"bool", `2`, "", true},
		{"date", `"2024-03-01"`, "2024-03-01T00:00:00.000000Z", false},
		{"date", `5`, "", true},
		{"[]string", `"a"`, `["a"]`, false},
		{"[]string", `["b",1,null]`, `["b","1"]`, false},
		{"[]time", `["2024-03-01","x"]`, `["2024-03-01T00:00:00.000000Z"]`, true},
		{"map[string]int", `{"a":"1","b":"x"}`, `{"a":1}`, true},
		{"map[string]int", `[1]`, "", true},
		{"map[string]value", `{"a":[1],"b":null}`, `{"a":[1]}`, false},
	} {
		typ, ok := value.ParseType(c.typ)
		if !ok {
			t.Fatalf("type %s is not known", c.typ)
		}
		got, failed := typ.Convert(value.FromJSON(gjson.Parse(c.in)))
		if got.Text() != c.want || failed != c.failed {
			t.Errorf("%s as %s = %q, failed %v; want %q, %v", c.in, c.typ, got.Text(), failed, c.want, c.failed)
		}
	}
}

func anyValue(t *rapid.T) value.Value {
	return value.FromJSON(gjson.Parse(rapid.SampledFrom([]string{
		"null", "true", "false", "0", "-5", "1.10", "123456789012345678901234567890.5", `""`, `"a"`, `"é"`,
		`[]`, `[1,"x",null]`, `{}`, `{"b":{"c":[1.25]},"a":"x"}`,
	}).Draw(t, "json")))
}

func TestBinaryFormsAreReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := value.OfList([]value.Value{anyValue(t), value.OfMicros(rapid.Int64().Draw(t, "us")), value.OfInt(rapid.Int64().Draw(t, "int"))})
		r := value.NewReader(in.AppendBinary(nil))
		out := r.Value()
		if r.Err() != nil || !r.Done() || value.Compare(in, out) != 0 {
			t.Fatalf("binary form of %s: read %s, %v", in.Text(), out.Text(), r.Err())
		}
	})
}

// checklist 42: reading a damaged form returns an error and never panics.
func TestDamagedBinaryIsAnError(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := value.NewReader(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		for !r.Done() {
			_ = r.Value()
		}
	})
	whole := value.OfString("hello").AppendBinary(nil)
	r := value.NewReader(whole[:3])
	if _ = r.Value(); r.Err() == nil {
		t.Error("a truncated string is read without an error")
	}
}

func TestCompareIsATotalOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyValue(t), anyValue(t), anyValue(t)
		if value.Compare(a, b) != -value.Compare(b, a) {
			t.Fatalf("Compare of %s and %s is not antisymmetric", a.Text(), b.Text())
		}
		if value.Compare(a, b) <= 0 && value.Compare(b, c) <= 0 && value.Compare(a, c) > 0 {
			t.Fatalf("%s <= %s <= %s, but not the first and the last", a.Text(), b.Text(), c.Text())
		}
	})
}

func TestInstantsAreFormattedLikeTheStandardLibrary(t *testing.T) {
	t.Parallel()
	first, last := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC)
	at := []time.Time{first, last, time.Unix(0, 0), time.Unix(-1, 999_999_999), time.Date(2024, 2, 29, 23, 59, 59, 1_999, time.FixedZone("", -5*3600))}
	for micros := first.UnixMicro(); micros <= last.UnixMicro(); micros += 76_543_210_987_654 {
		at = append(at, time.UnixMicro(micros))
	}
	for _, at := range at {
		want := "x" + at.UTC().Format("2006-01-02T15:04:05.000000Z")
		if got := string(value.AppendTime([]byte("x"), at)); got != want {
			t.Errorf("%v is written as %s, want %s", at, got, want)
		}
	}
}

func TestLocationsAreReadInEveryForm(t *testing.T) {
	t.Parallel()
	location, ok := value.ParseType("geolocation")
	if !ok {
		t.Fatal("there is no type geolocation")
	}
	for json, want := range map[string]string{
		`"47.50, 8.5"`:                      "47.5,8.5",
		`[47.5, "8.5"]`:                     "47.5,8.5",
		`{"lat": 47.5, "lng": 8.5}`:         "47.5,8.5",
		`{"latitude": -90, "longitude": 0}`: "-90,0",
		`"90.1,0"`:                          "",
		`"Zürich"`:                          "",
		`[1]`:                               "",
		`5`:                                 "",
	} {
		got, failed := location.Convert(value.FromJSON(gjson.Parse(json)))
		if got.Text() != want || failed != (want == "") {
			t.Errorf("%s: got %q, failed %v; want %q", json, got.Text(), failed, want)
		}
	}
}

func TestLyticsTypeNamesAreSynonyms(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"float": "number", "time": "date", "datetime": "date", "ts[]string": "[]string", "[]timebucket": "[]time"} {
		got, ok := value.ParseType(name)
		if !ok || got.String() != want {
			t.Errorf("%s: got %v, %v; want %s", name, got, ok, want)
		}
	}
}
