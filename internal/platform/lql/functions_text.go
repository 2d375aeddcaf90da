package lql

import (
	"strings"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// maxText is the length limit in bytes of a text that functions put together; a function
// has no result beyond it.
const maxText = 1 << 20

var textFunctions = map[string]*function{
	"tolower":          one(of(value.String), changeText(strings.ToLower)),
	"toupper":          one(of(value.String), changeText(strings.ToUpper)),
	"string.lowercase": one(of(value.String), changeText(strings.ToLower)),
	"string.uppercase": one(of(value.String), changeText(strings.ToUpper)),
	"string.titlecase": one(of(value.String), changeText(titleCase)),
	"trim":             one(of(value.String), changeText(strings.TrimSpace)),
	"strip":            one(anything, strip),
	"string.strip":     one(anything, strip),
	"tostring":         one(of(value.String), func(v value.Value) (value.Value, bool) { return text(textOf(v)) }),
	"contains":         {min: 2, max: 2, result: of(value.Bool), eval: contains},
	"hasprefix":        {min: 2, max: 2, result: of(value.Bool), eval: affix(strings.HasPrefix)},
	"hassuffix":        {min: 2, max: 2, result: of(value.Bool), eval: affix(strings.HasSuffix)},
	"split":            {min: 2, max: 2, result: of(value.List), eval: split},
	"string.split":     {min: 2, max: 2, result: of(value.List), eval: split},
	"join":             {min: 2, result: of(value.String), eval: join},
	"replace":          {min: 2, max: 3, result: of(value.String), eval: replace},
	"string.index":     {min: 2, max: 2, result: of(value.Number), eval: indexOf},
	"string.substr":    {min: 2, max: 3, result: of(value.String), eval: substring},
}

func changeText(change func(string) string) func(v value.Value) (value.Value, bool) {
	return func(v value.Value) (value.Value, bool) {
		s, ok := scalarText(v)
		if !ok {
			return no()
		}
		return text(change(s))
	}
}

// titleCase capitalizes the first letter of each word, and leaves the other letters
// unchanged.
func titleCase(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		apart := !unicode.IsLetter(before) && !unicode.IsDigit(before) && before != '_' && (before < unicode.MaxASCII || unicode.IsSpace(before))
		before = r
		if apart {
			return unicode.ToTitle(r)
		}
		return r
	}, s)
}

const stripped = " \n\t\r"

// strip removes leading and trailing space from a string, or from each string of a list.
func strip(v value.Value) (value.Value, bool) {
	switch v.Kind() {
	case value.String:
		return text(strings.Trim(v.Str(), stripped))
	case value.List:
		list := make([]value.Value, len(v.List()))
		for i, e := range v.List() {
			if e.Kind() != value.String {
				return no()
			}
			list[i] = value.OfString(strings.Trim(e.Str(), stripped))
		}
		return value.OfList(list), true
	}
	return no()
}

func contains(_ *Record, args []value.Value) (value.Value, bool) {
	s, ok := scalarText(args[0])
	part, ok2 := scalarText(args[1])
	switch {
	case !ok || !ok2:
		return boolean(false)
	case s == "" || part == "":
		return no()
	}
	return boolean(strings.Contains(s, part))
}

func affix(test func(s, part string) bool) functionEval {
	return func(_ *Record, args []value.Value) (value.Value, bool) {
		part := textOf(args[1])
		if part == "" {
			return no()
		}
		return boolean(test(textOf(args[0]), part))
	}
}

func split(_ *Record, args []value.Value) (value.Value, bool) {
	s, _ := scalarText(args[0])
	separator, _ := scalarText(args[1])
	if s == "" || separator == "" {
		return no()
	}
	return texts(strings.Split(s, separator)), true
}

// join joins the texts of its arguments with the last argument as the separator. It skips
// empty arguments, but not empty members of lists.
func join(_ *Record, args []value.Value) (value.Value, bool) {
	last := len(args) - 1
	separator, ok := scalarText(args[last])
	if !ok {
		return no()
	}
	var parts []string
	for _, a := range args[:last] {
		switch a.Kind() {
		case value.List:
			for _, e := range a.List() {
				if !e.IsNull() {
					parts = append(parts, textOf(e))
				}
			}
		case value.String, value.Number:
			if s := textOf(a); s != "" {
				parts = append(parts, s)
			}
		}
	}
	size := len(separator) * len(parts)
	for _, part := range parts {
		size += len(part)
	}
	if len(parts) == 0 || size > maxText {
		return no()
	}
	return text(strings.Join(parts, separator))
}

func replace(_ *Record, args []value.Value) (value.Value, bool) {
	s, old, by := textOf(args[0]), textOf(args[1]), ""
	if len(args) == 3 {
		by = textOf(args[2])
	}
	if len(s)+strings.Count(s, old)*(len(by)-len(old)) > maxText {
		return no()
	}
	return text(strings.ReplaceAll(s, old, by))
}

// indexOf counts bytes, as Lytics does.
func indexOf(_ *Record, args []value.Value) (value.Value, bool) {
	if args[0].IsEmpty() {
		return no()
	}
	if i := strings.Index(textOf(args[0]), textOf(args[1])); i >= 0 {
		return integer(int64(i))
	}
	return no()
}

// substring counts bytes, as Lytics does. An incomplete character becomes U+FFFD.
func substring(_ *Record, args []value.Value) (value.Value, bool) {
	if args[0].IsEmpty() {
		return no()
	}
	s := textOf(args[0])
	ends := [2]int64{0, int64(len(s))}
	for i, a := range args[1:] {
		n, ok := wholeNumber(a).Int()
		if !ok || n < 0 || n > int64(len(s)) {
			return no()
		}
		ends[i] = n
	}
	if ends[0] > ends[1] {
		return no()
	}
	return validText(s[ends[0]:ends[1]]), true
}
