package differential

import (
	"fmt"
	"strings"
)

// Script is statements that run in one session, one after the other.
type Script struct {
	Name string
	// Conf is of the session.
	Conf  map[string]string
	Cases []Case
}

// Case is one statement of a script.
type Case struct {
	Line      int
	Statement string
	// Unordered rows are compared in any order, whatever the statement says.
	Unordered bool
	// Names of columns that nobody named are compared too.
	Names bool
	// Refused says that the first engine is known to refuse the statement.
	Refused bool
	// Differs is why the engines are known to answer otherwise.
	Differs string
}

// ParseScript reads a script: statements with empty lines between them, each
// after comments that say how to take it.
//
//	-- session: NAME=VALUE      of the script's session
//	-- unordered                the order of ties is nobody's
//	-- names                    names that the engine makes up count
//	-- refused                  the first engine does not know it, and says so
//	-- differs: REASON          the engines are known to differ here
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

// Rules say how the case's outcomes are compared.
func (c Case) Rules() Rules {
	r := RulesOf(c.Statement)
	if c.Unordered {
		r.Ordered = false
	}
	if c.Names {
		r.Nameless = nil
	}
	return r
}

// Refused says that the first engine does not know what the second one executes,
// and says so in place of a guess.
func Refused(first, second *Outcome) bool {
	switch first.Class {
	case "UNSUPPORTED_FEATURE.SANDBOX":
		return true
	case "UNRESOLVED_ROUTINE", "PARSE_SYNTAX_ERROR":
		return second.Message == ""
	}
	return false
}

// Show writes two outcomes for a person: what is in one only, where that is
// less than all.
func Show(a, b *Outcome) string {
	x, y := *a, *b
	if a.Message == "" && b.Message == "" && len(a.Rows) > shownRows {
		x.Rows, y.Rows = only(a.Rows, b.Rows), only(b.Rows, a.Rows)
	}
	return "the first engine\n" + x.String() + "\nthe second\n" + y.String()
}

// only are the rows of a that are not in b, each as often as it is missing.
func only(a, b []string) (out []string) {
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
