// Package golden_test compares the embedded languages with the answers of Lytics' open
// engine; testdata/README.md says where the answers come from. EXPLAINED.md lists the
// cases with a different answer, each with its reason. The test fails for a case that
// has a different answer and is not listed, and for a listed case with the same answer.
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

// ignored reports whether the case is not compared, because the engine's answer looks
// like a bug or the engine does not have a function of Lytics.
func (c goldenCase) ignored() bool { return c.Suspect != "" || c.Class == "unknown-function" }

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

// columns returns the values of an object by name.
func columns(object gjson.Result) map[string]value.Value {
	out := map[string]value.Value{}
	object.ForEach(func(k, v gjson.Result) bool {
		out[k.Str] = value.FromJSON(v)
		return true
	})
	return out
}

// refused is the answer for a text that is refused.
const refused = `"error"`

// profiles evaluates filters for the profiles of the test data.
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

// events evaluates expressions for the events of the test data.
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

// equal compares two answers in JSON: numbers as floats of 64 bits, instants by their
// time, and unordered lists as sets.
func equal(a, b gjson.Result, unordered bool) bool {
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
		return equalLists(a.Array(), b.Array(), unordered)
	case a.IsObject() && b.IsObject():
		left, right := a.Map(), b.Map()
		for k, v := range left {
			if other, ok := right[k]; !ok || !equal(v, other, unordered) {
				return false
			}
		}
		return len(left) == len(right)
	}
	return a.Type == b.Type && a.Raw == b.Raw
}

// closeTo ignores the rounding of a float's last digits.
func closeTo(a, b float64) bool {
	const digits = 1e-12
	difference := max(a-b, b-a)
	return difference <= digits*max(a, -a, b, -b)
}

func equalLists(a, b []gjson.Result, unordered bool) bool {
	if unordered {
		byText := func(x, y gjson.Result) int { return cmp.Compare(x.Raw, y.Raw) }
		slices.SortFunc(a, byText)
		slices.SortFunc(b, byText)
	}
	return slices.EqualFunc(a, b, func(x, y gjson.Result) bool { return equal(x, y, unordered) })
}

// compare compares the answers of a language with its cases. minShare is the smallest
// allowed share of equal answers.
func compare(t *testing.T, file, section string, answers func(text string) []string, minShare float64) {
	t.Helper()
	explained := readExplained(t, section)
	same, counted := 0, 0
	seen := map[string]bool{}
	for _, c := range readCases(t, file) {
		got := answers(c.text())
		agrees := len(got) == len(c.Results)
		for i := range min(len(got), len(c.Results)) {
			agrees = agrees && equal(gjson.Parse(got[i]), gjson.ParseBytes(c.Results[i]), c.Unordered)
		}
		if c.ignored() {
			continue
		}
		counted++
		key := oneLine(c.text())
		seen[key] = true
		_, listed := explained[key]
		switch {
		case agrees && listed:
			t.Errorf("%s: listed in EXPLAINED.md, but the answers are equal; remove it from the list", key)
		case !agrees && !listed:
			t.Errorf("%s (%s):\n got %s\nwant %s", key, c.Class, strings.Join(got, " "), bytes.Join(raw(c.Results), []byte(" ")))
		}
		if agrees {
			same++
		}
	}
	for key := range explained {
		if !seen[key] {
			t.Errorf("%s: listed in EXPLAINED.md, but there is no such case", key)
		}
	}
	share := float64(same) / float64(counted)
	t.Logf("%s: %d of %d cases have equal answers, %.1f %%", file, same, counted, 100*share)
	if share < minShare {
		t.Errorf("got equal answers for %.3f of the cases, want at least %.2f", share, minShare)
	}
}

func raw(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, m := range list {
		out[i] = m
	}
	return out
}

// oneLine replaces line ends by \n, as EXPLAINED.md writes them.
func oneLine(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// readExplained reads the cases of one section of EXPLAINED.md, with their reasons. A
// case is a list item with the text between triple back-quotes; the heading before it
// is the reason.
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

func TestFiltersAgreeWithLytics(t *testing.T) {
	t.Parallel()
	compare(t, "filters.jsonl", "Filters", readProfiles(t).answers, 0.93)
}

func TestExpressionsAgreeWithLytics(t *testing.T) {
	t.Parallel()
	compare(t, "expressions.jsonl", "Expressions", readEvents(t).answers, 0.88)
}
