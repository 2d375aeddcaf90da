package value_test

import (
	"encoding/json"
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
			read := r.Value()
			if r.Err() != nil {
				return
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
