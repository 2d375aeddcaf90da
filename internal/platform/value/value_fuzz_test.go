package value_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The binary form of a stored value is read without a panic, whatever the bytes are. What
// is read is written and read again as the same value.
func FuzzReader(f *testing.F) {
	for _, v := range []string{"null", "true", "-5", "123456789012345678901234567890.5", `"é"`, `[1,"x",null]`, `{"b":{"c":[1.25]},"a":"x"}`} {
		f.Add(value.FromJSON(gjson.Parse(v)).AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, form []byte) {
		r := value.NewReader(form)
		for !r.Done() {
			left := r.Left()
			read := r.Value()
			if r.Err() != nil {
				return
			}
			direct := value.NewReader(form[len(form)-left:])
			text, null := direct.AppendText([]byte("-"))
			if string(text) != "-"+read.Text() || null != read.IsNull() || direct.Err() != nil || direct.Left() != r.Left() {
				t.Errorf("AppendText gave %q, %t and the error %v, want %q", text, null, direct.Err(), read.Text())
			}
			again := value.NewReader(read.AppendBinary(nil))
			if got := again.Value(); again.Err() != nil || value.Compare(got, read) != 0 {
				t.Errorf("got %q and the error %v, want %q", got.Text(), again.Err(), read.Text())
			}
		}
	})
}

// A JSON text becomes a value whose JSON is valid, and which is the same value when it is
// read again.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{`null`, `{"a":[1,2.50,-0,1e400],"b":"\u0000\ud800"}`, `[[[[]]]]`, `{"a":1,"a":2}`, `"\""`, `1e-7`, `-9223372036854775808`, `{`, `tru`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v := value.FromJSON(gjson.Parse(text))
		form := v.AppendJSON(nil)
		if len(form) > 0 && !json.Valid(form) {
			t.Fatalf("got the invalid JSON %q of %q", form, text)
		}
		if !json.Valid([]byte(text)) || !utf8.ValidString(text) || v.IsNull() {
			return
		}
		if got := value.FromJSON(gjson.ParseBytes(form)); value.Compare(got, v) != 0 {
			t.Errorf("got %q after %q, want the same value", got.Text(), v.Text())
		}
	})
}

// The fast parsers of numbers and times give the answers of the general ones, down to
// the stored form.
func FuzzFastParsers(f *testing.F) {
	for _, text := range []string{
		"12.50", "-0.0", "-0.250", "007.10", "1.", ".5", "-.5", "1..2", "1.2.3", "+1.5", "123456789012345678.9", "12345678901234567.8", "1.5e3", "0.000000000000000001", "--1.0",
		"2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "0000-01-01", "0001-01-01", "9999-12-31T23:59:59.999999999Z", "1969-12-31T23:59:59.9999999Z",
		"2024-01-02 03:04:05", "2024-01-02T03:04:05.1", "2024-01-02T03:04:05.1234567891Z", "2024-01-02T03:04:05,5Z", "2024-01-02T24:00:00Z", "2024-01-02T03:04:60Z",
		"2024-01-02T03:04:05.Z", "2024-01-02T03:04:05z", "2024-01-02t03:04:05Z", "2024-01-02T03:04:05+01", "2024-13-01", "2024-00-10", "2024-01-00", "2024-1-01",
		"2024-01-02T03:04:05.12 Z", "2024-01-02T03:04:05 ", "2024-01-02 03:04", "2024-01-02T03:04:05ZZ",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for what, parsers := range map[string][2]func(string) (value.Value, bool){
			"number": {value.ParseNumber, value.ParseAnyNumber}, "time": {value.ParseTime, value.ParseAnyTime},
		} {
			got, ok := parsers[0](text)
			want, known := parsers[1](text)
			// An integer has a form of its own, which compares as equal.
			if ok != known || value.Compare(got, want) != 0 || got.Text() != want.Text() {
				t.Errorf("%q as a %s: got %s %t, want %s %t", text, what, got.Text(), ok, want.Text(), known)
			}
			if strings.Contains(text, ".") && !bytes.Equal(got.AppendBinary(nil), want.AppendBinary(nil)) {
				t.Errorf("%q as a %s is stored as %x, want %x", text, what, got.AppendBinary(nil), want.AppendBinary(nil))
			}
		}
	})
}
