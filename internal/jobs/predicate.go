package jobs

import (
	"errors"
	"fmt"
	"strings"
)

// CheckPredicate returns an error if a SQL condition would extend past the
// parentheses that surround it in a statement: because of an open quote or
// parenthesis, a comment, or a second statement. It does not check the meaning;
// the warehouse does.
func CheckPredicate(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty: write a condition, or leave the attribute out")
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
				return fmt.Errorf("the closing parenthesis at byte %d has no opening one", i)
			}
		case ';':
			return fmt.Errorf("it has a semicolon at byte %d: write one condition, without a semicolon", i)
		case 0:
			return fmt.Errorf("it has a NUL character at byte %d: remove it", i)
		}
		if rest := text[i:]; strings.HasPrefix(rest, "--") || strings.HasPrefix(rest, "/*") {
			return fmt.Errorf("it has a comment at byte %d: remove the comment", i)
		}
	}
	if depth > 0 {
		return errors.New("a parenthesis is never closed")
	}
	return nil
}

// quoted returns the index of the quote that closes the one at i, or -1. A
// backslash escapes in strings, not in quoted identifiers.
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
