package jobs

import (
	"errors"
	"fmt"
	"strings"
)

// CheckPredicate refuses a SQL condition that would not stay within the
// brackets that it is put into: with a quote or a bracket left open, a comment,
// or a second statement. What it means is the warehouse's to judge.
func CheckPredicate(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty: give it a condition, or leave it out")
	}
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\'', '"', '`':
			end := quoted(text, i)
			if end < 0 {
				return fmt.Errorf("the quote %c at byte %d is never closed", c, i)
			}
			i = end
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return fmt.Errorf("the bracket at byte %d closes none", i)
			}
		case ';':
			return fmt.Errorf("it has a ; at byte %d: it is one condition, without an end", i)
		case 0:
			return fmt.Errorf("it has a NUL character at byte %d: remove it", i)
		}
		if rest := text[i:]; strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") {
			return fmt.Errorf("it has a comment at byte %d: write comments beside it", i)
		}
	}
	if depth > 0 {
		return errors.New("a bracket is never closed")
	}
	return nil
}

// quoted gives the place of the quote that closes the one at i, or -1. A
// backslash escapes in texts, not in names.
func quoted(text string, i int) int {
	quote := text[i]
	for j := i + 1; j < len(text); j++ {
		switch text[j] {
		case '\\':
			if quote != '`' {
				j++
			}
		case quote:
			return j
		}
	}
	return -1
}
