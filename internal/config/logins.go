package config

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Logins are the logins that definitions may use: the names of kinds; for a kind whose
// definitions name a file, a variable, a profile or a command of this process, the kind,
// a colon, and a name, or the beginning of names with "*" at its end. After the beginning
// of a command, "*" is the rest of one word. Logins whose secret the store keeps need no
// entry.
type Logins []string

// Allow reports whether a definition may use the login.
func (l Logins) Allow(login *jobs.Login) bool {
	object := login.Object()
	return login.KeepsSecret() || slices.ContainsFunc(l, func(entry string) bool {
		kind, name, named := strings.Cut(entry, ":")
		prefix, pattern := strings.CutSuffix(name, "*")
		return kind == string(login.Kind) && named == login.Kind.NamesObject() &&
			(name == object || pattern && strings.HasPrefix(object, prefix) &&
				(prefix == "" || login.Kind != jobs.LoginTokenCommand || completesWord(prefix, object[len(prefix):])))
	})
}

// completesWord reports whether the rest of a command only ends the last word of its
// beginning. A further argument, an option, or a path that leads out of an allowed
// directory would make another command of it.
func completesWord(beginning, rest string) bool {
	word := beginning[strings.LastIndexFunc(beginning, unicode.IsSpace)+1:]
	return !strings.ContainsFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`"'`, r) }) &&
		(word != "" || !strings.HasPrefix(rest, "-")) && !jobs.HasParent(rest) && !jobs.HasParent(word+rest)
}

// Entry is the entry that allows the login and nothing else.
func (Logins) Entry(login *jobs.Login) string {
	if login.Kind.NamesObject() {
		return string(login.Kind) + ":" + login.Object()
	}
	return string(login.Kind)
}

func (l Logins) check(attribute string) (errs []error) {
	for _, entry := range l {
		kind, name, named := strings.Cut(entry, ":")
		k := jobs.LoginKind(kind)
		_, known := k.Fields()
		switch {
		case !known || k.SecretAttribute() != "":
			var names []string
			for _, k := range jobs.LoginKinds() {
				if k.SecretAttribute() == "" {
					names = append(names, string(k))
				}
			}
			errs = append(errs, jobs.Invalid(attribute, "A setting names no login", fmt.Sprintf("%s has %q.", attribute, entry),
				"Give some of "+strings.Join(names, ", ")))
		case k.NamesObject() && (!named || name == ""):
			errs = append(errs, jobs.Invalid(attribute, "A login is allowed without a name", fmt.Sprintf("%s has %q. Definitions of this kind name "+
				"something of the runner's machine, and its content is sent to the host that they name.", attribute, entry),
				fmt.Sprintf("Give the names that definitions may use, such as %s:/run/secrets/*", kind)))
		case !k.NamesObject() && named:
			errs = append(errs, jobs.Invalid(attribute, "A login has a name", fmt.Sprintf("%s has %q.", attribute, entry),
				fmt.Sprintf("Give %s alone", kind)))
		}
	}
	return errs
}
