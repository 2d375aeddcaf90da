package value

import (
	"maps"
	"slices"
	"strings"
)

// Shape tells scalars and collections apart.
type Shape uint8

// The shapes of a field.
const (
	Scalar Shape = iota
	SetOf
	MapOf
)

// Element is the type of a scalar, or of a collection's elements.
type Element string

// The elements.
const (
	ElementString Element = "string"
	ElementBool   Element = "bool"
	ElementInt    Element = "int"
	ElementNumber Element = "number"
	ElementDate   Element = "date"
	// ElementAny keeps each value as it came; only in maps.
	ElementAny Element = "value"
	// ElementPlace is a place on Earth: the text "latitude,longitude" in degrees.
	ElementPlace Element = "geolocation"
)

// Type is the type of a user field.
type Type struct {
	Shape   Shape
	Element Element
}

// synonyms are names of Lytics for types that have another name here.
// Members of ts[]string have a time, as those of every set here do; a
// []timebucket counts times, and here keeps them.
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
	"geolocation":       {Scalar, ElementPlace},
	"[]string":          {SetOf, ElementString},
	"[]time":            {SetOf, ElementDate},
	"map[string]int":    {MapOf, ElementInt},
	"map[string]number": {MapOf, ElementNumber},
	"map[string]string": {MapOf, ElementString},
	"map[string]bool":   {MapOf, ElementBool},
	"map[string]time":   {MapOf, ElementDate},
	"map[string]value":  {MapOf, ElementAny},
}

// TypeNames lists the names that ParseType knows, sorted.
func TypeNames() []string {
	names := slices.Collect(maps.Keys(types))
	names = slices.AppendSeq(names, maps.Keys(synonyms))
	slices.Sort(names)
	return names
}

// ParseType reads the name of a field type, such as "map[string]int".
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

// Convert makes a value fit the type. NULL gives NULL and no failure; a value
// that does not fit gives NULL and failed. A set takes a single value for a set
// of one; in collections elements that do not fit are left out, and failed.
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

// Convert makes a scalar fit; see Type.Convert. An empty string is no number,
// boolean or date, and no failure either: it is how text files write NULL.
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
	case ElementPlace:
		out = ToPlace(v)
	default:
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
