package expression_test

import (
	"errors"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

const event = `{
	"email": " Ann.Lee+news@Example.COM ", "from": "Ann <ANN@example.com>", "no_email": "nobody",
	"name": "  Ann ", "empty": "", "nothing": null, "zip": "00123",
	"price": 19.99, "quantity": 3, "big": 9007199254740993, "text_price": "19.990",
	"paid": true, "flag": "yes", "at": "2024-03-01T10:20:30.123456Z", "epoch": 1709251200,
	"tags": ["b", "a", "b", null], "address": {"city": "Köln", "geo": {"lat": 50.9375}},
	"order total": 5, "a.b": "dotted", "select": "word", "straße": "unicode"
}`

var eventTime = time.Date(2024, 3, 1, 10, 20, 30, 0, time.UTC)

func allColumns(yield func(name string, v value.Value) bool) {
	gjson.Parse(event).ForEach(func(k, v gjson.Result) bool { return yield(k.Str, value.FromJSON(v)) })
}

func eval(tb testing.TB, text string) value.Value {
	tb.Helper()
	e, err := expression.Parse(text)
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	var row []value.Value
	bound := e.Bind(func(column string) int {
		found := value.Value{}
		gjson.Parse(event).ForEach(func(k, v gjson.Result) bool {
			if k.Str == column {
				found = value.FromJSON(v)
			}
			return true
		})
		row = append(row, found)
		return len(row) - 1
	})
	return bound.Eval(&expression.Event{Row: row, Now: eventTime, All: allColumns})
}

const null = "NULL"

func show(v value.Value) string {
	if v.IsNull() {
		return null
	}
	return v.Text()
}

func TestExpressions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		// Columns.
		"name":             "  Ann ",
		"missing":          null,
		"nothing":          null,
		"address.city":     "Köln",
		"address.geo.lat":  "50.9375",
		"address.geo.none": null,
		"name.first":       null,
		"`order total`":    "5",
		"`a.b`":            "dotted",
		"`address`.`city`": "Köln",
		"select":           "word",
		"straße":           "unicode",
		"zip":              "00123",
		// Literals.
		`'it''s'`:  "it's",
		`"a\"b\n"`: "a\"b\\n",
		"1.50":     "1.5",
		"-3":       "-3",
		"TRUE":     "true",
		"null":     null,
		// Functions.
		"email(email)":                      "ann.lee+news@example.com",
		"email(from)":                       "ann@example.com",
		"email(no_email)":                   null,
		"email(nothing)":                    null,
		"emaildomain(email)":                "example.com",
		"emaildomain(no_email)":             null,
		"tolower(address.city)":             "köln",
		"toupper(address.city)":             "KÖLN",
		"trim(name)":                        "Ann",
		"todate(at)":                        "2024-03-01T10:20:30.123456Z",
		"todate(epoch)":                     "2024-03-01T00:00:00.000000Z",
		"todate('2024-02-30')":              null,
		"toint(price)":                      "19",
		"toint(-1.9)":                       "-1",
		"toint(name)":                       null,
		"toint(paid)":                       null,
		"tonumber(text_price)":              "19.99",
		"tonumber(empty)":                   null,
		"tobool(flag)":                      null,
		"tobool(name)":                      null,
		"tostring(price)":                   "19.99",
		"tostring(tags)":                    "b,a,b,",
		"hash.md5('abc')":                   "900150983cd24fb0d6963f7d28e17f72",
		"oneof(missing, empty, name)":       "  Ann ",
		"oneof(missing, nothing)":           null,
		"split('a,b,,c', ',')":              `["a","b","","c"]`,
		"split(empty, ',')":                 null,
		"join('a', missing, tags, '-')":     "a-b-a-b",
		"join(missing, '-')":                null,
		"replace('a-b-c', '-')":             "abc",
		"replace('a-b-c', '-', '+')":        "a+b+c",
		"contains(tags, 'a')":               "false",
		"contains(tags, 'b')":               "true",
		"contains(tags, 'z')":               "false",
		"filtermatch(tags, '')":             `["b","a","b"]`,
		"filter(tags, '')":                  `["b","a","b"]`,
		"filter('', 'x')":                   null,
		"domains('a.b', 'a.example.co.uk')": `["example.co.uk"]`,
		"any(missing, tags)":                "true",
		"now()":                             "2024-03-01T10:20:30.000000Z",
		"todate('now-1d')":                  "2024-02-29T10:20:30.000000Z",
		"match('pri')":                      `{"ce":19.99}`,
		"mapkeys(address)":                  `["city","geo"]`,
		"nothing = NULL":                    "true",
		"missing = NULL":                    "false",
		"nothing IN ('x')":                  null,
		"json.jmespath('{\"n\":9007199254740993}', 'n')": "9007199254740993",
		"contains('haystack', 'st')":                     "true",
		"contains(address, 'city')":                      "false",
		"contains(missing, 'x')":                         "false",
		"hasprefix(zip, '00')":                           "true",
		"hassuffix(zip, '00')":                           "false",
		"len(tags)":                                      "4",
		"len(address.city)":                              "5",
		"len(address)":                                   "2",
		"len(missing)":                                   null,
		"count(price)":                                   "1",
		"count(missing)":                                 null,
		"valuect(tags)":                                  `{"a":1,"b":2}`,
		"valuect(zip)":                                   `{"00123":1}`,
		"set(tags, 'c', missing)":                        `["b","a","c"]`,
		"set(missing)":                                   null,
		"map('x', price, 'y', missing)":                  `{"x":19.99}`,
		"map(zip, quantity, zip, price)":                 `{"00123":19.99}`,
		"exists(empty)":                                  "true",
		"exists(paid)":                                   "true",
		// Arithmetic, exact.
		"price * quantity":           "59.97",
		"0.1 + 0.2":                  "0.3",
		"big + 1":                    "9007199254740994",
		"text_price + 1":             "20.99",
		"1 / 3":                      "0.3333333333333333333333333333333333",
		"price / 0":                  null,
		"price + missing":            null,
		"name + 1":                   null,
		"1 + 2 * 3":                  "7",
		"(1 + 2) * 3":                "9",
		"7 % 4 - 1":                  "2",
		"-price":                     "-19.99",
		"2 - -2":                     "4",
		"9223372036854775807 + 1":    "9223372036854775808",
		"10 - 2 - 3":                 "5",
		"12 / 2 / 3":                 "2",
		"`order total`+1":            "6",
		"quantity-1":                 "2",
		"toint('5')+toint('6')":      "11",
		"count(price) + count(name)": "2",
		// Comparison.
		"price == 19.990":                      "true",
		"text_price = 19.99":                   "true",
		"zip = '123'":                          "false",
		"zip = 123":                            "true",
		"price <> 20":                          "true",
		"'b' > 'a'":                            null,
		"'B' > 'a'":                            null,
		"todate(at) > '2024-03-01'":            "true",
		"todate(at) < todate('2024-03-02')":    "true",
		"paid = 'true'":                        null,
		"missing = 1":                          "false",
		"missing != 1":                         "true",
		"name > 5":                             "false",
		"zip IN ('00123', 'x')":                "true",
		"zip in ('x')":                         "false",
		"zip in ('x', missing)":                "false",
		"tags = 'a'":                           null,
		"price >= 19.99 and price <= 19.99":    "true",
		"NOT paid":                             "false",
		"not missing":                          null,
		"!paid":                                "false",
		"missing = 1 OR paid":                  "true",
		"missing = 1 AND paid":                 "false",
		"missing = 1 AND FALSE":                "false",
		"paid AND NOT price > 20":              "true",
		"paid || missing = 1 && FALSE":         "true",
		"not (paid and quantity in (1, 2, 3))": "false",
	} {
		if got := show(eval(t, text)); got != want {
			t.Errorf("%s = %s, want %s", text, got, want)
		}
	}
}

