package embedded

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// The columns of an event are those that gjson reads, whatever was read before.
func FuzzColumns(f *testing.F) {
	for _, data := range []string{
		`{}`, `{"a":1}`, ` { "a" : -1.50 , "b" : [1,{"x":"}"}] , "c" : { } } `, `{"b":"\"","a":"x\\","c":"\u00e9\n"}`, `{"\u0061":1,"a":2}`,
		`{"a":true,"b":false,"c":null}`, `{"a":1,"a":2,"b":{"a":3}}`, `{"other":{"a":[1,"]"]},"c":1e400,"b":-0,"a":""}`, `{"a":[[],{}],"b":"{","c":"],:"}`,
		`{"a":12345678901234567890,"b":1.25E-3,"c":"Köln"}`, `[]`, `{"a":`, `{"a":tru}`, `{"a" 1}`, `{"a":1,}`, `{"a":"`, "{\"a\":\"\\", `{"a":1]`, `{"a":}`,
	} {
		f.Add(data)
	}
	columns := []string{"a", "b", "c"}
	s := &streamMappings{indexes: map[string]int{}}
	for _, name := range columns {
		s.index(name)
	}
	s.readRow(`{"c":1,"x":2,"a":3,"y":4,"b":5}`)
	f.Fuzz(func(t *testing.T, data string) {
		if !gjson.Valid(data) || gjson.Parse(data).Type != gjson.JSON || data[0] != '{' {
			s.readRow(data) // without a panic
			return
		}
		want := make([]value.Value, len(columns))
		seen := map[string]bool{}
		gjson.Parse(data).ForEach(func(k, v gjson.Result) bool {
			if i, ok := s.indexes[k.Str]; ok && !seen[k.Str] {
				want[i], seen[k.Str] = value.FromJSON(v), true
			}
			return true
		})
		s.readRow(data)
		for i, name := range columns {
			if got := s.row[i]; value.Compare(got, want[i]) != 0 || got.IsAbsent() != want[i].IsAbsent() {
				t.Errorf("column %s of %q: got %s %q, want %s %q", name, data, got.Kind(), got.Text(), want[i].Kind(), want[i].Text())
			}
		}
	})
}
