package hostiletest

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/tidwall/gjson"
)

var (
	jsonValue  = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[\[{]`)
	jsonKey    = regexp.MustCompile(`"(\w+)":`)
	xmlElement = regexp.MustCompile(`<(\w+)>`)
)

// jsonValues take the place of a value. Some are not valid.
var jsonValues = []string{
	"null", "true", `""`, `"x"`, "0", "-1", "2", "1.5", "1e400", "99999999999999999999", "-9223372036854775808", "[]", "{}",
	"[null]", "[{}]", `{"x":1}`, `"\ud800"`, `"\u0000"`, "NaN",
	strings.Repeat("[", 900) + strings.Repeat("]", 900), strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000),
	strings.Repeat(`{"data":`, 500) + "1" + strings.Repeat("}", 500), `"` + strings.Repeat("x", 100_000) + `"`,
}

// xmlValues take the place of the content of an element.
var xmlValues = []string{
	"", "null", "0", "-1", "2", "99999999999999999999", "1.5", "true", "x", "&bogus;", "&lt;", "<![CDATA[x]]>", "<!-- x -->", "<x/>",
	strings.Repeat("<x>", 2000) + strings.Repeat("</x>", 2000), strings.Repeat("x", 100_000),
}

// changeValue changes a value of JSON or an element of XML.
func (a *Recording) changeValue(r *rand.Rand) {
	if strings.HasPrefix(strings.TrimSpace(a.Body), "<") {
		a.changeElement(r)
		return
	}
	if keys := jsonKey.FindAllStringSubmatchIndex(a.Body, -1); len(keys) > 0 && r.IntN(4) == 0 {
		k := keys[r.IntN(len(keys))]
		name := a.Body[k[2]:k[3]]
		if r.IntN(2) == 0 {
			name = strings.ToUpper(name)
		}
		a.Body = a.Body[:k[0]] + `"` + name + `":` + jsonValues[r.IntN(len(jsonValues))] + "," + a.Body[k[0]:]
		a.Changes = append(a.Changes, "a repeated key")
		return
	}
	values := jsonValue.FindAllStringIndex(a.Body, -1)
	a.Changes = append(a.Changes, "another value")
	if len(values) == 0 {
		return
	}
	at := values[r.IntN(len(values))]
	end := at[1]
	if c := a.Body[at[0]]; c == '{' || c == '[' {
		end = at[0] + len(gjson.Parse(a.Body[at[0]:]).Raw)
	}
	a.Body = a.Body[:at[0]] + jsonValues[r.IntN(len(jsonValues))] + a.Body[max(end, at[1]):]
}

// changeElement removes, repeats or renames an element, or changes its content.
func (a *Recording) changeElement(r *rand.Rand) {
	elements := xmlElement.FindAllStringSubmatchIndex(a.Body, -1)
	a.Changes = append(a.Changes, "another element")
	if len(elements) == 0 {
		return
	}
	at := elements[r.IntN(len(elements))]
	name := a.Body[at[2]:at[3]]
	content, after, ok := strings.Cut(a.Body[at[1]:], "</"+name+">")
	if !ok {
		return
	}
	before, whole := a.Body[:at[0]], fmt.Sprintf("<%s>%s</%s>", name, content, name)
	switch r.IntN(5) {
	case 0:
		whole = ""
	case 1:
		whole += whole
	case 2:
		whole = "<Other>" + content + "</Other>"
	default:
		whole = fmt.Sprintf("<%s>%s</%s>", name, xmlValues[r.IntN(len(xmlValues))], name)
	}
	a.Body = before + whole + after
}

// Lengths returns how many entries a list of a JSON text may have: a key may be repeated,
// and which of its values counts is not defined. Without a key, the text is the list.
func Lengths(text, key string) []int {
	if key == "" {
		return []int{length(gjson.Parse(text))}
	}
	var out []int
	gjson.Parse(text).ForEach(func(k, v gjson.Result) bool {
		if strings.EqualFold(k.Str, key) {
			out = append(out, length(v))
		}
		return true
	})
	if len(out) == 0 {
		return []int{0}
	}
	return out
}

func length(list gjson.Result) int {
	if !list.IsArray() {
		return 0
	}
	return len(list.Array())
}
