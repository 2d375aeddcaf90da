package sparkvalue

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// JSONPath evaluates a path such as $.a.b[0]['c'] on a JSON text. A string is
// returned without quotes, another value as JSON. ok is false if the value does not
// exist or is null, or if the text is not JSON.
func JSONPath(text, path string) (value string, ok bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return "", false
	}
	raw := json.RawMessage(text)
	if !json.Valid(raw) {
		return "", false
	}
	for rest != "" {
		var key string
		index := -1
		switch {
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:]+".", ".[")
			key, rest = rest[1:1+min(end, len(rest)-1)], rest[1+min(end, len(rest)-1):]
		case strings.HasPrefix(rest, "['"):
			end := strings.Index(rest, "']")
			if end < 0 {
				return "", false
			}
			key, rest = rest[2:end], rest[end+2:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return "", false
			}
			n, err := strconv.Atoi(rest[1:end])
			if err != nil || n < 0 {
				return "", false
			}
			index, rest = n, rest[end+1:]
		default:
			return "", false
		}
		if raw = member(raw, key, index); raw == nil {
			return "", false
		}
	}
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return "", false
	}
	if raw[0] == '"' {
		err := json.Unmarshal(raw, &value)
		return value, err == nil
	}
	var out bytes.Buffer
	if json.Compact(&out, raw) != nil {
		return "", false
	}
	return out.String(), true
}

func member(raw json.RawMessage, key string, index int) json.RawMessage {
	if index >= 0 {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || index >= len(list) {
			return nil
		}
		return list[index]
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	return object[key]
}
