package sparkcsv

import (
	"bufio"
	"bytes"
)

// tokenizer splits text into records as univocity's CsvParser does with Spark's
// settings (unescaped quotes: stop at the delimiter). It mirrors the state of that
// parser, which explains prev and ch, and what stays of a value at the end of the
// text.
type tokenizer struct {
	options Options
	in      *bufio.Reader
	// line is the current line if the text is read line by line; in is then nil.
	line []byte
	// sep1 and sep2 are the detected line separator. It becomes \n everywhere, even
	// within quotes.
	sep1, sep2 byte
	done       bool

	ch, prev  byte
	unescaped bool
	// escapes counts the escaped quotes in the current value.
	escapes int
	value   []byte
	row     []string
	width   int
	err     error
}

const newline = '\n'

func (t *tokenizer) addValue(s string) {
	t.row = append(t.row, s)
}

// endEmpty adds an empty unquoted value, which is the null value.
func (t *tokenizer) endEmpty() { t.addValue(t.options.NullValue) }

// endValue adds the current value.
func (t *tokenizer) endValue() {
	if len(t.value) == 0 {
		t.addValue(t.options.EmptyValue)
		return
	}
	t.addValue(string(t.value))
	t.value = t.value[:0]
}

// read returns the next record, or nil at the end.
func (t *tokenizer) read() []string {
	for !t.done {
		t.row = make([]string, 0, t.width)
		t.value = t.value[:0]
		if !t.nextChar() {
			return t.atEOF()
		}
		if t.options.Comment != 0 && t.ch == t.options.Comment {
			for t.ch != newline {
				if !t.nextChar() {
					return nil
				}
			}
			continue
		}
		if !t.readRecord() {
			return t.atEOF()
		}
		if len(t.row) > 0 {
			t.width = len(t.row)
			return t.row
		}
	}
	return nil
}

// atEOF ends the record at the end of the text.
func (t *tokenizer) atEOF() []string {
	t.done = true
	consume := t.consumeAtEOF()
	switch {
	case len(t.row) != 0 || consume:
		if len(t.value) > 0 || consume {
			t.endValue()
		} else {
			t.endEmpty()
		}
	case len(t.value) > 0:
		t.endValue()
	}
	if len(t.row) == 0 {
		return nil
	}
	return t.row
}

func (t *tokenizer) consumeAtEOF() bool {
	if t.options.Quote != 0 && t.ch == t.options.Quote {
		if t.prev == t.options.Quote {
			return true
		}
		if !t.unescaped {
			t.value = append(t.value, t.options.Quote)
		}
	}
	out := t.prev != 0 && t.ch != t.options.Sep && t.ch != newline
	t.ch, t.prev = 0, 0
	return out
}

func (t *tokenizer) isSpace() bool { return t.ch <= ' ' }

func (t *tokenizer) skipSpace() bool {
	for t.isSpace() && t.ch != t.options.Sep && t.ch != newline {
		if !t.nextChar() {
			return false
		}
	}
	return true
}

// readRecord reads up to the end of the line; it returns false if the text ends before.
func (t *tokenizer) readRecord() bool {
	if t.options.TrimLeft && t.isSpace() && !t.skipSpace() {
		return false
	}
	for t.ch != newline {
		if t.options.TrimLeft && t.isSpace() && !t.skipSpace() {
			return false
		}
		switch {
		case t.ch == t.options.Sep || t.ch == newline:
			t.endEmpty()
		case t.options.Quote != 0 && t.ch == t.options.Quote:
			t.unescaped, t.prev, t.escapes = false, 0, 0
			if !t.readQuoted() {
				return false
			}
			// Without a character that escapes escapes, univocity uses NUL, and values
			// with escaped quotes lose their NULs.
			if t.escapes > 0 && t.options.EscapeEscape == 0 {
				t.value = bytes.ReplaceAll(t.value, []byte{0}, nil)
			}
			t.endValue()
		default:
			t.unescaped, t.prev = false, 0
			ok := t.readBuffered() || t.appendUntil(t.options.Sep, newline)
			t.trimRight()
			if !ok {
				// The rest of the text is the last value.
				t.endUnquoted()
				t.ch, t.prev = newline, 0
				return true
			}
			t.endUnquoted()
		}
		if t.ch != newline {
			if !t.nextChar() {
				// A delimiter ends the text: one more, empty value follows.
				t.endEmpty()
				t.ch = newline
				return true
			}
			if t.ch == newline {
				t.endEmpty()
			}
		}
	}
	return true
}

func (t *tokenizer) trimRight() {
	if t.options.TrimRight {
		t.value = bytes.TrimRightFunc(t.value, func(r rune) bool { return r <= ' ' })
	}
}

