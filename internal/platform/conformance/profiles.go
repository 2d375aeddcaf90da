package conformance

import (
	"maps"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// defineShop defines two identifiers, and one field for each merge operation.
func (t *platformTest) defineShop() {
	t.Helper()
	for _, f := range []jobs.Field{
		{ID: "email", Type: "string", IsIdentifier: true},
		{ID: "phone", Type: "[]string", IsIdentifier: true},
		{ID: "name", Type: "string"},
		{ID: "first_name", Type: "string", MergeOperation: "oldest"},
		{ID: "spend", Type: "number", MergeOperation: "sum"},
		{ID: "orders", Type: "int", MergeOperation: "count"},
		{ID: "biggest", Type: "number", MergeOperation: "max"},
		{ID: "smallest", Type: "number", MergeOperation: "min"},
		{ID: "seen", Type: "date", MergeOperation: "max"},
		{ID: "tags", Type: "[]string", MergeOperation: "merge"},
		{ID: "by_shop", Type: "map[string]number", MergeOperation: "mapmax"},
		{ID: "vip", Type: "bool"},
	} {
		t.field(f)
	}
	expressions := map[string]string{
		"email":      "email(email)",
		"phone":      "phone",
		"name":       "name",
		"first_name": "name",
		"spend":      "price",
		"orders":     "price",
		"biggest":    "price",
		"smallest":   "price",
		"seen":       "todate(at)",
		"tags":       "tags",
		"by_shop":    "map(shop, price)",
		"vip":        "price > 100",
	}
	for field, expression := range expressions {
		t.mapping("shop", field, expression, "")
	}
	t.audience("All", "*")
}

var profiles = []test{
	{"profiles are built by the mapping", func(t *platformTest) {
		t.defineShop()
		t.feed("shop",
			`{"email":"Ann@Example.com","name":"Ann","price":0.10,"shop":"a","tags":["x","y"],"at":"2024-01-01T00:00:00.000001Z"}`,
			`{"email":"bob@example.com","phone":["1","2"],"name":"Bob","price":9007199254740993,"shop":"a"}`,
			`{"email":"ann@example.com","name":"Anna","price":0.20,"shop":"b","tags":["z"],"at":"2023-01-01"}`,
			`{"name":"nobody","price":5}`,
			`{"email":"ann@example.com","price":"oops","at":"never","extra":{"deep":[1,2]}}`,
		)
		t.wantRows(
			t.rows("all", "email", "phone", "name", "first_name", "spend", "orders", "biggest", "smallest", "seen", "tags", "by_shop", "vip"),
			`ann@example.com|NULL|Anna|Ann|0.3|3|0.2|0.1|2024-01-01T00:00:00.000001Z|["x","y","z"]|{"a":0.1,"b":0.2}|false`,
			`bob@example.com|["1","2"]|Bob|Bob|9007199254740993|1|9007199254740993|9007199254740993|NULL|NULL|{"a":9007199254740993}|true`,
		)
		t.append("shop", []jobs.Event{{ID: "late", Time: day0.AddDate(0, 0, 1), Data: []byte(`{"email":"ann@example.com","price":1}`)}})
		t.check("settle", t.Settle(t.Context()))
		if got := t.rows("all", "spend", "orders"); !slices.Contains(got, "1.3|4") {
			t.Errorf("spend and orders are %v", got)
		}
	}},
	{"identifiers join profiles", func(t *platformTest) {
		t.defineShop()
		t.feed("shop",
			`{"email":"a@example.com","price":1}`,
			`{"phone":"1","price":2}`,
			`{"email":"c@example.com","phone":["2","3"],"price":4}`,
			`{"email":"other@example.com","price":100}`,
			`{"email":"a@example.com","phone":"1","price":8}`,
			`{"phone":["3","1"],"price":16}`,
			`{"email":"","phone":[""],"price":32}`,
		)
		t.wantRows(t.rows("all", "email", "phone", "spend", "orders"), `a@example.com|["1","2","3"]|31|5`, `other@example.com|NULL|100|1`)
	}},
	{"a profile is found by its identities", func(t *platformTest) {
		ctx := t.Context()
		t.defineShop()
		_, err := t.Profile(ctx, jobs.Identity{Field: "email", Value: "ann@example.com"})
		t.refused("before the first profile", err, jobs.CodeNotFound, "value", "email")
		t.feed("shop",
			`{"email":"Ann@Example.com","phone":["+1 / 2?","3"],"price":1.50,"shop":"a","at":"2024-01-01"}`,
			`{"email":"bob@example.com","price":2}`,
		)
		for _, id := range []jobs.Identity{{Field: "email", Value: "ann@example.com"}, {Field: "phone", Value: "3"}, {Field: "phone", Value: "+1 / 2?"}} {
			got, err := t.Profile(ctx, id)
			t.check("profile", err)
			want := jobs.Profile{
				"email": {
					Text: "ann@example.com",
				}, "phone": {Text: `["+1 / 2?","3"]`}, "spend": {Text: "1.5"}, "orders": {Text: "1"}, "biggest": {Text: "1.5"},
				"smallest": {Text: "1.5"}, "seen": {Text: "2024-01-01T00:00:00.000000Z"}, "by_shop": {Text: `{"a":1.5}`}, "vip": {Text: "false"},
			}
			if !maps.Equal(got, want) {
				t.Errorf("by %s: %v, want %v", id.Field, got, want)
			}
		}
		for _, value := range []string{"nobody@example.com", "Ann@Example.com", ".."} {
			_, err := t.Profile(ctx, jobs.Identity{Field: "email", Value: value})
			t.refused(value, err, jobs.CodeNotFound, "value", "email")
			if strings.Contains(err.Error(), value) && value != ".." {
				t.Errorf("the error contains the value: %v", err)
			}
		}
		_, err = t.Profile(ctx, jobs.Identity{Field: "name", Value: "Ann"})
		t.refused("a field that is not an identifier", err, jobs.CodeInvalid, "field", `"email"`)
	}},
	{"a changed mapping changes the profiles", func(t *platformTest) {
		ctx := t.Context()
		t.defineShop()
		t.feed("shop", `{"email":"a@x.io","price":1}`, `{"email":"a@x.io","price":2}`)
		t.wantRows(t.rows("all", "spend"), "3")
		list, err := t.Mappings(ctx)
		t.check("mappings", err)
		m := list[slices.IndexFunc(list, func(m jobs.Mapping) bool { return m.Field == "spend" })]
		m.Expression = "price * 10"
		_, err = t.PutMapping(ctx, m)
		t.check("change", err)
		t.check("settle", t.Settle(ctx))
		t.wantRows(t.rows("all", "spend"), "30")
	}},
	{"guards and nested values", func(t *platformTest) {
		t.field(jobs.Field{ID: "id", Type: "string", IsIdentifier: true})
		t.field(jobs.Field{ID: "city", Type: "string"})
		t.field(jobs.Field{ID: "paid", Type: "number", MergeOperation: "sum"})
		t.mapping("s", "id", "user.id", "")
		t.mapping("s", "city", "user.address.city", "")
		t.mapping("s", "paid", "amount", "status == 'paid'")
		t.audience("All", "*")
		t.feed("s",
			`{"user":{"id":"a","address":{"city":"Rome","lines":[{"n":1},{"n":2}]}},"amount":1.5,"status":"paid"}`,
			`{"user":{"id":"a"},"amount":7,"status":"open"}`,
			`{"user":{"id":"b"},"amount":2,"status":"paid","items":[[{"x":[{"y":1}]}]]}`,
		)
		t.wantRows(t.rows("all", "id", "city", "paid"), "a|Rome|1.5", "b|NULL|2")
	}},
}
