package merge_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"
	"pgregory.net/rapid"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/merge"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

func rule(t interface {
	Helper()
	Fatalf(string, ...any)
}, typ string, op merge.Operation, capacity, keepDays int64) merge.Rule {
	t.Helper()
	parsed, ok := value.ParseType(typ)
	if !ok {
		t.Fatalf("no type %s", typ)
	}
	r, err := merge.NewRule(parsed, op, capacity, keepDays)
	if err != nil {
		t.Fatalf("%s by %s: %v", typ, op, err)
	}
	return r
}

type fact struct {
	at   merge.Stamp
	json string
}

func add(r merge.Rule, s merge.State, f fact) {
	if v, _ := r.Prepare(value.FromJSON(gjson.Parse(f.json))); !v.IsNull() {
		s.Add(v, f.at)
	}
}

func TestOperations(t *testing.T) {
	t.Parallel()
	now := time.UnixMicro(1000).Add(365 * 24 * time.Hour)
	at := func(us int64, id string) merge.Stamp { return merge.Stamp{Micros: us, ID: id} }
	for _, c := range []struct {
		typ      string
		op       merge.Operation
		capacity int64
		facts    []fact
		want     string
	}{
		{"string", merge.Latest, 0, []fact{{at(2, "a"), `"two"`}, {at(1, "b"), `"one"`}}, "two"},
		{"string", merge.Latest, 0, []fact{{at(2, "a"), `"x"`}, {at(2, "b"), `"y"`}}, "y"},
		{"string", merge.Latest, 0, []fact{{at(2, "b"), `"y"`}, {at(2, "a"), `"x"`}}, "y"},
		{"string", merge.Latest, 0, []fact{{at(2, "b"), `null`}}, ""},
		{"string", merge.Oldest, 0, []fact{{at(2, "a"), `"two"`}, {at(1, "b"), `"one"`}}, "one"},
		{"string", merge.Oldest, 0, []fact{{at(1, "b"), `"y"`}, {at(1, "a"), `"x"`}}, "x"},
		{"number", merge.Sum, 0, []fact{{at(1, "a"), `0.1`}, {at(1, "b"), `0.2`}, {at(1, "c"), `9007199254740993`}}, "9007199254740993.3"},
		{"int", merge.Sum, 0, []fact{{at(1, "a"), `9223372036854775807`}, {at(1, "b"), `"1"`}}, "9223372036854775808"},
		{"int", merge.Count, 0, []fact{{at(1, "a"), `"x"`}, {at(1, "b"), `null`}, {at(1, "c"), `""`}}, "2"},
		{"number", merge.Min, 0, []fact{{at(1, "a"), `5`}, {at(1, "b"), `-2.50`}}, "-2.5"},
		{"date", merge.Max, 0, []fact{{at(1, "a"), `"2024-01-02"`}, {at(1, "b"), `"2024-01-01"`}}, "2024-01-02T00:00:00.000000Z"},
		{"[]string", merge.Merge, 0, []fact{{at(1, "a"), `["b","a"]`}, {at(2, "b"), `"c"`}, {at(2, "b"), `"a"`}}, `["a","b","c"]`},
		{"[]string", merge.Capped, 2, []fact{{at(3, "a"), `"x"`}, {at(1, "b"), `"y"`}, {at(2, "c"), `"z"`}}, `["x","z"]`},
		{"[]string", merge.Latest, 0, []fact{{at(2, "a"), `["b","a","b"]`}, {at(1, "b"), `"c"`}}, `["a","b"]`},
		{"[]time", merge.Merge, 0, []fact{{at(1, "a"), `["2024-01-02","2024-01-01"]`}}, `["2024-01-01T00:00:00.000000Z","2024-01-02T00:00:00.000000Z"]`},
		{"map[string]int", merge.Sum, 0, []fact{{at(1, "a"), `{"x":1}`}, {at(1, "b"), `{"x":2,"y":5}`}}, `{"x":3,"y":5}`},
		{"map[string]int", merge.Count, 0, []fact{{at(1, "a"), `["x","y"]`}, {at(1, "b"), `"x"`}}, `{"x":2,"y":1}`},
		{"map[string]number", merge.MapMax, 0, []fact{{at(1, "a"), `{"x":1.5}`}, {at(2, "b"), `{"x":1.25}`}}, `{"x":1.5}`},
		{"map[string]number", merge.MapMin, 1, []fact{{at(1, "a"), `{"x":1.5}`}, {at(2, "b"), `{"x":1.25,"y":7}`}}, `{"x":1.25}`},
		{"map[string]string", merge.LatestMap, 1, []fact{{at(5, "a"), `{"x":"new"}`}, {at(2, "b"), `{"x":"old","y":"out"}`}}, `{"x":"new"}`},
		{"map[string]string", merge.OldestMap, 0, []fact{{at(5, "a"), `{"x":"new"}`}, {at(2, "b"), `{"x":"old","y":"in"}`}}, `{"x":"old","y":"in"}`},
		{"map[string]value", merge.Merge, 0, []fact{{at(5, "a"), `{"x":[1.0]}`}, {at(2, "b"), `{"y":true}`}}, `{"x":[1],"y":true}`},
		{"bool", "", 0, []fact{{at(5, "a"), `"yes"`}}, "true"},
	} {
		r := rule(t, c.typ, c.op, c.capacity, 0)
		s := r.New()
		for _, f := range c.facts {
			add(r, s, f)
		}
		if got := s.Value(now).Text(); got != c.want {
			t.Errorf("%s of %s over %v = %s, want %s", c.op, c.typ, c.facts, got, c.want)
		}
	}
}

