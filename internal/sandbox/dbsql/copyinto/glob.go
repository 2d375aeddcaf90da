package copyinto

import (
	"regexp"
	"slices"
	"strings"
)

// globCharacters are the characters that make a path a pattern.
const globCharacters = "*?[{"

// compileGlob converts a Hadoop glob pattern to a regular expression that matches
// from the start of a text and ends with end. An invalid pattern matches itself.
func compileGlob(pattern, end string) *regexp.Regexp {
	re, err := regexp.Compile("^(?:" + globExpression([]rune(pattern)) + ")" + end)
	if err != nil {
		return regexp.MustCompile("^" + regexp.QuoteMeta(pattern) + end)
	}
	return re
}

func globExpression(pattern []rune) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(pattern); i++ {
		switch r := pattern[i]; {
		case r == '*':
			b.WriteString("[^/]*")
		case r == '?':
			b.WriteString("[^/]")
		case r == '{':
			depth++
			b.WriteString("(?:")
		case r == '}' && depth > 0:
			depth--
			b.WriteByte(')')
		case r == ',' && depth > 0:
			b.WriteByte('|')
		case r == '[' && slices.Index(pattern[i:], ']') > 1:
			end := i + slices.Index(pattern[i:], ']')
			b.WriteString("[" + strings.NewReplacer(`\`, `\\`, `[`, `\[`).Replace(string(pattern[i+1:end])) + "]")
			i = end
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	b.WriteString(strings.Repeat(")", depth))
	return b.String()
}
