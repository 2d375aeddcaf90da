package platform

import (
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// Mapper shows what the mappings of a stream make of single events. It is for people:
// a platform builds profiles of all events.
type Mapper struct {
	mappings []jobs.Mapping
	types    map[string]value.Type
}

// NewMapper returns the mapper of a stream.
func NewMapper(stream string, mappings []jobs.Mapping, fields []jobs.Field) *Mapper {
	m := &Mapper{types: map[string]value.Type{}}
	for _, f := range fields {
		if t, ok := value.ParseType(f.Type); ok {
			m.types[f.ID] = t
		}
	}
	m.mappings = slices.DeleteFunc(slices.Clone(mappings), func(x jobs.Mapping) bool { return x.Stream != stream })
	return m
}

// Map returns the values that an event, a JSON object, gives to fields, as texts. A
// mapping that these parsers cannot read, as a Lytics account may have, gives none, and
// neither does a value that does not fit its field.
func (m *Mapper) Map(event string, now time.Time) map[string]string {
	columns := map[string]value.Value{}
	gjson.Parse(event).ForEach(func(k, v gjson.Result) bool {
		columns[k.Str] = value.FromJSON(v)
		return true
	})
	out := map[string]string{}
	for _, x := range m.mappings {
		e, err := ParseMappingExpression(x.Expression)
		if err != nil {
			continue
		}
		if strings.TrimSpace(x.GuardExpression) != "" {
			guard, err := ParseGuardExpression(x.GuardExpression)
			if err != nil || !value.ToBool(guard.Evaluate(columns, now)).Bool() {
				continue
			}
		}
		v := e.Evaluate(columns, now)
		if t, ok := m.types[x.Field]; ok && !v.IsNull() {
			var failed bool
			if v, failed = t.Convert(v); failed {
				continue
			}
		}
		if !v.IsNull() {
			out[x.Field] = string(v.AppendText(nil))
		}
	}
	return out
}
