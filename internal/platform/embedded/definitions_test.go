package embedded_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// wantError checks the code, the attribute, a part of the text, and that there is a
// next step.
func wantError(t checker, what string, err error, code jobs.Code, attribute, says string) {
	t.Helper()
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != code || e.Attribute != attribute || !strings.Contains(e.Error(), says) || e.Next == "" {
		t.Errorf("%s: %v; want %s of %q with %q and a next step", what, err, code, attribute, says)
	}
}

func TestFieldsAreDefinedOnce(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		f, err := b.CreateField(ctx, jobs.Field{ID: "tags", Type: "[]string", Description: "d", IsPII: true, Capacity: 5, KeepDays: 7})
		if err != nil || f.MergeOperation != "merge" {
			t.Fatalf("%+v, %v", f, err)
		}
		_, err = b.CreateField(ctx, f)
		wantError(t, "the same again", err, jobs.CodeConflict, "id", "import {")
		if got, err := b.Field(ctx, "tags"); err != nil || got != f {
			t.Errorf("read: %+v, %v", got, err)
		}
		other := f
		other.Capacity = 6
		_, err = b.CreateField(ctx, other)
		wantError(t, "another definition", err, jobs.CodeConflict, "id", "import {")
		_, err = b.CreateField(ctx, jobs.Field{ID: "Tags", Type: "int"})
		wantError(t, "another case", err, jobs.CodeConflict, "id", "case")
		_, err = b.CreateField(ctx, jobs.Field{ID: "x", Type: "bool", MergeOperation: "sum"})
		wantError(t, "a merge operation that does not fit the type", err, jobs.CodeInvalid, "merge_operation", "sum")
		if got, err := b.PutField(ctx, other); err != nil || got != other {
			t.Errorf("changed: %+v, %v", got, err)
		}
		_, err = b.PutField(ctx, jobs.Field{ID: "TAGS", Type: "[]string"})
		wantError(t, "change of an unknown field", err, jobs.CodeNotFound, "", "TAGS")
		_, err = b.Field(ctx, "TAGS")
		wantError(t, "read of an unknown field", err, jobs.CodeNotFound, "", "TAGS")
		for range 2 {
			if err := b.DeleteField(ctx, "tags"); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		_, err = b.Field(ctx, "tags")
		wantError(t, "read after delete", err, jobs.CodeNotFound, "", "tags")
	})
}

func TestMappingsAreDefinedOnce(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		b.mustField(t, jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
		m := b.mustMap(t, "orders", "spend", "price", "paid")
		_, err := b.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price", GuardExpression: "paid"})
		wantError(t, "the same again", err, jobs.CodeConflict, "expression", m.ID)
		_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price * 2", GuardExpression: "paid"})
		wantError(t, "another expression", err, jobs.CodeConflict, "expression", m.ID)
		refund := b.mustMap(t, "orders", "spend", "0 - price", "refunded")
		_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "nothing", Expression: "price"})
		wantError(t, "an unknown field", err, jobs.CodeInvalid, "field", "does not exist")
		_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "trim(price)"})
		wantError(t, "text for a number", err, jobs.CodeInvalid, "expression", "tonumber")
		_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price +"})
		wantError(t, "a syntax error", err, jobs.CodeInvalid, "expression", "column 8")
		_, err = b.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price", GuardExpression: "toint(x)"})
		wantError(t, "a guard that is not boolean", err, jobs.CodeInvalid, "guard_expression", "true or false")
		refund.GuardExpression = "paid"
		_, err = b.PutMapping(ctx, refund)
		wantError(t, "change to the key of another mapping", err, jobs.CodeConflict, "expression", m.ID)
		refund.GuardExpression, refund.Stream = "refunded", "refunds"
		if got, err := b.PutMapping(ctx, refund); err != nil || got != refund {
			t.Errorf("changed: %+v, %v", got, err)
		}
		if got, err := b.Mapping(ctx, refund.ID); err != nil || got != refund {
			t.Errorf("read: %+v, %v", got, err)
		}
		_, err = b.PutField(ctx, jobs.Field{ID: "spend", Type: "[]time"})
		wantError(t, "a type that does not fit the mapping", err, jobs.CodeInvalid, "type", refund.ID)
		err = b.DeleteField(ctx, "spend")
		wantError(t, "delete of a fed field", err, jobs.CodeInUse, "", m.ID)
		for range 2 {
			if err := errors.Join(b.DeleteMapping(ctx, m.ID), b.DeleteMapping(ctx, refund.ID)); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		if err := b.DeleteField(ctx, "spend"); err != nil {
			t.Errorf("delete: %v", err)
		}
		refund.Field = "spend"
		_, err = b.PutMapping(ctx, refund)
		wantError(t, "change for a deleted field", err, jobs.CodeInvalid, "field", "spend")
	})
}

