package jobs_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// runtime is the lexer of one Databricks runtime: the rules of Spark's SqlBaseLexer.g4
// as patterns, of which the longest match at a place is the next token.
type runtime struct {
	tokens *regexp.Regexp
	// decimals match where no letter, digit or underscore follows.
	decimals *regexp.Regexp
}

var (
	notInCondition = regexp.MustCompile(`^(?:;|--|/\*)`)
	wordFollows    = regexp.MustCompile(`^[\pL0-9_]`)
)

// runtimes differ in the letters of names, in URLs as names, in doubled quotes and in
// texts between dollar signs.
func runtimes() map[string]runtime {
	out := map[string]runtime{}
	for letters, letter := range map[string]string{"ascii": `[A-Za-z]`, "unicode": `\pL`} {
		for quotes, doubled := range map[string][2]string{"single": {"", ""}, "doubled": {`|''`, `|""`}} {
			for names, more := range map[string]string{
				"":    "",
				"url": `|` + letter + `+://(?:` + letter + `|[0-9_/.?=&#%-])+`, "dollar": `|(?s:\$\$.*?\$\$)`,
			} {
				tokens := []string{
					`(?s:'(?:[^'\\]|\\.` + doubled[0] + `)*')`, `(?s:"(?:[^"\\]|\\.` + doubled[1] + `)*")`,
					`[rR]'[^']*'`, `[rR]"[^"]*"`, "`(?:[^`]|``)*`",
					`(?:` + letter + `|[0-9_])+` + more,
					`[0-9]+[eE][+-]?[0-9]+(?:[fFdD]|[bB][dD])?`,
					`--(?:\\\n|[^\r\n])*`, `/\*`, `\s+`, `(?s:.)`,
				}
				r := runtime{tokens: regexp.MustCompile(`^(?:` + strings.Join(tokens, "|") + `)`)}
				r.decimals = regexp.MustCompile(`^(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?:[fFdD]|[bB][dD])?`)
				r.tokens.Longest()
				r.decimals.Longest()
				out[letters+" "+quotes+" "+names] = r
			}
		}
	}
	return out
}

func (r runtime) next(text string) string {
	token := r.tokens.FindString(text)
	if d := r.decimals.FindString(text); len(d) > len(token) && !wordFollows.MatchString(text[len(d):]) {
		return d
	}
	return token
}

// endsEarly reports whether the parentheses around a condition end before its end, or
// do not end there.
func (r runtime) endsEarly(condition string) bool {
	text, depth := "(\n"+condition+"\n)", 0
	for text != "" {
		token := r.next(text)
		text = text[len(token):]
		switch {
		case token == "(":
			depth++
		case token == ")":
			depth--
		case notInCondition.MatchString(token):
			return true
		}
		if depth <= 0 {
			return text != ""
		}
	}
	return true
}

// checklist 52: no runtime reads a condition that was accepted as more than what is
// in the parentheses around it.
func FuzzCheckPredicate(f *testing.F) {
	all := runtimes()
	for _, seed := range []string{
		"country = 'DE'", "a = r'\\' OR b = '\\''", "a = \"x\\\"\" AND (b)", "`a``b` = 1e-5", "a = 'it''s'", "DATE'2026-01-01' < a",
		"a = $$x$$", "s3://a--b", "1.5e3r'\\'", "é = 'é'", "a /* b */", "r\"(\" = r')'",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if jobs.CheckPredicate(text) != nil {
			return
		}
		if !utf8.ValidString(text) {
			t.Fatalf("%q is accepted and is not UTF-8", text)
		}
		for name, r := range all {
			if r.endsEarly(text) {
				t.Errorf("%q is accepted, and the parentheses around it end early for %s", text, name)
			}
		}
	})
}
