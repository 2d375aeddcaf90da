package differential

import (
	"fmt"
	"strings"
)

// Script is a sequence of statements that are executed in one session.
type Script struct {
	Name string
	// Conf holds the session's parameters.
	Conf  map[string]string
	Cases []Case
}

// Case is one statement of a script.
type Case struct {
	Line      int
	Statement string
	// Unordered is true if the order of the rows does not count, even with ORDER BY.
	Unordered bool
	// Names is true if generated column names count too.
	Names bool
	// Refused is true if the first engine refuses the statement as unsupported.
	Refused bool
	// Differs is the reason why the engines answer differently.
	Differs string
}

// ParseScript parses a script. Empty lines separate the statements. Comments before a
// statement are its directives:
//
//	-- session: NAME=VALUE      parameter of the session
//	-- unordered                the order of the rows does not count (ties)
//	-- names                    generated column names count
//	-- refused                  the first engine refuses the statement as unsupported
//	-- differs: REASON          the engines answer differently
func ParseScript(name, text string) (*Script, error) {
	s := &Script{Name: name, Conf: map[string]string{}}
	line := 1
	for paragraph := range strings.SplitSeq(text, "\n\n") {
		c := Case{Line: line}
		line += strings.Count(paragraph, "\n") + 2
		var statement []string
		for l := range strings.SplitSeq(paragraph, "\n") {
			directive, ok := strings.CutPrefix(l, "-- ")
			key, value, _ := strings.Cut(directive, ":")
			switch {
			case !ok || len(statement) > 0:
				if l != "" || len(statement) > 0 {
					statement = append(statement, l)
				}
			case key == "session":
				name, setting, ok := strings.Cut(strings.TrimSpace(value), "=")
				if !ok {
					return nil, fmt.Errorf("%s:%d: write it as -- session: NAME=VALUE", s.Name, c.Line)
				}
				s.Conf[name] = setting
			case key == "unordered":
				c.Unordered = true
			case key == "refused":
				c.Refused = true
			case key == "names":
				c.Names = true
			case key == "differs":
				if c.Differs = strings.TrimSpace(value); c.Differs == "" {
					return nil, fmt.Errorf("%s:%d: a difference needs its reason", s.Name, c.Line)
				}
			}
		}
		if c.Statement = strings.TrimSpace(strings.Join(statement, "\n")); c.Statement != "" {
			s.Cases = append(s.Cases, c)
		}
	}
	return s, nil
}

// Rules returns the rules for the case's outcomes.
func (c Case) Rules() Rules {
	r := RulesOf(c.Statement)
	if c.Unordered {
		r.Ordered = false
	}
	if c.Names {
		r.Unnamed = nil
	}
	return r
}

// Refused reports whether the first engine refused a statement as unsupported that the
// second one executes.
func Refused(first, second *Outcome) bool {
	switch first.Class {
	case "UNSUPPORTED_FEATURE.SANDBOX":
		return true
	case "UNRESOLVED_ROUTINE", "PARSE_SYNTAX_ERROR":
		return second.Message == ""
	}
	return false
}

// FormatBoth formats two outcomes for people. Of long results it shows only the rows that
// differ.
func FormatBoth(a, b *Outcome) string {
	x, y := *a, *b
	if a.Message == "" && b.Message == "" && len(a.Rows) > shownRows {
		x.Rows, y.Rows = rowsOnlyIn(a.Rows, b.Rows), rowsOnlyIn(b.Rows, a.Rows)
	}
	return "the first engine\n" + x.String() + "\nthe second\n" + y.String()
}

// rowsOnlyIn returns the rows of a that are not in b; a row may occur repeatedly.
func rowsOnlyIn(a, b []string) (out []string) {
	count := map[string]int{}
	for _, row := range b {
		count[row]++
	}
	for _, row := range a {
		if count[row]--; count[row] < 0 {
			out = append(out, row)
		}
	}
	return out
}
