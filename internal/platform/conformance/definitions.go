package conformance

import (
	"context"
	"slices"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

var definitions = []test{
	{"fields are defined once", func(t *platformTest) {
		ctx := t.Context()
		want := jobs.Field{
			ID:             "tags",
			Description:    "interests of the user",
			Type:           "[]string",
			MergeOperation: "merge",
			Capacity:       50,
			KeepDays:       90,
			IsPII:          true,
		}
		made, err := t.CreateField(ctx, want)
		same(t, "created", made, err, want)
		// checklist 67: also the same definition is not adopted.
		_, err = t.CreateField(ctx, want)
		t.refused("the same again", err, jobs.CodeConflict, "id", "to = lytics_field.NAME\n    id = \"tags\"")
		read, err := t.Field(ctx, "tags")
		same(t, "read", read, err, want)
		other := want
		other.Capacity = 51
		_, err = t.CreateField(ctx, other)
		t.refused("another definition", err, jobs.CodeConflict, "id", "tags")
		_, err = t.CreateField(ctx, jobs.Field{ID: "TAGS", Type: "int"})
		t.refused("another case", err, jobs.CodeConflict, "id", "case")
		put, err := t.PutField(ctx, other)
		same(t, "changed", put, err, other)
		read, err = t.Field(ctx, "tags")
		same(t, "read after the change", read, err, other)
		t.field(jobs.Field{ID: "age", Type: "int"})
		list, err := t.Fields(ctx)
		t.check("list", err)
		if !slices.Equal(list, []jobs.Field{{ID: "age", Type: "int", MergeOperation: "latest"}, other}) {
			t.Errorf("listed %+v", list)
		}
	}},
	{"fields of every type are read back", func(t *platformTest) {
		for id, typ := range map[string]string{
			"s": "string", "b": "bool", "i": "int", "n": "number", "d": "date", "ss": "[]string", "st": "[]time", "mi": "map[string]int", "mn": "map[string]number",
			"ms": "map[string]string", "mt": "map[string]time", "mb": "map[string]bool", "mv": "map[string]value",
		} {
			made := t.field(jobs.Field{ID: id, Type: typ})
			read, err := t.Field(t.Context(), id)
			same(t, typ, read, err, made)
		}
	}},
	{"invalid fields are refused", func(t *platformTest) {
		for _, put := range []func(context.Context, jobs.Field) (jobs.Field, error){t.CreateField, t.PutField} {
			for attribute, f := range map[string]jobs.Field{
				"id": {ID: "a b", Type: "int"}, "type": {ID: "a", Type: "integer"}, "merge_operation": {ID: "a", Type: "string", MergeOperation: "sum"},
				"capacity": {ID: "a", Type: "int", Capacity: 3}, "is_identifier": {ID: "a", Type: "date", IsIdentifier: true},
			} {
				_, err := put(t.Context(), f)
				t.refused(attribute, err, jobs.CodeInvalid, attribute, "")
			}
		}
	}},
	{"unknown objects are not found", func(t *platformTest) {
		ctx := t.Context()
		_, err := t.Field(ctx, "none")
		t.refused("field", err, jobs.CodeNotFound, "", "none")
		_, err = t.PutField(ctx, jobs.Field{ID: "none", Type: "int"})
		t.refused("changed field", err, jobs.CodeNotFound, "", "none")
		_, err = t.Mapping(ctx, "none")
		t.refused("mapping", err, jobs.CodeNotFound, "", "none")
		_, err = t.Audience(ctx, "none")
		t.refused("audience", err, jobs.CodeNotFound, "", "none")
		_, err = t.PutAudience(ctx, jobs.Audience{ID: "none", Name: "I", Filter: "*"})
		t.refused("changed audience", err, jobs.CodeNotFound, "", "none")
		_, _, err = t.Scan(ctx, "none", nil)
		t.refused("scanned audience", err, jobs.CodeNotFound, "", "none")
		_, err = t.AudienceSize(ctx, "none")
		t.refused("counted audience", err, jobs.CodeNotFound, "", "none")
		_, err = t.StreamInfo(ctx, "none")
		t.refused("stream", err, jobs.CodeNotFound, "", "none")
		t.check("delete a field", t.DeleteField(ctx, "none"))
		t.check("delete a mapping", t.DeleteMapping(ctx, "none"))
		t.check("delete an audience", t.DeleteAudience(ctx, "none"))
		t.field(jobs.Field{ID: "a", Type: "int"})
		_, err = t.PutMapping(ctx, jobs.Mapping{ID: "none", Stream: "s", Field: "a", Expression: "a"})
		t.refused("changed mapping", err, jobs.CodeNotFound, "", "none")
	}},
	{"names are escaped", func(t *platformTest) {
		for _, id := range []string{"a/b", "../field", "a?b=c", "a b", "ü", "%2f", "."} {
			_, err := t.Field(t.Context(), id)
			t.refused("field "+id, err, jobs.CodeNotFound, "", id)
			_, err = t.Audience(t.Context(), id)
			t.refused("audience "+id, err, jobs.CodeNotFound, "", id)
		}
	}},
	{"mappings are defined once", func(t *platformTest) {
		ctx := t.Context()
		t.field(jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
		m := t.mapping("orders", "spend", "price", "paid")
		_, err := t.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price", GuardExpression: "paid"})
		t.refused("the same again", err, jobs.CodeConflict, "expression", "to = lytics_mapping.NAME\n    id = \""+m.ID+"\"")
		_, err = t.CreateMapping(ctx, jobs.Mapping{Stream: "orders", Field: "spend", Expression: "price * 2", GuardExpression: "paid"})
		t.refused("another expression", err, jobs.CodeConflict, "expression", m.ID)
		refund := t.mapping("orders", "spend", "0 - price", "refunded")
		refund.GuardExpression = "paid"
		_, err = t.PutMapping(ctx, refund)
		t.refused("change to the key of another mapping", err, jobs.CodeConflict, "expression", m.ID)
		refund.GuardExpression, refund.Expression = "refunded", "0 - price * 2"
		put, err := t.PutMapping(ctx, refund)
		same(t, "changed", put, err, refund)
		read, err := t.Mapping(ctx, refund.ID)
		same(t, "read", read, err, refund)
		list, err := t.Mappings(ctx)
		t.check("list", err)
		if !slices.Equal(list, []jobs.Mapping{m, refund}) {
			t.Errorf("listed %+v", list)
		}
		t.check("delete", t.DeleteMapping(ctx, m.ID))
		_, err = t.Mapping(ctx, m.ID)
		t.refused("read after delete", err, jobs.CodeNotFound, "", m.ID)
	}},
	{"invalid mappings are refused", func(t *platformTest) {
		t.field(jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
		for attribute, m := range map[string]jobs.Mapping{
			"stream": {Stream: "a\nb", Field: "spend", Expression: "x"}, "field": {Stream: "s", Field: "nothing", Expression: "x"},
			"expression": {Stream: "s", Field: "spend", Expression: "trim(x)"}, "guard_expression": {Stream: "s", Field: "spend", Expression: "x", GuardExpression: "toint(x)"},
		} {
			_, err := t.CreateMapping(t.Context(), m)
			t.refused(attribute, err, jobs.CodeInvalid, attribute, "")
		}
		_, err := t.CreateMapping(t.Context(), jobs.Mapping{Stream: "s", Field: "spend", Expression: "price +"})
		t.refused("an incomplete expression", err, jobs.CodeInvalid, "expression", "column 8")
	}},
	{"fields with mappings cannot be deleted", func(t *platformTest) {
		ctx := t.Context()
		t.field(jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"})
		m := t.mapping("orders", "spend", "price", "")
		err := t.DeleteField(ctx, "spend")
		t.refused("delete", err, jobs.CodeInUse, "", m.ID)
		_, err = t.PutField(ctx, jobs.Field{ID: "spend", Type: "[]time"})
		t.check("a type that fits an untyped expression", err)
		m.Expression = "toint(price)"
		_, err = t.PutField(ctx, jobs.Field{ID: "spend", Type: "int"})
		t.check("the first type again", err)
		_, err = t.PutMapping(ctx, m)
		t.check("a typed expression", err)
		_, err = t.PutField(ctx, jobs.Field{ID: "spend", Type: "[]time"})
		t.refused("a type that does not fit the mapping", err, jobs.CodeInvalid, "type", m.ID)
		t.check("delete the mapping", t.DeleteMapping(ctx, m.ID))
		t.check("delete", t.DeleteField(ctx, "spend"))
		_, err = t.PutMapping(ctx, m)
		t.refused("change for a deleted field", err, jobs.CodeInvalid, "field", "spend")
	}},
	{"expressions and filters are read back as declared", func(t *platformTest) {
		ctx := t.Context()
		t.field(jobs.Field{ID: "age", Type: "int"})
		m := t.mapping("s", "age", "  toint(  age )", "age   >  0")
		read, err := t.Mapping(ctx, m.ID)
		same(t, "mapping", read, err, m)
		if m.Expression != "  toint(  age )" || m.GuardExpression != "age   >  0" {
			t.Errorf("created %+v", m)
		}
		for _, filter := range []string{"age > 5", "FILTER  AND (age > 5,\n " +
			" EXISTS age)", `FILTER age > 5 FROM user ALIAS other`, "FILTER *", "*"} {
			a := t.audience("A", filter)
			read, err := t.Audience(ctx, a.ID)
			same(t, "audience", read, err, a)
			if a.Filter != filter {
				t.Errorf("created %+v", a)
			}
			t.check("delete", t.DeleteAudience(ctx, a.ID))
		}
	}},
	{"audiences are defined once", func(t *platformTest) {
		ctx := t.Context()
		t.field(jobs.Field{ID: "age", Type: "int"})
		a := t.audience("Best customers!", "age > 5")
		if a.Slug != "best_customers" || a.ID == "" {
			t.Errorf("created %+v", a)
		}
		_, err := t.CreateAudience(ctx, jobs.Audience{Name: "Best customers!", Filter: "age > 5"})
		t.refused("the same again", err, jobs.CodeConflict, "slug", "to = lytics_audience.NAME\n    id = \""+a.ID+"\"")
		_, err = t.CreateAudience(ctx, jobs.Audience{Name: "Best customers!", Filter: "age > 6"})
		t.refused("another filter", err, jobs.CodeConflict, "slug", a.ID)
		for _, key := range []string{a.ID, a.Slug} {
			read, err := t.Audience(ctx, key)
			same(t, "read by "+key, read, err, a)
		}
		b := t.audience("Other", "*")
		_, err = t.PutAudience(ctx, jobs.Audience{ID: b.ID, Name: "I", Slug: a.Slug, Filter: "*"})
		t.refused("a slug that is taken", err, jobs.CodeConflict, "slug", a.ID)
		changed := jobs.Audience{ID: b.ID, Name: "I", Slug: "i", Description: "d", Filter: "age < 3"}
		put, err := t.PutAudience(ctx, changed)
		same(t, "changed", put, err, changed)
		read, err := t.Audience(ctx, "i")
		same(t, "read", read, err, changed)
		_, err = t.Audience(ctx, "other")
		t.refused("the previous slug", err, jobs.CodeNotFound, "", "other")
		list, err := t.Audiences(ctx)
		t.check("list", err)
		if !slices.Equal(list, []jobs.Audience{a, changed}) {
			t.Errorf("listed %+v", list)
		}
		t.check("delete", t.DeleteAudience(ctx, a.ID))
		_, err = t.Audience(ctx, a.ID)
		t.refused("read after delete", err, jobs.CodeNotFound, "", a.ID)
	}},
	{"invalid audiences are refused", func(t *platformTest) {
		t.field(jobs.Field{ID: "age", Type: "int"})
		for _, c := range []struct{ name, slug, filter, attribute, says string }{
			{" ", "", "*", "name", ""},
			{"x", "A B", "*", "slug", ""},
			// A platform that reads the filter with the word FILTER counts other columns.
			{"x", "", "age >", "filter", "column "},
			{"x", "", `age > "old"`, "filter", "not a number"},
			{"x", "", "INCLUDE missing", "filter", "missing"},
			{"x", "", "INCLUDE x", "filter", "x"},
		} {
			_, err := t.CreateAudience(t.Context(), jobs.Audience{Name: c.name, Slug: c.slug, Filter: c.filter})
			t.refused(c.filter, err, jobs.CodeInvalid, c.attribute, c.says)
		}
		t.audience("Of a field that is created later", `city = "Rome"`)
	}},
	{"included audiences cannot be deleted", func(t *platformTest) {
		ctx := t.Context()
		t.field(jobs.Field{ID: "age", Type: "int"})
		a := t.audience("A", "age > 5")
		b := t.audience("B", "INCLUDE a")
		c := t.audience("C", "NOT INCLUDE b")
		_, err := t.PutAudience(ctx, jobs.Audience{ID: a.ID, Name: a.Name, Filter: "INCLUDE c"})
		t.refused("a cycle of three audiences", err, jobs.CodeInvalid, "filter", "include one another")
		_, err = t.PutAudience(ctx, jobs.Audience{ID: a.ID, Name: a.Name, Filter: "NOT INCLUDE a"})
		t.refused("a cycle of one audience", err, jobs.CodeInvalid, "filter", "include one another")
		_, err = t.PutAudience(ctx, jobs.Audience{ID: a.ID, Name: "Renamed", Filter: a.Filter})
		t.refused("a slug that is used", err, jobs.CodeInUse, "slug", "b")
		err = t.DeleteAudience(ctx, a.ID)
		t.refused("delete", err, jobs.CodeInUse, "slug", "b")
		for _, id := range []string{c.ID, b.ID, a.ID} {
			t.check("delete", t.DeleteAudience(ctx, id))
		}
	}},
}
