package filterql_test

import (
	"testing"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Lytics documents these functions, but its open engine does not have them, so there
// are no golden answers for them.
func TestDocumentedFunctionsOfFilters(t *testing.T) {
	t.Parallel()
	types := map[string]value.Type{}
	fields := map[string]value.Value{}
	for name, f := range map[string][2]string{
		"visits": {"[]timebucket", `["2024-06-24T12:00:01Z","2024-06-25T00:00:00Z","2024-06-26T00:00:00Z","2024-06-27T00:00:00Z","2024-06-30T12:00:00Z","2024-06-30T12:00:01Z","2024-06-01T00:00:00Z"]`},
		"home":   {"geolocation", `{"lat": 47.3769, "lon": 8.5417}`},
		"tags":   {"ts[]string", `["a","b"]`},
	} {
		typ, ok := value.ParseType(f[0])
		if !ok {
			t.Fatalf("there is no type %s", f[0])
		}
		types[name], fields[name] = typ, value.FromJSON(gjson.Parse(f[1]))
	}
	for text, want := range map[string][2]bool{
		"timewindow(visits, 5, 7)":                {true, true},
		"timewindow(visits, 10, 7)":               {false, true},
		"timewindow(visits, 10, 30)":              {false, true},
		"timewindow(visits, 1, 30)":               {true, true},
		"timewindow(none, 1, 7)":                  {false, false},
		"NOT timewindow(none, 1, 7)":              {false, false},
		`geodistance(home, "46.9480,7.4474", 96)`: {true, true},
		`geodistance(home, "46.9480,7.4474", 94)`: {false, true},
		`geodistance(none, "46.9480,7.4474", 94)`: {false, false},
		"match_all":                           {true, true},
		"set(tags, \"c\") INTERSECTS (\"c\")": {true, true},
		"\"b\" IN valuect(tags)":              {true, true},
	} {
		f, err := filterql.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		matches, known, err := f.Evaluate(fields, types, now, nil)
		if err != nil || matches != want[0] || known != want[1] {
			t.Errorf("%s: got %v, known %v, %v; want %v, known %v", text, matches, known, err, want[0], want[1])
		}
	}
	for _, text := range []string{"timewindow(visits, 2, 7)", "timewindow(visits, 5, 8)", "timewindow(visits)", `geodistance(home, "here", 5)`, `geodistance(home, "1,2", -5)`} {
		if _, err := filterql.Parse(text); err == nil {
			t.Errorf("%s: got no error", text)
		}
	}
}
