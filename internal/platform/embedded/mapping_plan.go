package embedded

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// formatVersion is part of the fingerprint. Increment it when the encoding of states or
// the computation of values changes, so that all profiles are rebuilt.
const formatVersion = 3

// mappedField is a field that a mapping feeds. A profile refers to it by its
// index in mappingPlan.fields.
type mappedField struct {
	jobs.Field
	rule merge.Rule
}

// mappingPlan holds the compiled fields and mappings.
type mappingPlan struct {
	fingerprint string
	fields      []mappedField
	streams     []*streamMappings
	// placeholders are the values that identify nobody.
	placeholders placeholders
}

// streamMappings are the compiled mappings of one stream.
type streamMappings struct {
	name string
	// definitions are the mappings, in the order of their fields.
	definitions []definedMapping
	// indexes maps a column's name to the index of its value in row.
	indexes map[string]int
	row     []value.Value
	// seen marks the columns of row that the current event has.
	seen []bool
	// expected are the columns of the first event; see indexOf.
	expected []expectedColumn
	mappings []boundMapping
	// readsAll means that a mapping reads columns that it does not name.
	readsAll bool
	// event is the memory for the current event.
	event expression.Event
}

// definedMapping is a parsed mapping. guard is nil if it has none.
type definedMapping struct {
	guard, expr *expression.Expression
	field       int
}

type boundMapping struct {
	guard *expression.Bound
	expr  expression.Bound
	field int
}

// contribution is one value of an event for one field.
type contribution struct {
	field int
	v     value.Value
}

// mappingPlan loads the definitions in one snapshot of the store.
func (p *Platform) mappingPlan(ctx context.Context) (pl *mappingPlan, err error) {
	err = p.db.Read().Snapshot(ctx, func(q store.Querier) (err error) {
		pl, err = loadMappingPlan(ctx, q)
		return err
	})
	return pl, err
}

func loadMappingPlan(ctx context.Context, q queryer) (*mappingPlan, error) {
	fields, err := listFields(ctx, q)
	if err != nil {
		return nil, err
	}
	mappings, err := listMappings(ctx, q, ``)
	if err != nil {
		return nil, err
	}
	fields = slices.DeleteFunc(fields, func(f jobs.Field) bool {
		return !slices.ContainsFunc(mappings, func(m jobs.Mapping) bool { return m.Field == f.ID })
	})
	pl := &mappingPlan{}
	if pl.fields, err = withRules(fields); err != nil {
		return nil, err
	}
	listed, err := storedPlaceholders(ctx, q)
	if err != nil {
		return nil, err
	}
	pl.placeholders = placeholders{}
	for _, text := range listed {
		pl.placeholders[text] = struct{}{}
	}
	pl.fingerprint, err = fingerprint(fields, mappings, listed)
	if err != nil {
		return nil, err
	}
	for _, m := range mappings {
		if err := pl.add(m); err != nil {
			return nil, err
		}
	}
	for i, s := range pl.streams {
		slices.SortStableFunc(s.definitions, func(a, b definedMapping) int { return a.field - b.field })
		pl.streams[i] = s.bound()
	}
	return pl, nil
}

func withRules(fields []jobs.Field) ([]mappedField, error) {
	out := make([]mappedField, len(fields))
	for i, f := range fields {
		rule, err := platform.FieldRule(f)
		if err != nil {
			return nil, err
		}
		out[i] = mappedField{f, rule}
	}
	return out, nil
}

// fingerprint is a hash of the definitions that determine the content of profiles.
// When it changes, the profiles must be rebuilt. It does not depend on descriptions,
// on IsPII, or on the ids of mappings.
func fingerprint(fields []jobs.Field, mappings []jobs.Mapping, placeholders []string) (string, error) {
	fields, mappings = slices.Clone(fields), slices.Clone(mappings)
	for i := range fields {
		fields[i].Description, fields[i].IsPII = "", false
	}
	for i := range mappings {
		mappings[i].ID = ""
	}
	decisive := []any{formatVersion, fields, mappings}
	if len(placeholders) > 0 {
		decisive = append(decisive, placeholders)
	}
	text, err := json.Marshal(decisive)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

func (pl *mappingPlan) add(m jobs.Mapping) error {
	field := slices.IndexFunc(pl.fields, func(f mappedField) bool { return f.ID == m.Field })
	if field < 0 {
		return fmt.Errorf("mapping %s feeds field %q, which does not exist", m.ID, m.Field)
	}
	i := slices.IndexFunc(pl.streams, func(s *streamMappings) bool { return s.name == m.Stream })
	if i < 0 {
		pl.streams = append(pl.streams, &streamMappings{name: m.Stream})
		i = len(pl.streams) - 1
	}
	e, err := platform.ParseMappingExpression(m.Expression)
	if err != nil {
		return err
	}
	defined := definedMapping{expr: e, field: field}
	if strings.TrimSpace(m.GuardExpression) != "" {
		if defined.guard, err = platform.ParseGuardExpression(m.GuardExpression); err != nil {
			return err
		}
	}
	pl.streams[i].definitions = append(pl.streams[i].definitions, defined)
	return nil
}

// bound returns a copy of the mappings that is bound to memory of its own, so that
// several goroutines can evaluate events.
func (s *streamMappings) bound() *streamMappings {
	out := &streamMappings{name: s.name, definitions: s.definitions, indexes: map[string]int{}}
	for _, d := range s.definitions {
		m := boundMapping{expr: d.expr.Bind(out.index), field: d.field}
		out.readsAll = out.readsAll || d.expr.ReadsAllColumns()
		if d.guard != nil {
			guard := d.guard.Bind(out.index)
			m.guard = &guard
			out.readsAll = out.readsAll || d.guard.ReadsAllColumns()
		}
		out.mappings = append(out.mappings, m)
	}
	return out
}

// index returns the index of a column's value in row.
func (s *streamMappings) index(column string) int {
	i, ok := s.indexes[column]
	if !ok {
		i = len(s.indexes)
		s.indexes[column] = i
		s.row, s.seen = append(s.row, value.Value{}), append(s.seen, false)
	}
	return i
}

// evaluate appends the contributions of an event to out, in the order of their fields. micros is the event's time in
// microseconds. failed is the number of values that cannot be converted to the type of
// their field.
func (s *streamMappings) evaluate(
	data string, micros int64, fields []mappedField, out []contribution,
) (contributions []contribution, failed int64) {
	s.readRow(data)
	e := &s.event
	e.Row, e.Now = s.row, time.UnixMicro(micros).UTC()
	if s.readsAll {
		e.All = func(yield func(name string, v value.Value) bool) {
			gjson.Parse(data).ForEach(func(k, v gjson.Result) bool { return yield(k.Str, value.FromJSON(v)) })
		}
	}
	for i := range s.mappings {
		m := &s.mappings[i]
		if m.guard != nil && !m.guard.Passes(e) {
			continue
		}
		v, bad := fields[m.field].rule.Prepare(m.expr.Eval(e))
		if bad {
			failed++
		}
		if !v.IsNull() {
			out = append(out, contribution{m.field, v})
		}
	}
	return out, failed
}
