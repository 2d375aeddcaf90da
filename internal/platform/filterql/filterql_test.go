package filterql_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var now = time.Date(2024, 6, 30, 12, 0, 0, 0, time.UTC)

// fields are the fields of the profile of the tests, with their types and values.
var fields = []struct{ name, typ, json string }{
	{"name", "string", `"Yoda"`},
	{"email", "string", `"yoda@dagobah.example.com"`},
	{"empty", "string", `""`},
	{"zip", "string", `"00123"`},
	{"nickname", "string", `null`},
	{"age", "int", `900`},
	{"visits", "int", `0`},
	{"height", "int", `null`},
	{"spend", "number", `55.50`},
	{"debt", "number", `-9007199254740993.25`},
	{"member", "bool", `true`},
	{"banned", "bool", `false`},
	{"created", "date", `"2015-12-18T00:00:00Z"`},
	{"seen", "date", `"2024-06-30T11:00:00Z"`},
	{"died", "date", `null`},
	{"tags", "[]string", `["jedi","master"]`},
	{"nothing", "[]string", `null`},
	{"orders", "[]time", `["2024-06-01T00:00:00Z","2024-06-29T00:00:00Z"]`},
	{"scores", "map[string]int", `{"momentum":12,"www.example.com":3}`},
	{"first", "map[string]time", `{"signed up":"2015-12-18T00:00:00Z"}`},
	{"props", "map[string]value", `{"city":"Naboo","n":1.50,"ok":true}`},
	{"back quoted", "string", `"x"`},
}

var audiences = map[string]string{
	"everyone": "FILTER *",
	"yodas":    `FILTER name = "Yoda" ALIAS yodas`,
	"nested":   `INCLUDE yodas`,
	"rich":     `spend > 1000`,
	"cycle_a":  "INCLUDE cycle_b",
	"cycle_b":  "NOT INCLUDE cycle_a",
	"self":     "OR (INCLUDE self, *)",
	"strange":  `FILTER age = "old"`,
}

func environment() filterql.Environment {
	return filterql.Environment{
		Now: now,
		Field: func(name string) (int, value.Type, bool) {
			for i, f := range fields {
				if f.name == name {
					t, ok := value.ParseType(f.typ)
					return i, t, ok
				}
			}
			return 0, value.Type{}, false
		},
		Include: func(name string) (*filterql.Filter, error) {
			text, ok := audiences[name]
			if !ok {
				return nil, fmt.Errorf("no audience %s", name)
			}
			return filterql.Parse(text)
		},
	}
}

func profile() []value.Value {
	row := make([]value.Value, len(fields))
	for i, f := range fields {
		t, _ := value.ParseType(f.typ)
		row[i], _ = t.Convert(value.FromJSON(gjson.Parse(f.json)))
	}
	return row
}

