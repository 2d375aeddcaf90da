// Package golden_test holds the embedded languages to the answers of Lytics'
// open engine: testdata/README.md says where they come from. Cases that are
// answered otherwise on purpose are listed in EXPLAINED.md, each with its
// reason; a case that is neither answered alike nor listed fails the test, and
// so does a listed one that is answered alike.
package golden_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/expression"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/filterql"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// goldenCase is one line of filters.jsonl or expressions.jsonl.
type goldenCase struct {
	Filter    string            `json:"filter"`
	Expr      string            `json:"expr"`
	Results   []json.RawMessage `json:"results"`
	Class     string            `json:"class"`
	Suspect   string            `json:"suspect"`
	Unordered bool              `json:"unordered"`
}

func (c goldenCase) text() string { return c.Filter + c.Expr }

// leftOut are the cases that nobody is held to: faults of the engine, and
// functions that Lytics has and the engine has not.
func (c goldenCase) leftOut() bool { return c.Suspect != "" || c.Class == "unknown-function" }

func readCases(t *testing.T, file string) []goldenCase {
	t.Helper()
	f, err := os.Open("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var cases []goldenCase
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c goldenCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

func readJSON(t *testing.T, file string) gjson.Result {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return gjson.ParseBytes(b)
}

// columns are the values of an object by name.
func columns(object gjson.Result) map[string]value.Value {
	out := map[string]value.Value{}
	object.ForEach(func(k, v gjson.Result) bool {
		out[k.Str] = value.FromJSON(v)
		return true
	})
	return out
}

// refused is the answer of a text that is refused.
const refused = `"error"`

// profiles evaluates filters as package filterql offers it to whoever has
// profiles as values.
type profiles struct {
	now       time.Time
	types     map[string]value.Type
	audiences map[string]*filterql.Filter
	values    []map[string]value.Value
}

func readProfiles(t *testing.T) profiles {
	t.Helper()
	doc := readJSON(t, "profiles.json")
	p := profiles{now: doc.Get("now").Time(), types: map[string]value.Type{}, audiences: map[string]*filterql.Filter{}}
	doc.Get("fields").ForEach(func(name, typ gjson.Result) bool {
		parsed, ok := value.ParseType(typ.Str)
		if !ok {
			t.Fatalf("field %s has the unknown type %s", name.Str, typ.Str)
		}
		p.types[name.Str] = parsed
		return true
	})
	doc.Get("includes").ForEach(func(name, text gjson.Result) bool {
		f, err := filterql.Parse(text.Str)
		if err != nil {
			t.Fatalf("%s: %v", text.Str, err)
		}
		p.audiences[name.Str] = f
		return true
	})
	for _, profile := range doc.Get("profiles").Array() {
		p.values = append(p.values, columns(profile.Get("values")))
	}
	return p
}

func (p profiles) answers(text string) []string {
	f, err := filterql.Parse(text)
	out := make([]string, len(p.values))
	for i, fields := range p.values {
		if err != nil {
			out[i] = refused
			continue
		}
		matches, known, err := f.Evaluate(fields, p.types, p.now, p.audiences)
		switch {
		case err != nil:
			out[i] = refused
		case !known:
			out[i] = `"unknown"`
		default:
			out[i] = fmt.Sprint(matches)
		}
	}
	return out
}

// events evaluates expressions.
type events struct {
	now    time.Time
	values []map[string]value.Value
}

func readEvents(t *testing.T) events {
	t.Helper()
	doc := readJSON(t, "rows.json")
	e := events{now: doc.Get("now").Time()}
	for _, row := range doc.Get("rows").Array() {
		e.values = append(e.values, columns(row.Get("values")))
	}
	return e
}

func (e events) answers(text string) []string {
	parsed, err := expression.Parse(text)
	out := make([]string, len(e.values))
	for i, columns := range e.values {
		if err != nil {
			out[i] = refused
			continue
		}
		out[i] = string(parsed.Evaluate(columns, e.now).AppendJSON(nil))
	}
	return out
}

// alike compares two answers in JSON: numbers by what a float of 64 bits makes
// of them, instants whatever their fraction's zeros, lists without an order as
// sets.
func alike(a, b gjson.Result, unordered bool) bool {
	switch {
	case a.Type == gjson.Number && b.Type == gjson.Number:
		return a.Num == b.Num || closeTo(a.Num, b.Num)
	case a.Type == gjson.String && b.Type == gjson.String:
		if a.Str == b.Str {
			return true
		}
		at, err := time.Parse(time.RFC3339Nano, a.Str)
		bt, err2 := time.Parse(time.RFC3339Nano, b.Str)
		return err == nil && err2 == nil && at.Equal(bt)
	case a.IsArray() && b.IsArray():
		return alikeLists(a.Array(), b.Array(), unordered)
	case a.IsObject() && b.IsObject():
		left, right := a.Map(), b.Map()
		for k, v := range left {
			if other, ok := right[k]; !ok || !alike(v, other, unordered) {
				return false
			}
		}
		return len(left) == len(right)
	}
	return a.Type == b.Type && a.Raw == b.Raw
}

// closeTo allows for the rounding of a float's last digits.
func closeTo(a, b float64) bool {
	const digits = 1e-12
	difference := max(a-b, b-a)
	return difference <= digits*max(a, -a, b, -b)
}

func alikeLists(a, b []gjson.Result, unordered bool) bool {
	if unordered {
		byText := func(x, y gjson.Result) int { return cmp.Compare(x.Raw, y.Raw) }
		slices.SortFunc(a, byText)
		slices.SortFunc(b, byText)
	}
	return slices.EqualFunc(a, b, func(x, y gjson.Result) bool { return alike(x, y, unordered) })
}

// agreement holds a language to its cases.
func agreement(t *testing.T, file, section string, answers func(text string) []string, least float64) {
	t.Helper()
	explained := readExplained(t, section)
	same, counted := 0, 0
	seen := map[string]bool{}
	for _, c := range readCases(t, file) {
		got := answers(c.text())
		equal := len(got) == len(c.Results)
		for i := range min(len(got), len(c.Results)) {
			equal = equal && alike(gjson.Parse(got[i]), gjson.ParseBytes(c.Results[i]), c.Unordered)
		}
		if c.leftOut() {
			continue
		}
		counted++
		key := oneLine(c.text())
		seen[key] = true
		_, listed := explained[key]
		switch {
		case equal && listed:
			t.Errorf("%s: listed in EXPLAINED.md and answered alike; take it off the list", key)
		case !equal && !listed:
			t.Errorf("%s (%s):\n got %s\nwant %s", key, c.Class, strings.Join(got, " "), bytes.Join(raw(c.Results), []byte(" ")))
		}
		if equal {
			same++
		}
	}
	for key := range explained {
		if !seen[key] {
			t.Errorf("%s: listed in EXPLAINED.md, and there is no such case", key)
		}
	}
	share := float64(same) / float64(counted)
	t.Logf("%s: %d of %d cases alike, %.1f %%", file, same, counted, 100*share)
	if share < least {
		t.Errorf("got %.3f of the cases alike, want at least %.2f", share, least)
	}
}

func raw(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, m := range list {
		out[i] = m
	}
	return out
}

// oneLine writes a text for the list: line ends as \n.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// readExplained reads the cases of one section of EXPLAINED.md: lines of the
// form "- “ text “" below a paragraph that is their reason.
func readExplained(t *testing.T, section string) map[string]string {
	t.Helper()
	b, err := os.ReadFile("EXPLAINED.md")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	out := map[string]string{}
	in, reason := false, ""
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		text, isCase := strings.CutPrefix(line, "- ``` ")
		switch {
		case strings.HasPrefix(line, "## "):
			in = line == "## "+section
		case !in:
		case isCase:
			if reason == "" {
				t.Errorf("EXPLAINED.md lists %s without a reason", text)
			}
			out[strings.TrimSuffix(text, " ```")] = reason
		case strings.HasPrefix(line, "### "):
			reason = strings.TrimPrefix(line, "### ")
		}
	}
	return out
}

func TestFiltersAreAnsweredAsLyticsAnswersThem(t *testing.T) {
	t.Parallel()
	agreement(t, "filters.jsonl", "Filters", readProfiles(t).answers, 0.93)
}

func TestExpressionsAreAnsweredAsLyticsAnswersThem(t *testing.T) {
	t.Parallel()
	agreement(t, "expressions.jsonl", "Expressions", readEvents(t).answers, 0.88)
}