// endUnquoted adds an unquoted value. A value that was trimmed to nothing is null.
func (t *tokenizer) endUnquoted() {
	if len(t.value) == 0 {
		t.endEmpty()
		return
	}
	t.endValue()
}

// appendUntil appends to the value up to one of two characters.
func (t *tokenizer) appendUntil(stop1, stop2 byte) bool {
	start := t.ch
	for t.ch != stop1 && t.ch != stop2 {
		t.value = append(t.value, t.ch)
		if !t.nextChar() {
			t.ch = start // as univocity does at the end of the text
			return false
		}
	}
	return true
}

// appendUntilQuote appends to the value up to a quote or an escape character.
func (t *tokenizer) appendUntilQuote() bool {
	start := t.ch
	for t.ch != t.options.Quote && (t.ch != t.options.Escape || t.options.Escape == 0) && (t.ch != t.options.EscapeEscape || t.options.EscapeEscape == 0) {
		t.value = append(t.value, t.ch)
		if !t.nextChar() {
			t.ch = start
			return false
		}
	}
	return true
}

// readQuoted reads a value that begins with a quote. After an unescaped quote, it
// reads up to the delimiter, as if the value were not quoted.
func (t *tokenizer) readQuoted() bool {
	quote, escape := t.options.Quote, t.options.Escape
	if t.prev != 0 {
		t.value = append([]byte{quote}, t.value...)
		ok := t.nextChar() && t.appendUntil(t.options.Sep, newline)
		t.trimRight()
		return ok
	}
	if !t.nextChar() {
		return false
	}
	for t.prev != quote || !t.isSpace() && t.ch != t.options.Sep && t.ch != newline {
		if t.ch != quote && (t.ch != escape || escape == 0) {
			if t.prev == quote {
				return t.unescapedQuote()
			}
			if t.prev == escape && escape != 0 {
				t.value = append(t.value, escape)
			}
			if !t.appendUntilQuote() {
				return false
			}
			t.prev = t.ch
			if !t.nextChar() {
				return false
			}
			continue
		}
		if !t.handleQuoteOrEscape() {
			return false
		}
		t.prev = t.ch
		if !t.nextChar() {
			return false
		}
		if t.unescaped && (t.ch == t.options.Sep || t.ch == newline) {
			return true
		}
	}
	if t.ch == t.options.Sep || t.ch == newline || !t.isSpace() {
		return true
	}
	return t.skipSpacesAfterQuote()
}

func (t *tokenizer) unescapedQuote() bool {
	t.unescaped = true
	t.value = append(t.value, t.options.Quote, t.ch)
	t.prev = t.ch
	return t.readQuoted()
}

// readAfterEscapedQuote reads up to the delimiter after an unescaped quote that
// precedes an escape character.
func (t *tokenizer) readAfterEscapedQuote() bool {
	t.value = append(t.value, t.options.Quote)
	t.prev = t.ch
	for t.ch != t.options.Sep && t.ch != newline {
		if t.ch != t.options.Quote && (t.ch != t.options.Escape || t.options.Escape == 0) {
			if t.prev == t.options.Quote {
				return t.readAfterEscapedQuote()
			}
			t.value = append(t.value, t.ch)
		} else if !t.handleQuoteOrEscape() {
			return false
		}
		t.prev = t.ch
		if !t.nextChar() {
			return false
		}
	}
	return true
}

// handleQuoteOrEscape handles a quote or an escape character, depending on the
// character before it.
func (t *tokenizer) handleQuoteOrEscape() bool {
	quote, escape, ee := t.options.Quote, t.options.Escape, t.options.EscapeEscape
	switch {
	case escape != 0 && t.ch == escape && t.prev == ee && ee != 0:
		t.value = append(t.value, escape)
		t.ch = 0
	case escape != 0 && t.prev == escape:
		if t.ch == quote {
			t.value = append(t.value, quote)
			t.ch = 0
			t.escapes++
		} else {
			t.value = append(t.value, t.prev)
		}
	case t.ch == quote && t.prev == quote:
		t.value = append(t.value, quote)
	case t.prev == quote:
		return t.readAfterEscapedQuote()
	}
	return true
}

// skipSpacesAfterQuote skips spaces between a closing quote and the delimiter. If
// other text follows, the quote did not end the value.
func (t *tokenizer) skipSpacesAfterQuote() bool {
	var spaces []byte
	for {
		spaces = append(spaces, t.ch)
		if !t.nextChar() {
			return false
		}
		if t.ch == newline {
			return true
		}
		if !t.isSpace() {
			break
		}
	}
	if t.ch == t.options.Sep {
		return true
	}
	t.value = append(append(append(t.value, t.options.Quote), spaces...), t.ch)
	t.prev = t.ch
	return t.readQuoted()
}
