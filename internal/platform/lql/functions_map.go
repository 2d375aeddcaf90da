package lql

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

var mapFunctions = map[string]*function{
	"map":       {min: 2, pairs: true, result: of(value.Map), eval: mapOf},
	"maptime":   {min: 1, max: 2, result: of(value.Map), eval: mapTime},
	"match":     {min: 1, result: of(value.Map), eval: match, readsAll: true},
	"mapkeys":   {min: 1, result: of(value.List), eval: mapKeys},
	"mapvalues": one(of(value.List), mapValues),
	"mapinvert": one(of(value.Map), mapInvert),
}

func mapAnswer(entries []value.Entry) (value.Value, bool) {
	if len(entries) == 0 {
		return no()
	}
	return value.OfMap(entries), true
}

// mapOf returns a map of keys and values. A pair with an empty key or value is left out.
func mapOf(_ *Record, args []value.Value) (value.Value, bool) {
	var entries []value.Entry
	for i := 0; i+1 < len(args); i += 2 {
		if k, v := args[i], args[i+1]; !k.IsEmpty() && !v.IsEmpty() {
			entries = append(entries, value.Entry{Key: textOf(k), Value: v})
		}
	}
	return mapAnswer(entries)
}

// mapTime returns a map from a text in lower case to a date; without a date, to the
// event's time.
func mapTime(r *Record, args []value.Value) (value.Value, bool) {
	if args[0].IsEmpty() {
		return no()
	}
	at := value.OfTime(r.Now)
	if len(args) == 2 {
		var ok bool
		if at, ok = inCalendar(toTime(r, args[1])); !ok {
			return no()
		}
	}
	return mapAnswer([]value.Entry{{Key: strings.ToLower(textOf(args[0])), Value: at}})
}

// match returns the columns whose names begin with a prefix, as a map from the rest of
// the name to the value.
func match(r *Record, args []value.Value) (value.Value, bool) {
	if r.All == nil {
		return no()
	}
	var entries []value.Entry
	for _, a := range args {
		if a.Kind() != value.String {
			continue
		}
		r.All(func(name string, v value.Value) bool {
			if key, ok := strings.CutPrefix(name, a.Str()); ok && key != "" && !v.IsAbsent() {
				entries = append(entries, value.Entry{Key: key, Value: v})
			}
			return true
		})
	}
	return mapAnswer(entries)
}

func mapKeys(_ *Record, args []value.Value) (value.Value, bool) {
	var keys []string
	for _, a := range args {
		for _, e := range a.Entries() {
			keys = append(keys, e.Key)
		}
	}
	return sortedTexts(keys)
}

func mapValues(v value.Value) (value.Value, bool) {
	var out []string
	for _, e := range v.Entries() {
		if !e.Value.IsAbsent() {
			out = append(out, textOf(e.Value))
		}
	}
	return sortedTexts(out)
}

// sortedTexts returns distinct texts, sorted.
func sortedTexts(list []string) (value.Value, bool) {
	slices.Sort(list)
	list = slices.Compact(list)
	return texts(list), len(list) > 0
}

func mapInvert(v value.Value) (value.Value, bool) {
	var entries []value.Entry
	for _, e := range v.Entries() {
		if !e.Value.IsAbsent() {
			entries = append(entries, value.Entry{Key: textOf(e.Value), Value: value.OfString(e.Key)})
		}
	}
	slices.SortFunc(entries, func(a, b value.Entry) int { return cmp.Compare(a.Value.Str(), b.Value.Str()) })
	return mapAnswer(entries)
}
