package value

import (
	"maps"
	"slices"
	"strings"
)

// Shape distinguishes scalars and collections.
type Shape uint8

// The shapes of a field.
const (
	Scalar Shape = iota
	SetOf
	MapOf
)

// Element is the type of a scalar, or of a collection's elements.
type Element string

// The types of elements.
const (
	ElementString Element = "string"
	ElementBool   Element = "bool"
	ElementInt    Element = "int"
	ElementNumber Element = "number"
	ElementDate   Element = "date"
	// ElementAny keeps each value unchanged, except one that is nested too deeply; it
	// is only used in maps.
	ElementAny Element = "value"
	// ElementLocation is a geographic location: the text "latitude,longitude" in
	// degrees.
	ElementLocation Element = "geolocation"
)

// Type is the type of a user field.
type Type struct {
	Shape   Shape
	Element Element
}

// synonyms maps Lytics' names of types to the names of this package. Lytics keeps a
// time for each member of ts[]string; every set here does. A []timebucket of Lytics
// counts times; here it keeps them.
var synonyms = map[string]string{
	"float":        "number",
	"time":         "date",
	"datetime":     "date",
	"ts[]string":   "[]string",
	"[]timebucket": "[]time",
}

var types = map[string]Type{
	"string":            {Scalar, ElementString},
	"bool":              {Scalar, ElementBool},
	"int":               {Scalar, ElementInt},
	"number":            {Scalar, ElementNumber},
	"date":              {Scalar, ElementDate},
	"geolocation":       {Scalar, ElementLocation},
	"[]string":          {SetOf, ElementString},
	"[]time":            {SetOf, ElementDate},
	"map[string]int":    {MapOf, ElementInt},
	"map[string]number": {MapOf, ElementNumber},
	"map[string]string": {MapOf, ElementString},
	"map[string]bool":   {MapOf, ElementBool},
	"map[string]time":   {MapOf, ElementDate},
	"map[string]value":  {MapOf, ElementAny},
}

// TypeNames lists the names that ParseType accepts, sorted.
func TypeNames() []string {
	names := slices.Collect(maps.Keys(types))
	names = slices.AppendSeq(names, maps.Keys(synonyms))
	slices.Sort(names)
	return names
}

// ParseType parses the name of a field type, such as "map[string]int".
func ParseType(name string) (Type, bool) {
	if synonym, ok := synonyms[name]; ok {
		name = synonym
	}
	t, ok := types[name]
	return t, ok
}

func (t Type) String() string {
	for n, known := range types {
		if known == t {
			return n
		}
	}
	return string(t.Element)
}

// Numeric reports whether the elements can be added up.
func (t Type) Numeric() bool { return t.Element == ElementInt || t.Element == ElementNumber }

// Convert converts a value to the type. NULL becomes NULL without a failure. A value
// that cannot be converted becomes NULL, and failed is true. A set is made of a single
// value as well. In collections, elements that cannot be converted are left out, and
// failed is true.
func (t Type) Convert(v Value) (out Value, failed bool) {
	if v.IsNull() {
		return Value{}, false
	}
	switch t.Shape {
	case SetOf:
		return t.convertSet(v)
	case MapOf:
		return t.convertMap(v)
	default:
		return t.Element.Convert(v)
	}
}

// Convert converts a scalar; see Type.Convert. An empty string becomes NULL as a
// number, boolean or date without a failure, because text files write NULL like that.
func (e Element) Convert(v Value) (out Value, failed bool) {
	switch e {
	case ElementString:
		return ToString(v), false
	case ElementBool:
		out = ToBool(v)
	case ElementNumber:
		out = ToNumber(v)
	case ElementInt:
		out = ToNumber(v)
		if i, ok := out.Int(); ok {
			out = OfInt(i)
		} else {
			out = Value{}
		}
	case ElementDate:
		out = ToTime(v)
	case ElementLocation:
		out = ToLocation(v)
	default:
		if v.nestedDeeperThan(maxNesting) {
			return Value{}, true
		}
		return v, false
	}
	failed = out.IsNull() && !v.IsNull() && (v.kind != String || strings.TrimSpace(v.str) != "")
	return out, failed
}

func (t Type) convertSet(v Value) (Value, bool) {
	in := []Value{v}
	if v.kind == List {
		in = v.List()
	}
	var list []Value
	anyFailed := false
	for _, e := range in {
		c, failed := t.Element.Convert(e)
		anyFailed = anyFailed || failed
		if !c.IsNull() {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return Value{}, anyFailed
	}
	return OfList(list), anyFailed
}

func (t Type) convertMap(v Value) (Value, bool) {
	if v.kind != Map {
		return Value{}, true
	}
	var entries []Entry
	anyFailed := false
	for _, e := range v.Entries() {
		c, failed := t.Element.Convert(e.Value)
		anyFailed = anyFailed || failed
		if !c.IsNull() {
			entries = append(entries, Entry{Key: e.Key, Value: c})
		}
	}
	if len(entries) == 0 {
		return Value{}, anyFailed
	}
	return Value{kind: Map, ref: entries}, anyFailed
}
