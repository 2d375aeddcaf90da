package embedded

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/value"
)

// expectedColumn is a column at the same place in the first event of a stream, which most
// events have there. Index is its index in row; -1 for a column that no mapping names.
type expectedColumn struct {
	name  string
	index int
}

// mostExpected is the largest number of expected columns.
const mostExpected = 256

// readRow reads the columns of an event that the mappings name into row. If a column
// occurs twice, its first value is used.
func (s *streamMappings) readRow(data string) {
	if !s.scanRow(data) {
		s.parseRow(data)
	}
}

// parseRow is readRow for every text.
func (s *streamMappings) parseRow(data string) {
	clear(s.row)
	clear(s.seen)
	missing := len(s.indexes)
	gjson.Parse(data).ForEach(func(k, v gjson.Result) bool {
		if i, ok := s.indexes[k.Str]; ok && !s.seen[i] {
			s.row[i], s.seen[i] = value.FromJSON(v), true
			missing--
		}
		return missing > 0
	})
}

// scanRow is the fast path of readRow. It reports false for a text that is no object or
// that has escapes in the names of columns; row is of no use then.
func (s *streamMappings) scanRow(data string) bool {
	clear(s.row)
	clear(s.seen)
	c := jsonScanner{text: data}
	if !c.take('{') {
		return false
	}
	missing := len(s.indexes)
	for n := 0; missing > 0; n++ {
		if n == 0 && c.take('}') {
			return true
		}
		name, plain := c.string()
		if !plain || !c.take(':') {
			return false
		}
		i := s.indexOf(n, name)
		if i >= 0 && !s.seen[i] {
			v, ok := c.value()
			if !ok {
				return false
			}
			s.row[i], s.seen[i] = v, true
			missing--
		} else if c.raw() == "" {
			return false
		}
		if c.take('}') {
			return true
		}
		if !c.take(',') {
			return false
		}
	}
	return true
}

// indexOf returns the index of the column at a place of an event; -1 if no mapping names
// it.
func (s *streamMappings) indexOf(place int, name string) int {
	if place < len(s.expected) && s.expected[place].name == name {
		return s.expected[place].index
	}
	i, ok := s.indexes[name]
	if !ok {
		i = -1
	}
	if place == len(s.expected) && place < mostExpected {
		s.expected = append(s.expected, expectedColumn{strings.Clone(name), i})
	}
	return i
}

// jsonScanner reads parts of a JSON text. It accepts every valid text, and some others.
type jsonScanner struct {
	text string
	at   int
}

// take skips white space and then a character, and reports whether it was there.
func (c *jsonScanner) take(char byte) bool {
	c.space()
	if c.at < len(c.text) && c.text[c.at] == char {
		c.at++
		return true
	}
	return false
}

func (c *jsonScanner) space() {
	for c.at < len(c.text) && (c.text[c.at] == ' ' || c.text[c.at] == '\t' || c.text[c.at] == '\n' || c.text[c.at] == '\r') {
		c.at++
	}
}

// string reads a string without escapes. If ok is false, the place is unchanged.
func (c *jsonScanner) string() (s string, ok bool) {
	c.space()
	if c.at >= len(c.text) || c.text[c.at] != '"' {
		return "", false
	}
	rest := c.text[c.at+1:]
	end := strings.IndexByte(rest, '"')
	if end < 0 || strings.IndexByte(rest[:end], '\\') >= 0 {
		return "", false
	}
	c.at += end + 2
	return rest[:end], true
}

// value reads a value.
func (c *jsonScanner) value() (v value.Value, ok bool) {
	if s, ok := c.string(); ok {
		return value.OfString(s), true
	}
	raw := c.raw()
	switch raw {
	case "":
		return value.Value{}, false
	case "true":
		return value.OfBool(true), true
	case "false":
		return value.OfBool(false), true
	case "null":
		return value.OfNull(), true
	}
	if first := raw[0]; first == '-' || first-'0' <= 9 {
		v, _ = value.ParseNumber(raw)
		return v, true
	}
	return value.FromJSON(gjson.Parse(raw)), true
}

// raw reads the text of a value; it is empty if there is none.
func (c *jsonScanner) raw() string {
	c.space()
	from := c.at
	depth := 0
	for c.at < len(c.text) {
		switch c.text[c.at] {
		case '"':
			if !c.skipString() {
				return ""
			}
			if depth == 0 {
				return c.text[from:c.at]
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return c.text[from:c.at]
			}
			if depth--; depth == 0 {
				c.at++
				return c.text[from:c.at]
			}
		case ',', ':', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return c.text[from:c.at]
			}
		}
		c.at++
	}
	return ""
}

// skipString skips a string that begins at the place, and reports whether it ends.
func (c *jsonScanner) skipString() bool {
	for c.at++; c.at < len(c.text); c.at++ {
		switch c.text[c.at] {
		case '\\':
			c.at++
		case '"':
			c.at++
			return true
		}
	}
	return false
}