func TestFilters(t *testing.T) {
	t.Parallel()
	matching := []string{
		// Comparison and case.
		`FILTER name = "Yoda"`, `name == "Yoda"`, `name != "yoda"`, `filter "Yoda" == name`, `FILTER name <> "Anakin"`,
		`100 < age`, `1000 > age`, `900 <= age`,
		// Coercion by the field's type.
		`age = "900"`, `age > "9.4"`, `spend = 55.5`, `spend == "55.500"`, `spend > 50`, `zip = "00123"`, `zip = 123`, `zip > 100`,
		`debt = -9007199254740993.25`, `debt < -9007199254740993`, `spend < 5.6e1`, `spend > 1e-2`,
		`member = true`, `member`, `NOT banned`, `banned = false`, `member != false`,
		// Missing fields.
		`nickname != "x"`, `height != 5`, `died != "2020-01-01"`, `NOT (height > 10)`, `NOT height < 10`, `NOT EXISTS nickname`,
		`nickname NOT IN ("x")`, `nothing NOT INTERSECTS ("x")`, `nickname NOT LIKE "*"`, `NOT (died > "now-1d")`,
		// Empty strings, zero and false.
		`empty = ""`, `empty != "x"`, `EXISTS empty`, `EXISTS visits`, `EXISTS banned`, `empty LIKE "*"`, `visits = 0`,
		// EXISTS.
		`EXISTS name`, `exists tags`, `EXISTS orders`, `EXISTS scores.momentum`, `NOT EXISTS scores.other`, `EXISTS scores`,
		// IN, INTERSECTS, CONTAINS, LIKE, BETWEEN.
		`name IN ("Rey", "Yoda")`, `name NOT IN ("Rey")`, `age IN (1, 900)`, `age IN ("900")`, `zip NOT IN (123, 5)`, `"jedi" IN tags`,
		`tags IN ("sith", "jedi")`, `tags INTERSECTS ("master")`, `tags NOT INTERSECTS ("sith")`, `scores IN ("momentum")`, `scores INTERSECTS ("x", "www.example.com",)`,
		`name CONTAINS "od"`, `name NOT CONTAINS "kin"`, `tags CONTAINS "jedi"`, `tags CONTAINS "jed"`, `tags NOT CONTAINS "Jed"`,
		`name LIKE "*da"`, `name LIKE "Y*a"`, `name LIKE "*o*"`, `name LIKE "Yoda"`, `name NOT LIKE "*kin"`, `email LIKE "*@*.example.com"`, `tags LIKE "jed*"`,
		`age BETWEEN 899 AND 901`, `age NOT BETWEEN 900 AND 1000`, `age NOT BETWEEN 1 AND 900`, `created BETWEEN "2015-12-01" AND "2016-01-01"`,
		// Lists of times compare by any member.
		`orders > "now-2d"`, `orders < "now-20d"`, `NOT orders < "2024-01-01"`, `orders != "2024-06-01"`,
		// Dates.
		`created < "now-1d"`, `seen > "now-2h"`, `seen < now()`, `seen = "2024-06-30T11:00:00Z"`, `seen = "2024-06-30 13:00:00+02:00"`, `seen > "now-90m"`, `seen > "now-3601s"`,
		`created > "now-9y"`, `created < "now-8y"`, `seen > "now-1M"`, `seen >= "now-1h"`, `seen < "now+1w"`,
		// Maps.
		`scores.momentum > 10`, `scores.momentum = "12"`, "scores.`www.example.com` = 3", `scores.www.example.com = 3`, "`scores`.`momentum` = 12", `scores.other != 1`,
		"first.`signed up` < \"now-2h\"", `props.city = "Naboo"`, `props.n = 1.5`, `props.n > "1"`, `props.ok = true`, `props.city LIKE "Na*"`, `props.city CONTAINS "abo"`, `props.gone != "x"`,
		// Groups, in all their forms.
		`FILTER *`, `*`, `true`, `NOT false`, `AND (name = "Yoda", age > 5)`, `OR (name = "Rey", age > 5)`, `NOT (name = "Rey")`, `NOT NOT member`,
		`FILTER OR ( EXISTS nickname, AND ( age > 0, OR ( age > 10000, age < 1000 ) ), NOT ( name = "Yoda" ) )`,
		`name = "Rey" OR name = "Yoda"`, `name = "Rey" AND name = "x" OR member`, `member OR name = "x" AND banned`, `(name = "Rey" OR member) AND age > 5`,
		"FILTER OR (\n  EXISTS nickname -- not this\n  EXISTS name\n)", "AND (\n  member,\n  -- a comment\n  age > 5, -- another\n)", "AND (\n  member\n  AND (age > 5)\n  OR (banned, member)\n)",
		"AND (member AND age > 5, name = \"Yoda\" OR banned)", "member\nAND age > 5",
		"FILTER name = \"Yoda\" FROM user ALIAS yodas", "* FROM user", "* ALIAS all_of_them",
		"`back quoted` = \"x\"", `'back quoted' = "x"`, `[back quoted] = "x"`, `name = "Yoda" AND name != "it's" AND name != "a\"b" AND name != "a""b"`,
		// Functions, arithmetic, field to field.
		`tolower(name) = "yoda"`, `len(tags) = 2`, `age + 1 > 900`, `age > visits`, `spend * 2 = 111`, `email CONTAINS tolower(name)`, `name IN (nickname, name)`,
		`NOT (tolower(nickname) = "x")`,
		// Other audiences.
		`INCLUDE everyone`, `INCLUDE nested`, `AND (INCLUDE yodas, NOT INCLUDE rich, INCLUDE yodas)`, "INCLUDE `yodas`", `INCLUDE "yodas"`,
	}
	missing := []string{
		`name = "yoda"`, `name != "Yoda"`, `"Yoda" != name`, `name > 5`, `age > 900`, `age < 900`, `spend = "55.51"`,
		`nickname = ""`, `nickname = "x"`, `nickname > ""`, `nickname < "x"`, `height = 0`, `height < 10`, `height > 10`, `died < "now-1d"`, `EXISTS nickname`, `EXISTS nothing`,
		`nickname IN ("x")`, `nickname LIKE "*"`, `nickname CONTAINS ""`, `nothing INTERSECTS ("x")`, `NOT (nickname != "x")`, `NOT tolower(nickname) = "x"`,
		`banned`, `banned = true`, `member = false`, `NOT member`, `empty = " "`,
		`age BETWEEN 900 AND 1000`, `age BETWEEN 1 AND 900`, `name = 'Yoda'`, `no_such = 1`, `name.first = "x"`,
		`tags IN ("sith")`, `tags = "jedi"`, `tags INTERSECTS ("Jedi")`, `scores IN ("nope")`, `name IN ()`, `zip IN (123, 5)`, `"sith" IN tags`,
		`name LIKE "*DA"`, `name LIKE "Yod"`, `name LIKE "da*"`, `name LIKE "Yoda*a"`, `name LIKE "*x*"`, `name LIKE ""`,
		`created > "now-1d"`, `seen > "now-30m"`, `orders > now()`, `created != "2015-12-18"`, `seen < "now-1h"`,
		`scores.momentum > 12`, `scores.other = 0`, `EXISTS scores.other`, `name > "A"`, `props.city > 5`, `props.gone = ""`, `props.city CONTAINS "x"`,
		`AND (member, banned)`, `OR (banned, false)`, `NOT *`, `false`, `AND (true, false)`, `name = "Rey" OR member AND banned`, "AND (\n  member\n  AND (banned)\n)",
		`INCLUDE rich`, `NOT INCLUDE nested`,
	}
	unknown := []string{
		`tags != "jedi"`, `scores = "momentum"`, `scores CONTAINS "momentum"`, `name BETWEEN "A" AND "Z"`, `orders BETWEEN "2024-06-28" AND "2024-06-30"`, `height BETWEEN 1 AND 5`,
		`member = "true"`, `banned = 0`, `age = "old"`, `created = "some day"`, `seen < "now"`, `seen > "now-1d-12h"`, `seen > "NOW-1w"`, `age LIKE "9*"`, `"jedi" = tags`,
		`NOT (age = "old")`, `NOT nickname`, `name`, `AND (age = "old", banned)`, `INCLUDE strange`,
	}
	unknownIsNot := map[string]bool{`name`: true}
	check := func(filters []string, wantMatch, wantKnown bool) {
		for _, text := range filters {
			f, err := filterql.Parse(text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			m, err := f.Compile(environment())
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			normalized, err := filterql.Normalize(text)
			if err != nil {
				t.Errorf("%s: %v", text, err)
				continue
			}
			if again, err := filterql.Normalize(normalized); err != nil || again != normalized {
				t.Errorf("%s: normalized to %q, and that to %q (%v)", text, normalized, again, err)
			}
			same, err := filterql.Parse(normalized)
			if err != nil {
				t.Errorf("%s: normalized to %q: %v", text, normalized, err)
				continue
			}
			if n, err := same.Compile(environment()); err != nil {
				t.Errorf("%s: normalized to %q: %v", text, normalized, err)
			} else if matches, known := n.Test(profile()); matches != wantMatch || known != (wantKnown || unknownIsNot[text]) {
				t.Errorf("%s: normalized to %q: got %v, known %v; want %v, known %v", text, normalized, matches, known, wantMatch, wantKnown)
			}
			// The second evaluation must not depend on the first.
			for range 2 {
				if matches, known := m.Test(profile()); matches != wantMatch || known != (wantKnown || unknownIsNot[text]) {
					t.Errorf("%s: got %v, known %v; want %v, known %v", text, matches, known, wantMatch, wantKnown)
				}
			}
		}
	}
	check(matching, true, true)
	check(missing, false, true)
	check(unknown, false, false)
}

// Filters that differ in what has no meaning are written in one way.
func TestNormalize(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		`FILTER AND (EXISTS email, country = "US")`: {
			`AND (EXISTS email, country = "US")`, "filter and ( exists email ,country=\"US\" );",
			"/* who */ FILTER AND (\n  EXISTS email, -- known\n  country = \"US\"\n)",
		},
		`FILTER tolower(name) = "a  b" ALIAS Who`:          {`tolower( name )="a  b"   alias Who`},
		"FILTER AND (member\nAND (age > 5))":               {"AND (\n  member\n  AND (age>5)\n)"},
		"FILTER AND (member AND (age > 5))":                {"and (member and (age > 5))"},
		"FILTER `filter` = 1 FROM user LIMIT 5 WITH a = b": {"`filter` = 1 from user limit 5 with a = b"},
		`FILTER * ALIAS all`:                               {`*   ALIAS all`},
		`FILTER filters = -1`:                              {`filters = -1`},
		`FILTER name IN ("x", "y")`:                        {`name in("x","y")`, "name IN (\"x\",\n\"y\")"},
	} {
		for _, text := range texts {
			if got, err := filterql.Normalize(text); err != nil || got != want {
				t.Errorf("%q: got %q, %v; want %q", text, got, err, want)
			}
		}
	}
	if _, err := filterql.Normalize("FILTER ("); err == nil {
		t.Error("a filter that cannot be parsed has no error")
	}
}

