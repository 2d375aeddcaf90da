package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

var scans = []test{
	{"a scan returns the chosen fields", func(t *platformTest) {
		ctx := t.Context()
		t.defineShop()
		t.field(jobs.Field{ID: "unfed", Type: "int"})
		t.feed(
			"shop",
			`{"email":"a@x.io","name":"","price":12345678901234567890.123456789,"tags":["b","\"q\"","a\nb"],"at":"2024-02-29T23:59:59.999999+01:00"}`,
			`{"email":"b@x.io","name":"Zoë 🎉","price":-0.50}`,
		)
		columns, _, err := t.Scan(ctx, "all", nil)
		t.check("scan", err)
		var ids []string
		for _, c := range columns {
			ids = append(ids, c.ID)
		}
		if want := []string{
			"biggest",
			"by_shop",
			"email",
			"first_name",
			"name",
			"orders",
			"phone",
			"seen",
			"smallest",
			"spend",
			"tags",
			"unfed",
			"vip",
		}; !slices.Equal(
			ids,
			want,
		) {
			t.Errorf("all columns are %v", ids)
		}
		columns, _, err = t.Scan(ctx, "all", []string{"spend", "email"})
		t.check("scan", err)
		if len(columns) != 2 || columns[0] != (jobs.Field{ID: "spend", Type: "number", MergeOperation: "sum"}) {
			t.Errorf("columns are %+v", columns)
		}
		t.wantRows(t.rows("all", "name", "spend", "tags", "seen", "vip", "unfed"),
			`|12345678901234567890.123456789|["\"q\"","a\nb","b"]|2024-02-29T22:59:59.999999Z|true|NULL`,
			`Zoë 🎉|-0.5|NULL|NULL|false|NULL`,
		)
		_, _, err = t.Scan(ctx, "all", []string{"email", "e_mail"})
		t.refused("an unknown field", err, jobs.CodeInvalid, "fields", `"e_mail"`)
		_, _, err = t.Scan(ctx, "all", []string{"email", "email"})
		t.refused("one field twice", err, jobs.CodeInvalid, "fields", "twice")
		t.audience("Undefined", `city = "Rome"`)
		_, _, err = t.Scan(ctx, "undefined", nil)
		t.refused("a filter on an undefined field", err, jobs.CodeInvalid, "filter", "city")
	}},
	{"values of every type are returned as text", func(t *platformTest) {
		types := map[string]string{
			"s": "string", "b": "bool", "i": "int", "n": "number", "d": "date", "ss": "[]string", "mi": "map[string]int",
			"ms": "map[string]string", "mt": "map[string]time", "mb": "map[string]bool",
		}
		t.field(jobs.Field{ID: "id", Type: "string", IsIdentifier: true})
		t.mapping("s", "id", "id", "")
		for id, typ := range types {
			t.field(jobs.Field{ID: id, Type: typ})
			expression := "v"
			if typ == "date" {
				expression = "todate(v)"
			}
			t.mapping("s", id, expression, "k == '"+id+"'")
		}
		t.audience("All", "*")
		values := map[string]string{
			"s": `"07"`, "b": `true`, "i": `-42`, "n": `1.50`, "d": `"2024-05-06"`, "ss": `["b","a"]`, "mi": `{"z":1,"a":2}`,
			"ms": `{"k":"1"}`, "mt": `{"t":"2024-01-01T00:00:00Z"}`, "mb": `{"y":true}`,
		}
		var data []string
		for k, v := range values {
			// Two profiles, because a platform may return a value in two forms.
			data = append(data, fmt.Sprintf(`{"id":"one","k":%q,"v":%s}`, k, v), fmt.Sprintf(`{"id":"two","k":%q,"v":%s}`, k, v))
		}
		t.feed("s", data...)
		want := `07|true|-42|1.5|2024-05-06T00:00:00.000000Z|["a","b"]|{"a":2,"z":1}|{"k":"1"}|{"t":"2024-01-01T00:00:00.000000Z"}|{"y":true}`
		t.wantRows(t.rows("all", "s", "b", "i", "n", "d", "ss", "mi", "ms", "mt", "mb"), want, want)
	}},
	{"audiences filter profiles", func(t *platformTest) {
		t.defineShop()
		recent := time.Now().UTC().Add(-time.Hour).Format(time.RFC3339Nano)
		t.feed("shop",
			`{"email":"rich@x.io","price":500,"at":"`+recent+`","tags":["vip"],"shop":"rome"}`,
			`{"email":"poor@x.io","price":5,"at":"2020-01-01","shop":"paris"}`,
			`{"email":"new@y.io","name":"New"}`,
		)
		t.audience("Rich", "spend > 100")
		i := 0
		for filter, want := range map[string]string{
			"*":                   "new poor rich",
			`seen > "now-1d"`:     "rich",
			`NOT seen > "now-1d"`: "new poor",
			`FILTER AND (EXISTS spend, NOT INCLUDE rich) FROM user ALIAS x`: "poor",
			`tags INTERSECTS ("vip", "x")`:                                  "rich",
			`by_shop.paris BETWEEN 1 AND 10`:                                "poor",
			`email LIKE "*@y.io"`:                                           "new",
			`spend != 5`:                                                    "new rich",
			`spend > 1000`:                                                  "",
		} {
			i++
			a := t.audience(fmt.Sprintf("F %d", i), filter)
			var got []string
			for _, line := range t.rows(a.ID, "email") {
				name, _, _ := strings.Cut(line, "@")
				got = append(got, name)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s gives %v, want %s", filter, got, want)
			}
			n, err := t.AudienceSize(t.Context(), a.Slug)
			same(t, "size of "+filter, n, err, int64(len(got)))
		}
	}},
	{"scans have a stable order", func(t *platformTest) {
		t.countByID("s")
		var data []string
		for i := range 350 {
			data = append(data, fmt.Sprintf(`{"id":"u%03d"}`, i))
		}
		t.feed("s", data...)
		read := func() (list []string) {
			_, rows, err := t.Scan(t.Context(), "all", []string{"id"})
			t.check("scan", err)
			for row, err := range rows {
				t.check("scan", err)
				list = append(list, line(row))
			}
			return list
		}
		first := read()
		if !slices.Equal(first, read()) {
			t.Error("two scans have different orders")
		}
		slices.Sort(first)
		if len(slices.Compact(first)) != 350 || first[0] != "u000" || first[349] != "u349" {
			t.Errorf("%d profiles", len(first))
		}
		_, rows, err := t.Scan(t.Context(), "all", nil)
		t.check("scan", err)
		for _, err := range rows {
			t.check("scan", err)
			break
		}
	}},
	{"an audience without profiles", func(t *platformTest) {
		t.countByID("s")
		t.wantRows(t.rows("all"))
		n, err := t.AudienceSize(t.Context(), "all")
		same(t, "size", n, err, 0)
	}},
}