func TestValuesExpire(t *testing.T) {
	t.Parallel()
	day := 24 * time.Hour
	now := time.Date(2024, 6, 30, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) merge.Stamp { return merge.Stamp{Micros: now.Add(-d).UnixMicro(), ID: "e"} }
	tags := rule(t, "[]string", merge.Merge, 0, 30)
	s := tags.New()
	add(tags, s, fact{ago(29 * day), `"fresh"`})
	add(tags, s, fact{ago(31 * day), `"stale"`})
	if got := s.Value(now).Text(); got != `["fresh"]` {
		t.Errorf("the set is %s", got)
	}
	latest := rule(t, "string", merge.Latest, 0, 30)
	s = latest.New()
	add(latest, s, fact{ago(31 * day), `"stale"`})
	if got := s.Value(now); !got.IsNull() {
		t.Errorf("the latest is %s", got.Text())
	}
	if got := s.Value(now.Add(-2 * day)).Text(); got != "stale" {
		t.Errorf("two days earlier: got %q, want stale", got)
	}
}

func TestInvalidRulesAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ            string
		op             merge.Operation
		capacity, keep int64
		part           string
	}{
		{"string", merge.Sum, 0, 0, "merge_operation"},
		{"string", merge.Min, 0, 0, "merge_operation"},
		{"bool", merge.Max, 0, 0, "merge_operation"},
		{"date", merge.Sum, 0, 0, "merge_operation"},
		{"int", merge.Merge, 0, 0, "merge_operation"},
		{"[]string", merge.Sum, 0, 0, "merge_operation"},
		{"[]string", merge.MapMax, 0, 0, "merge_operation"},
		{"map[string]string", merge.MapMax, 0, 0, "merge_operation"},
		{"map[string]bool", merge.Sum, 0, 0, "merge_operation"},
		{"int", "average", 0, 0, "merge_operation"},
		{"int", merge.Sum, 5, 0, "capacity"},
		{"[]string", merge.Latest, 5, 0, "capacity"},
		{"[]string", merge.Capped, -1, 0, "capacity"},
		{"[]string", merge.Capped, merge.MaxCapacity + 1, 0, "capacity"},
		{"int", merge.Sum, 0, 5, "keep_days"},
		{"int", merge.Latest, 0, -5, "keep_days"},
	} {
		typ, _ := value.ParseType(c.typ)
		_, err := merge.NewRule(typ, c.op, c.capacity, c.keep)
		e, ok := errors.AsType[*merge.RuleError](err)
		if !ok || e.Part != c.part || e.Reason == "" {
			t.Errorf("%s by %s, capacity %d, keep %d: %v, want an error of %s", c.typ, c.op, c.capacity, c.keep, err, c.part)
		}
	}
}

