package differential

import (
	"fmt"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/dbsql/syntax"
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

// topLevel says whether a statement has a word outside of parentheses.
func topLevel(statement, word string) bool {
	tokens, err := syntax.Lex(statement)
	if err != nil {
		return false
	}
	depth := 0
	for _, t := range tokens {
		switch {
		case t.Kind == syntax.Op && t.Text == "(":
			depth++
		case t.Kind == syntax.Op && t.Text == ")":
			depth--
		case depth == 0 && t.Kind == syntax.Word && t.Upper == word:
			return true
		}
	}
	return false
}
