package filterql

import (
	"strings"
	"unicode"

	"github.com/agext/levenshtein"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lql"
)

// keywords are the operators that a mistyped word may have been meant for.
var keywords = []string{"EXISTS", "CONTAINS", "INTERSECTS", "INCLUDE", "BETWEEN", "LIKE", "AND", "OR", "NOT", "IN"}

// suggestion is the end of an error about a word that cannot follow the word before it: a
// mistyped operator is read as the name of a field. It is empty if the word resembles none.
func suggestion(text string, err *lql.Error) string {
	lines := strings.Split(text, "\n")
	if err.Line > len(lines) || !strings.HasPrefix(err.Reason, "unexpected ") {
		return ""
	}
	line := []rune(lines[max(err.Line, 1)-1])
	if err.Column < 1 || err.Column > len(line)+1 {
		return ""
	}
	words := strings.FieldsFunc(string(line[:err.Column-1]), func(r rune) bool { return !unicode.IsLetter(r) })
	if len(words) == 0 {
		return ""
	}
	word := words[len(words)-1]
	for _, k := range keywords {
		if d := levenshtein.Distance(strings.ToUpper(word), k, nil); d > 0 && d <= len(k)/4 {
			return `: "` + word + `" is read as a field; did you mean ` + k + "?"
		}
	}
	return ""
}
