package jobs

import (
	"fmt"
	"strings"
)

// ParseSchema parses "catalog.database". A part that contains a dot is written
// in backquotes, as in SQL.
func ParseSchema(text string) (catalog, database string, err error) {
	catalog, rest, ok := cutIdentifier(text)
	if ok && strings.HasPrefix(rest, ".") {
		database, rest, ok = cutIdentifier(rest[1:])
	} else {
		ok = false
	}
	if !ok || rest != "" {
		return "", "", fmt.Errorf(
			"%q is not the name of a schema: write it as catalog.database, with backquotes around a part that contains a dot",
			text,
		)
	}
	return catalog, database, nil
}

// cutIdentifier splits off the identifier at the start of text.
func cutIdentifier(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, "`") {
		end := strings.IndexByte(text, '.')
		if end < 0 {
			end = len(text)
		}
		name, rest = text[:end], text[end:]
		return name, rest, name != "" && !strings.Contains(name, "`")
	}
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] != '`':
		case i+1 < len(text) && text[i+1] == '`':
			i++
		default:
			name = strings.ReplaceAll(text[1:i], "``", "`")
			return name, text[i+1:], name != ""
		}
	}
	return "", "", false
}