func TestAudiencesAreDefinedOnce(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		ctx := t.Context()
		b := t.open()
		b.mustField(t, jobs.Field{ID: "age", Type: "int"})
		a := b.mustAudience(t, "Best customers!", "age > 5")
		if a.Slug != "best_customers" || a.ID == "" {
			t.Errorf("made %+v", a)
		}
		_, err := b.CreateAudience(ctx, jobs.Audience{Name: "Best customers!", Filter: "age > 5"})
		wantError(t, "the same again", err, jobs.CodeConflict, "slug", a.ID)
		_, err = b.CreateAudience(ctx, jobs.Audience{Name: "Best customers!", Filter: "age > 6"})
		wantError(t, "another filter", err, jobs.CodeConflict, "slug", a.ID)
		for _, key := range []string{a.ID, a.Slug} {
			if got, err := b.Audience(ctx, key); err != nil || got != a {
				t.Errorf("read by %s: %+v, %v", key, got, err)
			}
		}
		_, err = b.CreateAudience(ctx, jobs.Audience{Name: "x", Filter: "age >"})
		wantError(t, "a syntax error", err, jobs.CodeInvalid, "filter", "column 6")
		_, err = b.CreateAudience(ctx, jobs.Audience{Name: "x", Filter: `age > "old"`})
		wantError(t, "text for a number", err, jobs.CodeInvalid, "filter", "not a number")
		_, err = b.CreateAudience(ctx, jobs.Audience{Name: "x", Filter: `INCLUDE missing`})
		wantError(t, "an unknown audience", err, jobs.CodeInvalid, "filter", "missing")
		_, err = b.CreateAudience(ctx, jobs.Audience{Name: "x", Filter: `* FROM content`})
		wantError(t, "another table", err, jobs.CodeInvalid, "filter", "FROM user")
		// A field that is created after the audience.
		b.mustAudience(t, "Later", `city = "Rome"`)

		includer := b.mustAudience(t, "Includer", "INCLUDE best_customers")
		_, err = b.PutAudience(ctx, jobs.Audience{ID: a.ID, Name: a.Name, Filter: "INCLUDE includer"})
		wantError(t, "a cycle of two audiences", err, jobs.CodeInvalid, "filter", "includer")
		_, err = b.PutAudience(ctx, jobs.Audience{ID: a.ID, Name: a.Name, Filter: "NOT INCLUDE " + a.Slug})
		wantError(t, "a cycle of one audience", err, jobs.CodeInvalid, "filter", "include one another")
		_, err = b.PutAudience(ctx, jobs.Audience{ID: a.ID, Name: "Renamed", Filter: a.Filter})
		wantError(t, "a slug that is used", err, jobs.CodeInUse, "slug", "includer")
		err = b.DeleteAudience(ctx, a.ID)
		wantError(t, "delete of an included audience", err, jobs.CodeInUse, "slug", "includer")
		_, err = b.PutAudience(ctx, jobs.Audience{ID: includer.ID, Name: "I", Slug: a.Slug, Filter: "*"})
		wantError(t, "a slug that is taken", err, jobs.CodeConflict, "slug", a.ID)
		changed := jobs.Audience{ID: includer.ID, Name: "I", Slug: "i", Description: "d", Filter: "*"}
		if got, err := b.PutAudience(ctx, changed); err != nil || got != changed {
			t.Errorf("changed: %+v, %v", got, err)
		}
		_, err = b.PutAudience(ctx, jobs.Audience{ID: "aud_none", Name: "I", Filter: "*"})
		wantError(t, "change of an unknown audience", err, jobs.CodeNotFound, "", "aud_none")
		list, err := b.Audiences(ctx)
		if slugs := names(list); err != nil || !slices.Equal(slugs, []string{"best_customers", "i", "later"}) {
			t.Errorf("listed %v, %v", slugs, err)
		}
		for range 2 {
			if err := b.DeleteAudience(ctx, a.ID); err != nil {
				t.Errorf("delete: %v", err)
			}
		}
		_, err = b.Audience(ctx, a.ID)
		wantError(t, "read after delete", err, jobs.CodeNotFound, "", a.ID)
	})
}

func names(list []jobs.Audience) (slugs []string) {
	for _, a := range list {
		slugs = append(slugs, a.Slug)
	}
	return slugs
}
