package jobs

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckPredicate returns an error if a SQL condition could extend past the
// parentheses that surround it in a statement: because of an open quote or
// parenthesis, a comment, or a second statement. It reads the text as the lexer of
// Databricks SQL does, and refuses what runtimes read in different ways. It does not
// check the meaning; the warehouse does.
func CheckPredicate(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is empty: write a condition, or leave the attribute out")
	}
	if !utf8.ValidString(text) {
		return errors.New("it is not valid UTF-8: write it as UTF-8")
	}
	depth := 0
	for i := 0; i < len(text); {
		rest := text[i:]
		if n := word(rest); n > 0 {
			end, err := afterWord(text, i, i+n)
			if err != nil {
				return err
			}
			i = end
			continue
		}
		switch rest[0] {
		case '\'', '"', '`':
			end, err := literal(text, i, rest[0] != '`')
			if err != nil {
				return err
			}
			i = end
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return fmt.Errorf("the closing parenthesis at byte %d has no opening one", i)
			}
		}
		if refused := refusedIn(rest); refused != "" {
			return fmt.Errorf(refused, i)
		}
		i++
	}
	if depth > 0 {
		return errors.New("a parenthesis is never closed")
	}
	return nil
}

// refusedIn is the error for a text that begins with something that a condition must
// not have outside quotes, with the verb %d for its place; else it is "".
func refusedIn(rest string) string {
	switch {
	case rest[0] == ';':
		return "it has a semicolon at byte %d: write one condition, without a semicolon"
	case rest[0] == 0:
		return "it has a NUL character at byte %d: remove it"
	case rest[0] == '$':
		// Texts between $$ are literals, and ${...} is replaced before the text is parsed.
		return "it has a dollar sign outside quotes at byte %d: write texts in single quotes, and names in backquotes"
	case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "/*"):
		return "it has a comment at byte %d: remove the comment"
	case strings.HasPrefix(rest, "://"):
		// Spark reads a URL outside quotes as one name.
		return "it has a URL outside quotes at byte %d: write the URL in single quotes"
	}
	return ""
}

// word returns the length of the name, keyword or number at the beginning of a text.
// All letters count, as in the newest runtimes.
func word(text string) int {
	return len(text) - len(strings.TrimLeftFunc(text, func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || r > unicode.MaxASCII || unicode.IsLetter(r)
	}))
}

// afterWord returns the index behind the word text[from:to], and behind the literal
// that begins with the word: r'...' and r"..." are raw literals, in which a backslash
// does not escape.
func afterWord(text string, from, to int) (int, error) {
	if to == len(text) || text[to] != '\'' && text[to] != '"' || text[to-1] != 'r' && text[to-1] != 'R' {
		return to, nil
	}
	if to-from == 1 {
		return literal(text, to, false)
	}
	for _, r := range text[from:to] {
		// "1e-5r" is a number and the r of a raw literal; and whether a letter such as
		// "é" is part of the word depends on the runtime.
		if r > unicode.MaxASCII || '0' <= text[from] && text[from] <= '9' {
			return 0, fmt.Errorf("the quote at byte %d follows a word that ends with r: write a space before the quote", to)
		}
	}
	return to, nil
}

// literal returns the index behind the quoted text that begins at i. In some
// literals a backslash escapes the next character. A doubled quote, which stands for
// one quote or separates two literals, continues as a second literal: both readings
// end at the same place. "${" is refused, because it is replaced before the text is
// parsed.
func literal(text string, i int, escapes bool) (int, error) {
	quote := text[i]
	for j := i + 1; j < len(text); j++ {
		switch c := text[j]; {
		case c == '\\' && escapes:
			j++
		case c == quote:
			if strings.Contains(text[i:j], "${") {
				return 0, fmt.Errorf("the text in quotes at byte %d has \"${\", which the warehouse may replace: write concat('$', '{')", i)
			}
			return j + 1, nil
		}
	}
	return 0, fmt.Errorf("the quote %c at byte %d is never closed", quote, i)
}

// CheckWhere refuses an import whose condition could extend past its parentheses.
func (i *TableImport) CheckWhere() error {
	if i.Where == "" {
		return nil
	}
	if err := CheckPredicate(i.Where); err != nil {
		return Invalid("where", "The condition of the import cannot be used", "where is not one SQL condition: "+err.Error()+".",
			"Correct where: it is one condition of Databricks SQL over the table's columns")
	}
	return nil
}
