package platform_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform"
)

func wantInvalid(t *testing.T, what string, err error, attribute, says string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != jobs.CodeInvalid || e.Attribute != attribute || !strings.Contains(e.Error(), says) || e.Next == "" {
		t.Errorf("%s: %v, want an error of %s with %q and a next step", what, err, attribute, says)
	}
}

func TestInvalidFieldsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f               jobs.Field
		attribute, says string
	}{
		{jobs.Field{ID: "", Type: "int"}, "id", "column"},
		{jobs.Field{ID: "9lives", Type: "int"}, "id", "column"},
		{jobs.Field{ID: "a b", Type: "int"}, "id", "column"},
		{jobs.Field{ID: "a", Type: "integer"}, "type", "map[string]time"},
		{jobs.Field{ID: "a", Type: "string", MergeOperation: "sum"}, "merge_operation", "latest"},
		{jobs.Field{ID: "a", Type: "int", MergeOperation: "sum", Capacity: 5}, "capacity", "collections"},
		{jobs.Field{ID: "a", Type: "int", MergeOperation: "sum", KeepDays: 5}, "keep_days", "expire"},
		{jobs.Field{ID: "a", Type: "date", IsIdentifier: true}, "is_identifier", "date"},
		{jobs.Field{ID: "a", Type: "map[string]string", IsIdentifier: true}, "is_identifier", "map"},
		{jobs.Field{ID: "a", Type: "int", IsIdentifier: true, MergeOperation: "max"}, "merge_operation", "no event has"},
	} {
		wantInvalid(t, c.f.ID+" "+c.f.Type, platform.ValidateField(c.f), c.attribute, c.says)
	}
	for _, f := range []jobs.Field{
		{ID: "email", Type: "string", IsIdentifier: true},
		{ID: "emails", Type: "[]string", IsIdentifier: true, MergeOperation: "merge", Capacity: 10},
		{ID: "spend", Type: "number", MergeOperation: "sum"},
		{ID: "seen", Type: "date", MergeOperation: "max"},
	} {
		if err := platform.ValidateField(f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	if got := platform.NormalizeField(jobs.Field{ID: "a", Type: "[]string"}).MergeOperation; got != "merge" {
		t.Errorf("default merge operation of a set: got %q, want merge", got)
	}
}

func TestInvalidMappingsAreRefused(t *testing.T) {
	t.Parallel()
	good := jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price", GuardExpression: "price > 0"}
	if err := platform.ValidateMapping(good); err != nil {
		t.Errorf("%+v: %v", good, err)
	}
	for _, c := range []struct {
		change          func(*jobs.Mapping)
		attribute, says string
	}{
		{func(m *jobs.Mapping) { m.Stream = "" }, "stream", "255"},
		{func(m *jobs.Mapping) { m.Stream = "a\nb" }, "stream", "control"},
		{func(m *jobs.Mapping) { m.Field = "no field" }, "field", "no field"},
		{func(m *jobs.Mapping) { m.Expression = "" }, "expression", "empty"},
		{func(m *jobs.Mapping) { m.Expression = "emial(x)" }, "expression", "\n    emial(x)\n    ^"},
		{func(m *jobs.Mapping) { m.Expression = "a +" }, "expression", "\n    a +\n       ^"},
		{func(m *jobs.Mapping) { m.GuardExpression = "toint(x)" }, "guard_expression", "true or false"},
	} {
		m := good
		c.change(&m)
		wantInvalid(t, m.Expression, platform.ValidateMapping(m), c.attribute, c.says)
	}
}

func TestExpressionsAreTypedAgainstTheField(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, op, expression string
		good                bool
	}{
		{"int", "sum", "price", true},
		{"int", "sum", "toint(price)", true},
		{"int", "sum", "tolower(price)", false},
		{"int", "count", "tolower(price)", true},
		{"string", "latest", "set(a, b)", false},
		{"string", "latest", "toint(a)", true},
		{"[]string", "merge", "set(a, b)", true},
		{"[]string", "merge", "email(a)", true},
		{"[]string", "merge", "map(a, b)", false},
		{"map[string]int", "sum", "valuect(a)", true},
		{"map[string]int", "sum", "toint(a)", false},
		{"date", "max", "todate(a)", true},
		{"date", "max", "'2024-01-01'", false},
		{"bool", "latest", "a > 5", true},
		{"bool", "latest", "trim(a)", false},
	} {
		f := jobs.Field{ID: "f", Type: c.typ, MergeOperation: c.op}
		err := platform.ValidateExpressionType(c.expression, f)
		if c.good && err != nil {
			t.Errorf("%s into %s: %v", c.expression, c.typ, err)
		} else if !c.good {
			wantInvalid(t, c.expression+" into "+c.typ, err, "expression", c.typ)
		}
	}
}

func TestInvalidAudiencesAreRefused(t *testing.T) {
	t.Parallel()
	wantInvalid(t, "no name", platform.ValidateAudience(jobs.Audience{Name: " ", Filter: "*"}), "name", "empty")
	wantInvalid(t, "no slug", platform.ValidateAudience(jobs.Audience{Name: "!!!", Filter: "*"}), "slug", "table")
	wantInvalid(t, "bad slug", platform.ValidateAudience(jobs.Audience{Name: "A", Slug: "A b", Filter: "*"}), "slug", "table")
	wantInvalid(t, "bad filter", platform.ValidateAudience(jobs.Audience{Name: "A", Filter: "age >"}), "filter", "column 6")
	if err := platform.ValidateAudience(jobs.Audience{Name: "A", Filter: "age > 5"}); err != nil {
		t.Error(err)
	}
}

func TestSlugs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Best customers": "best_customers", "  High -- Value! ": "high_value", "Köln 2024": "köln_2024", "日本": "日本", "!!!": "", "a_b": "a_b",
	} {
		if got := platform.Slug(name); got != want {
			t.Errorf("%q has the slug %q, want %q", name, got, want)
		}
	}
}
