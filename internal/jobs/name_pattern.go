package jobs

import (
	"regexp"
	"strings"
)

// NamePattern converts a pattern of SHOW ... LIKE to a function that matches names. "*"
// matches any characters, "|" separates alternatives, and case is ignored. An empty
// pattern matches every name.
func NamePattern(pattern string) (match func(name string) bool) {
	if strings.TrimSpace(pattern) == "" {
		return func(string) bool { return true }
	}
	alternatives := strings.Split(strings.ToValidUTF8(pattern, "\uFFFD"), "|") // regexp takes valid UTF-8 only
	for i, a := range alternatives {
		alternatives[i] = strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(a)), `\*`, ".*")
	}
	return regexp.MustCompile("(?is)^(?:" + strings.Join(alternatives, "|") + ")$").MatchString
}