// checklist 63: the value does not depend on the order of events, on their grouping into
// profiles, or on storing and reading states in between.
func TestTheOrderOfEventsDoesNotMatter(t *testing.T) {
	t.Parallel()
	type field struct {
		typ string
		op  merge.Operation
	}
	var fields []field
	for _, typ := range value.TypeNames() {
		parsed, _ := value.ParseType(typ)
		for _, op := range merge.Operations(parsed) {
			fields = append(fields, field{typ, op})
		}
	}
	texts := map[bool][]string{
		false: {`"1"`, `"x"`, `1.50`, `1.5`, `-3`, `true`, `0`, `"2024-01-01"`, `"2023-05-05T01:02:03.000004Z"`, `["1","2"]`, `["3","1","4"]`, `""`, `null`, `1e-20`, `-0.0`, `1e2`, `1e1000`, `123456789012345678`, `["7","7","8"]`},
		true:  {`{"a":1}`, `{"a":1.0,"b":"2"}`, `{"c":"2024-01-01","d":true}`, `{"b":-7,"e":0.1}`, `{"a":"2020-02-02","b":"x"}`, `{"a":1e1000,"b":-0.0}`, `{"f":[1]}`, `{}`, `null`},
	}
	now := time.UnixMicro(10)
	for _, f := range fields {
		t.Run(f.typ+" by "+string(f.op), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				capacity := int64(0)
				if parsed, _ := value.ParseType(f.typ); parsed.Shape != value.Scalar && f.op != merge.Latest && f.op != merge.Oldest && f.op != merge.Sum && f.op != merge.Count {
					capacity = rapid.Int64Range(1, 3).Draw(t, "capacity")
				}
				r := rule(t, f.typ, f.op, capacity, 0)
				var facts []fact
				for i := range rapid.IntRange(0, 30).Draw(t, "events") {
					facts = append(facts, fact{
						merge.Stamp{Micros: rapid.Int64Range(0, 4).Draw(t, "time"), ID: fmt.Sprint(i / 2)},
						rapid.SampledFrom(texts[strings.HasPrefix(f.typ, "map")]).Draw(t, "value"),
					})
				}
				straight, firsts := r.New(), r.New()
				for _, x := range facts {
					add(r, straight, x)
					addFirst(t, r, firsts, x)
				}
				want := straight.Value(now).Text()
				if got := firsts.Value(now).Text(); got != want {
					t.Fatalf("added one by one %s, from the stored forms of each %s, of %v", want, got, facts)
				}

				shuffled := rapid.Permutation(facts).Draw(t, "order")
				parts := []merge.State{r.New(), r.New(), r.New()}
				for _, x := range shuffled {
					i := rapid.IntRange(0, 2).Draw(t, "profile")
					add(r, parts[i], x)
					if rapid.Bool().Draw(t, "stored") {
						parts[i] = reload(t, r, parts[i])
					}
				}
				parts[2].Merge(parts[0])
				parts[1].Merge(reload(t, r, parts[2]))
				if got := parts[1].Value(now).Text(); got != want {
					t.Fatalf("%s in one order, %s in another, of %v", want, got, facts)
				}
				blob, stamps := store(parts[1])
				var stored value.Reader
				stored.Reset(blob, string(blob))
				if got := r.ReadValue(&stored, stamps, now).Text(); got != want || !stored.Done() || stored.Err() != nil {
					t.Fatalf("ReadValue: got %s with %d bytes left, %v, want %s", got, stored.Left(), stored.Err(), want)
				}
				if !r.ReadsIDs() {
					for i := range stamps {
						stamps[i].ID = ""
					}
				}
				stored.Reset(blob, "")
				got, null := r.AppendText([]byte("-"), &stored, stamps, now)
				if string(got) != "-"+want || null != parts[1].Value(now).IsNull() || !stored.Done() || stored.Err() != nil {
					t.Fatalf("AppendText: got %s, %t with %d bytes left, %v, want %s", got, null, stored.Left(), stored.Err(), want)
				}
			})
		})
	}
}

// addFirst merges the stored form of the state of one fact, and checks that it is that of
// a state that the fact was added to.
func addFirst(t *rapid.T, r merge.Rule, s merge.State, f fact) {
	v, _ := r.Prepare(value.FromJSON(gjson.Parse(f.json)))
	if v.IsNull() {
		return
	}
	var stamps merge.Stamps
	blob := r.AppendFirst(nil, v, f.at, &stamps)
	read := merge.ReadStamps(value.NewReader(stamps.AppendBinary(nil)), nil)
	general, now := r.New(), time.UnixMicro(10)
	general.Add(v, f.at)
	first := r.New()
	for what, load := range map[string]func(*value.Reader, []merge.Stamp){"Read": first.Read, "AddStored": s.AddStored} {
		reader := value.NewReader(blob)
		if load(reader, read); reader.Err() != nil || !reader.Done() {
			t.Fatalf("%s of the first state of %s: %v, %d bytes left", what, f.json, reader.Err(), reader.Left())
		}
	}
	if got, want := first.Value(now).Text(), general.Value(now).Text(); got != want {
		t.Fatalf("the first state of %s is %s, want %s", f.json, got, want)
	}
}

// store returns the stored form of a state, and the stamps that are read back.
func store(s merge.State) ([]byte, []merge.Stamp) {
	var stamps merge.Stamps
	blob := s.AppendBinary(nil, &stamps)
	return blob, merge.ReadStamps(value.NewReader(stamps.AppendBinary(nil)), nil)
}

func reload(t *rapid.T, r merge.Rule, s merge.State) merge.State {
	blob, stamps := store(s)
	reader := value.NewReader(blob)
	out := r.New()
	out.Read(reader, stamps)
	if reader.Err() != nil || !reader.Done() {
		t.Fatalf("a stored state does not read back: %v", reader.Err())
	}
	return out
}