func TestErrorsHaveAPosition(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                  "column 1: the filter is empty",
		"FILTER":                            "column 7: the filter is empty",
		"FILTER -- nothing":                 "the filter is empty",
		"name =":                            "column 7: expected a value, not the end",
		"AND name = 1":                      "column 5: expected a list in parentheses after AND",
		"AND (":                             `column 6: expected a value, not the end`,
		"AND (member; age > 5)":             `column 12: expected a value, not ";"`,
		"AND (member,\n  age >)":            `line 2, column 8: expected a value`,
		"name IN 5":                         "column 9: expected a list",
		"name INTERSECTS \"x\"":             "column 17: expected a list",
		"name IN (\"a\" \"b\")":             "column 14: expected a comma",
		"name NOT = 5":                      "column 10: expected IN, LIKE",
		"name LIKE":                         "column 10: expected a value",
		"age BETWEEN 1, 5":                  "column 14: expected AND between",
		"(member":                           `column 8: expected ")"`,
		"member)":                           `column 7: unexpected ")"`,
		"\"abc":                             "column 1: this \" is not closed",
		"lower(name) = \"x\"":               `column 1: there is no function lower`,
		"tolower() = \"x\"":                 "column 1: tolower needs 1 arguments and has 0",
		"age > (5)":                         "column 7: expected a value, not parentheses",
		"EXISTS(name)":                      "column 1: EXISTS is followed by a field",
		"FILTER EXIST email":                `column 14: unexpected "email" after the end of the filter: "EXIST" is read as a field; did you mean EXISTS?`,
		"match(\"a\")":                      "column 1: match reads the columns of an event",
		"name /* c */ = \"x\"":              "column 6: a comment in /* */ is allowed before FILTER only",
		"* ALIAS":                           "column 8: expected a name after ALIAS",
		"* LIMIT x":                         `column 9: expected an integer`,
		"* LIMIT 5 FROM user":               `column 11: unexpected "FROM"`,
		"* WITH":                            "column 7: expected settings after WITH",
		"age > 5x":                          `column 7: "5x" is not a number`,
		"name ; 1":                          `column 8: unexpected "1"`,
		"name § 1":                          "column 6: '§' is not allowed here",
		"exists exists":                     "column 8: expected a field",
		"INCLUDE":                           "column 8: expected an audience",
		"scores. > 5":                       "column 8: expected a key",
		"``  = 5":                           "column 1: a name is missing",
		"\"x\"":                             "column 4: expected a comparison",
		strings.Repeat("NOT ", 1100) + "*":  "nested deeper",
		strings.Repeat("(", 1100) + "*":     "nested deeper",
		"*" + strings.Repeat(" OR *", 6000): "more than 5000 parts",
		strings.Repeat(" ", filterql.MaxLength+1): "longer than 64 KB",
	} {
		_, err := filterql.Parse(text)
		if _, ok := errors.AsType[*filterql.Error](err); !ok || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
		}
	}
}

func TestUnknownAndCyclicIncludesAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"INCLUDE missing": "no audience missing",
		"INCLUDE cycle_a": "cycle_a -> cycle_b -> cycle_a",
		"INCLUDE self":    "self -> self",
	} {
		f, err := filterql.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err = f.Compile(environment()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestComparisonsThatAreNeverTrueAreRefused(t *testing.T) {
	t.Parallel()
	typeOf := func(name string) (value.Type, bool) {
		_, typ, ok := environment().Field(name)
		return typ, ok
	}
	for text, want := range map[string]string{
		"age > \"abc\"":              `column 1: field age is of type int, and "abc" is not a number`,
		"created > \"now-30x\"":      "not a date",
		"created > \"yesterday\"":    "not a date",
		"member = \"maybe\"":         "neither true nor false",
		"scores.momentum > \"x\"":    "not a number",
		"NOT (\"x\" = age)":          "not a number",
		"age BETWEEN 1 AND \"x\"":    "not a number",
		"OR (member, spend = \"x\")": "column 13: field spend",
		"age > \"5\"":                "",
		"no_such = \"x\"":            "",
		"name > 5":                   "",
		"scores = \"x\"":             "",
		"props.city = \"x\"":         "",
	} {
		f, err := filterql.Parse(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		err = f.CheckTypes(typeOf)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

func TestClauses(t *testing.T) {
	t.Parallel()
	f, err := filterql.Parse(`FILTER name = "Yoda" FROM content LIMIT 10 WITH a = "b", c = 5 ALIAS My-Name;`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(f.From, f.Limit, f.HasLimit, f.With, f.Alias), `content 10 true a = "b", c = 5 my-name`; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got %s, want %s", got, want)
	}
	if f, err = filterql.Parse(`* WITH {"a": {"b": [1, 2]}} ALIAS x`); err != nil || f.With != `{"a": {"b": [1, 2]}}` || f.From != "user" || f.HasLimit {
		t.Errorf("got %+v, %v", f, err)
	}
}

func TestNamesInAFilter(t *testing.T) {
	t.Parallel()
	f, err := filterql.Parse("FILTER AND (b.x > 1, EXISTS a, INCLUDE z, b = 2, INCLUDE y) ALIAS n")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(f.Fields(), f.Includes(), f.Alias); got != "[a b] [y z]n" {
		t.Errorf("names %s", got)
	}
}

// In a chain of audiences where each includes the previous one twice, the number of
// paths is 2 to the power of the length. Each audience is compiled and evaluated once.
func TestAnAudienceIncludedManyTimesIsEvaluatedOnce(t *testing.T) {
	t.Parallel()
	env := environment()
	env.Include = func(name string) (*filterql.Filter, error) {
		var n int
		if _, err := fmt.Sscanf(name, "a%d", &n); err != nil {
			return nil, err
		}
		if n == 0 {
			return filterql.Parse("NOT member")
		}
		return filterql.Parse(fmt.Sprintf("OR (INCLUDE a%d, INCLUDE a%d)", n-1, n-1))
	}
	f, err := filterql.Parse("INCLUDE a200")
	if err != nil {
		t.Fatal(err)
	}
	m, err := f.Compile(env)
	if err != nil {
		t.Fatal(err)
	}
	if m.Match(profile()) {
		t.Error("got a match, want none")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`FILTER AND (country = "US", EXISTS email, NOT city IN ("a"), last_purchase > "now-30d", tags INTERSECTS ("x"), scores.momentum > 10, INCLUDE yodas) FROM user ALIAS slug`,
		`FILTER scores.m FROM --`, "OR (\n a\n AND (b)\n)", "`a`.`b.c` BETWEEN -1 AND 1e5", `name NOT LIKE "*a*b*"`, "\"a\" IN tags", "* OR NOT * AND true",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := filterql.Parse(s)
		if err != nil {
			if _, ok := errors.AsType[*filterql.Error](err); !ok {
				t.Fatalf("%q: got %v, want an *Error", s, err)
			}
			return
		}
		m, err := parsed.Compile(environment())
		if err != nil {
			return
		}
		if first, second := m.Match(profile()), m.Match(profile()); first != second {
			t.Fatalf("two evaluations of %q: got %v and %v, want the same", s, first, second)
		}
	})
}