func TestHashesHaveThePublishedValues(t *testing.T) {
	t.Parallel()
	if got := show(eval(t, "hash.sha256('abc')")); got != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("sha256 = %s", got)
	}
	a, b := show(eval(t, "hash.sip('abc')")), show(eval(t, "hash.sip('abd')"))
	if a == b || a == null {
		t.Errorf("sip gives %s and %s", a, b)
	}
}

func TestErrorsPointAtTheColumn(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		column int
		says   string
	}{
		"":                      {1, "empty"},
		"  ":                    {1, "empty"},
		"emial(email)":          {1, "no function emial"},
		"email(email":           {12, "expected a comma"},
		"email(a, b)":           {1, "needs 1"},
		"join(a)":               {1, "at least 2"},
		"split(a)":              {1, "needs 2"},
		"map(a, b, c)":          {1, "pairs"},
		"price *":               {8, "the end"},
		"price price":           {7, "unexpected"},
		"'abc":                  {1, "not closed"},
		"`abc":                  {1, "not closed"},
		`'a\`:                   {1, "not closed"},
		"a = b = c":             {7, "do not chain"},
		"if a = 1":              {4, "unexpected"},
		"-- c\na":               {1, "a comment is allowed after"},
		"/* c */ a":             {1, "a comment in /* */"},
		"todatein(a, b)":        {1, "the zone must be a literal"},
		"todatein(a, 'X')":      {1, "there is no time zone"},
		"url.matchqs(a, '[')":   {1, "missing closing"},
		"json.jmespath(a, '[')": {1, "SyntaxError"},
		"0x":                    {1, "not a number"},
		"018":                   {1, "not a number"},
		"5.":                    {1, "not a number"},
		"1e400":                 {1, "not a number"},
		"a.":                    {3, "after the dot"},
		"a IN 5":                {6, "parentheses"},
		"and":                   {4, "parentheses after AND"},
		"in":                    {1, "back-quotes"},
		"1e":                    {1, "not a number"},
		"a § b":                 {3, "not allowed"},
		"straße §":              {8, "not allowed"},
		"\xff":                  {1, "UTF-8"},
		"now(1)":                {1, "takes at most 0"},
	} {
		_, err := expression.Parse(text)
		e, ok := errors.AsType[*expression.Error](err)
		if !ok || e.Column != want.column || !strings.Contains(e.Error(), want.says) {
			t.Errorf("%s: %v, want column %d and %q", text, err, want.column, want.says)
		}
	}
}

func TestGuardMustBeACondition(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		"email != ''": true, "paid": true, "exists(a)": true, "a AND b": true, "tobool(a)": true,
		"5": false, "tolower(a)": false, "a + 1": false, "set(a)": false, "'true'": false,
	} {
		if _, err := expression.ParseGuard(text); (err == nil) != good {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestGuardPasses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"email != ''": true, "empty != ''": false, "missing != ''": true, "paid": true, "flag": true, "price": false} {
		e, err := expression.ParseGuard(text)
		if err != nil {
			t.Fatal(err)
		}
		var row []value.Value
		bound := e.Bind(func(c string) int {
			row = append(row, value.FromJSON(gjson.Get(event, c)))
			return len(row) - 1
		})
		if got := bound.Passes(&expression.Event{Row: row}); got != want {
			t.Errorf("%s passes %v, want %v", text, got, want)
		}
	}
}

func TestColumnsAreListed(t *testing.T) {
	t.Parallel()
	e, err := expression.Parse("oneof(b.c, a, `x y`.z) + a")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(e.Columns(), "|"); got != "a|b|x y" {
		t.Errorf("columns %s", got)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"deep parentheses": strings.Repeat("(", 1001) + "a" + strings.Repeat(")", 1001),
		"deep calls":       strings.Repeat("trim(", 1001) + "a" + strings.Repeat(")", 1001),
		"deep not":         strings.Repeat("not ", 1001) + "a",
		"deep minus":       strings.Repeat("- ", 1001) + "a",
		"many parts":       "a" + strings.Repeat("+a", 2000),
		"long":             strings.Repeat(" ", expression.MaxLength) + "a",
	} {
		if _, err := expression.Parse(text); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	long := "replace('" + strings.Repeat("a", 1000) + "', 'a', '" + strings.Repeat("b", 2000) + "')"
	if v := eval(t, long); !v.IsNull() {
		t.Errorf("got a text of %d bytes, want NULL", len(v.Str()))
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"email(email)", "a.b + -1.5e3 * (c % 2)", "NOT a IN ('x', \"y\") OR `b c` <> null", "map(a, set(b), 'c', valuect(d))", "'\\n'''", "hash.sip(x) >= 3 && !y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := expression.Parse(s)
		if err != nil {
			if e2, ok := errors.AsType[*expression.Error](err); !ok || e2.Column < 1 {
				t.Fatalf("%q: %v has no column", s, err)
			}
			return
		}
		row := []value.Value{value.FromJSON(gjson.Parse(event))}
		bound := e.Bind(func(string) int { return 0 })
		e2 := &expression.Event{Row: row, Now: eventTime, All: allColumns}
		first, second := bound.Eval(e2), bound.Eval(e2)
		if value.Compare(first, second) != 0 {
			t.Fatalf("two evaluations of %q: got %s and %s, want the same", s, first.Text(), second.Text())
		}
	})
}

func TestAnyTextIsParsedOrRefused(t *testing.T) {
	t.Parallel()
	if err := quick.Check(func(s string) bool {
		_, err := expression.Parse(s)
		_, ok := errors.AsType[*expression.Error](err)
		return err == nil || ok
	}, nil); err != nil {
		t.Error(err)
	}
}

func BenchmarkEval(b *testing.B) {
	e, err := expression.Parse("tonumber(price) * quantity - discount")
	if err != nil {
		b.Fatal(err)
	}
	price, _ := value.ParseNumber("19.99")
	discount, _ := value.ParseNumber("0.51")
	row := []value.Value{price, value.OfInt(3), discount}
	indexes := map[string]int{"price": 0, "quantity": 1, "discount": 2}
	bound := e.Bind(func(c string) int { return indexes[c] })
	e2 := &expression.Event{Row: row}
	for b.Loop() {
		_ = bound.Eval(e2)
	}
}
