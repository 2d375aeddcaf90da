package lytics

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// samples are values that stand in for the columns of an event, as JSON. They
// mean nothing; they give an expression something to work on.
var samples = []string{
	`"1"`, `"ann@example.com"`, `"2026-01-31T12:00:00Z"`, `"https://www.example.com/a?b=1"`, `1`, `true`, `["a","b"]`,
	`{"a":1,"lat":47.4,"lon":8.5}`, `"{\"a\":1}"`,
}

// sampleTime is when sample events happened.
var sampleTime = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// sampleEvents gives an event for each sample, in which all columns have it.
func sampleEvents(columns []string) []map[string]any {
	var events []map[string]any
	for _, sample := range samples {
		event := map[string]any{}
		for _, c := range columns {
			event[c] = json.RawMessage(sample)
		}
		events = append(events, event)
		if len(columns) == 0 {
			break
		}
	}
	return events
}

// sampleFor gives a sample event for which an expression has a value by our
// reading, or any event if there is none.
func sampleFor(e *expression.Expression) (event map[string]any, hasValue bool) {
	events := sampleEvents(e.Columns())
	for i, event := range events {
		columns := map[string]value.Value{}
		for name := range event {
			columns[name] = value.FromJSON(gjson.Parse(samples[i]))
		}
		if !e.Evaluate(columns, sampleTime).IsNull() {
			return event, true
		}
	}
	return events[0], false
}

// nameInText matches the names in an expression that cannot be parsed.
var nameInText = regexp.MustCompile("`([^`]+)`|[A-Za-z_][\\w.]*")

// columnsOf lists what may be a column in an expression that cannot be parsed.
func columnsOf(text string) []string {
	names := map[string]bool{}
	for _, m := range nameInText.FindAllStringSubmatch(text, -1) {
		name := m[0]
		if m[1] != "" {
			name = m[1]
		}
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}
