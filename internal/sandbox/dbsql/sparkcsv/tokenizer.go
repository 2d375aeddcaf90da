package sparkcsv

import (
	"bufio"
	"bytes"
)

// tokenizer splits text into records as univocity's CsvParser does with the
// settings Spark gives it (unescaped quotes: stop at the delimiter). Its
// odd-looking state is that parser's: prev and ch, and what EOF leaves of a
// value.
type tokenizer struct {
	o  Options
	in *bufio.Reader
	// line is the text where lines are read one by one; in is nil then.
	line []byte
	// sep1 and sep2 are the line separator found in the text, which reads as \n
	// wherever it stands, in quotes too.
	sep1, sep2 byte
	done       bool

	ch, prev  byte
	unescaped bool
	// escapes counts the escaped quotes of a value.
	escapes int
	value   []byte
	row     []string
	width   int
	err     error
}

const newline = '\n'

func (t *tokenizer) put(s string) {
	t.row = append(t.row, s)
}

// empty ends an unquoted empty value, which reads as the null value.
func (t *tokenizer) empty() { t.put(t.o.NullValue) }

// end ends the value under way.
func (t *tokenizer) end() {
	if len(t.value) == 0 {
		t.put(t.o.EmptyValue)
		return
	}
	t.put(string(t.value))
	t.value = t.value[:0]
}

// read returns the next record, or nil at the end.
func (t *tokenizer) read() []string {
	for !t.done {
		t.row = make([]string, 0, t.width)
		t.value = t.value[:0]
		if !t.next() {
			return t.atEOF()
		}
		if t.o.Comment != 0 && t.ch == t.o.Comment {
			for t.ch != newline {
				if !t.next() {
					return nil
				}
			}
			continue
		}
		if !t.record() {
			return t.atEOF()
		}
		if len(t.row) > 0 {
			t.width = len(t.row)
			return t.row
		}
	}
	return nil
}

// atEOF ends the record that the text ended in.
func (t *tokenizer) atEOF() []string {
	t.done = true
	consume := t.consumeAtEOF()
	switch {
	case len(t.row) != 0 || consume:
		if len(t.value) > 0 || consume {
			t.end()
		} else {
			t.empty()
		}
	case len(t.value) > 0:
		t.end()
	}
	if len(t.row) == 0 {
		return nil
	}
	return t.row
}

func (t *tokenizer) consumeAtEOF() bool {
	if t.o.Quote != 0 && t.ch == t.o.Quote {
		if t.prev == t.o.Quote {
			return true
		}
		if !t.unescaped {
			t.value = append(t.value, t.o.Quote)
		}
	}
	out := t.prev != 0 && t.ch != t.o.Sep && t.ch != newline
	t.ch, t.prev = 0, 0
	return out
}

func (t *tokenizer) space() bool { return t.ch <= ' ' }

func (t *tokenizer) skipSpace() bool {
	for t.space() && t.ch != t.o.Sep && t.ch != newline {
		if !t.next() {
			return false
		}
	}
	return true
}

// record reads up to the line's end; false where the text ends first.
func (t *tokenizer) record() bool {
	if t.o.TrimLeft && t.space() && !t.skipSpace() {
		return false
	}
	for t.ch != newline {
		if t.o.TrimLeft && t.space() && !t.skipSpace() {
			return false
		}
		switch {
		case t.ch == t.o.Sep || t.ch == newline:
			t.empty()
		case t.o.Quote != 0 && t.ch == t.o.Quote:
			t.unescaped, t.prev, t.escapes = false, 0, 0
			if !t.quoted() {
				return false
			}
			// Where nothing is set to escape escapes, NUL is: it stops the
			// slow path of univocity, which values with escapes take, and is
			// left out.
			if t.escapes > 0 && t.o.EscapeEscape == 0 {
				t.value = bytes.ReplaceAll(t.value, []byte{0}, nil)
			}
			t.end()
		default:
			t.unescaped, t.prev = false, 0
			ok := t.span() || t.until(t.o.Sep, newline)
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
			if !t.next() {
				// The text ends with a delimiter: one more, empty value.
				t.empty()
				t.ch = newline
				return true
			}
			if t.ch == newline {
				t.empty()
			}
		}
	}
	return true
}

func (t *tokenizer) trimRight() {
	if t.o.TrimRight {
		t.value = bytes.TrimRightFunc(t.value, func(r rune) bool { return r <= ' ' })
	}
}

// endUnquoted ends an unquoted value; one of nothing but trimmed spaces is null.
func (t *tokenizer) endUnquoted() {
	if len(t.value) == 0 {
		t.empty()
		return
	}
	t.end()
}

// until appends from the current character to one of the stops.
func (t *tokenizer) until(stop1, stop2 byte) bool {
	start := t.ch
	for t.ch != stop1 && t.ch != stop2 {
		t.value = append(t.value, t.ch)
		if !t.next() {
			t.ch = start // where univocity's state stays when the text ends here
			return false
		}
	}
	return true
}

// untilQuote appends to a quote or an escape.
func (t *tokenizer) untilQuote() bool {
	start := t.ch
	for t.ch != t.o.Quote && (t.ch != t.o.Escape || t.o.Escape == 0) && (t.ch != t.o.EscapeEscape || t.o.EscapeEscape == 0) {
		t.value = append(t.value, t.ch)
		if !t.next() {
			t.ch = start
			return false
		}
	}
	return true
}

// quoted reads a value that began with a quote. After an unescaped quote it
// goes on to the delimiter, as if the value had not been quoted.
func (t *tokenizer) quoted() bool {
	quote, escape := t.o.Quote, t.o.Escape
	if t.prev != 0 {
		t.value = append([]byte{quote}, t.value...)
		ok := t.next() && t.until(t.o.Sep, newline)
		t.trimRight()
		return ok
	}
	if !t.next() {
		return false
	}
	for t.prev != quote || !t.space() && t.ch != t.o.Sep && t.ch != newline {
		if t.ch != quote && (t.ch != escape || escape == 0) {
			if t.prev == quote {
				return t.unescapedQuote()
			}
			if t.prev == escape && escape != 0 {
				t.value = append(t.value, escape)
			}
			if !t.untilQuote() {
				return false
			}
			t.prev = t.ch
			if !t.next() {
				return false
			}
			continue
		}
		if !t.escaped() {
			return false
		}
		t.prev = t.ch
		if !t.next() {
			return false
		}
		if t.unescaped && (t.ch == t.o.Sep || t.ch == newline) {
			return true
		}
	}
	if t.ch == t.o.Sep || t.ch == newline || !t.space() {
		return true
	}
	return t.afterQuote()
}

func (t *tokenizer) unescapedQuote() bool {
	t.unescaped = true
	t.value = append(t.value, t.o.Quote, t.ch)
	t.prev = t.ch
	return t.quoted()
}

// plain reads to the delimiter after an unescaped quote that an escape follows.
func (t *tokenizer) plain() bool {
	t.value = append(t.value, t.o.Quote)
	t.prev = t.ch
	for t.ch != t.o.Sep && t.ch != newline {
		if t.ch != t.o.Quote && (t.ch != t.o.Escape || t.o.Escape == 0) {
			if t.prev == t.o.Quote {
				return t.plain()
			}
			t.value = append(t.value, t.ch)
		} else if !t.escaped() {
			return false
		}
		t.prev = t.ch
		if !t.next() {
			return false
		}
	}
	return true
}

// escaped handles a quote or an escape by what came before it.
func (t *tokenizer) escaped() bool {
	quote, escape, ee := t.o.Quote, t.o.Escape, t.o.EscapeEscape
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
		return t.plain()
	}
	return true
}

// afterQuote passes spaces between a closing quote and the delimiter; with
// more text there the quote was not the end.
func (t *tokenizer) afterQuote() bool {
	var spaces []byte
	for {
		spaces = append(spaces, t.ch)
		if !t.next() {
			return false
		}
		if t.ch == newline {
			return true
		}
		if !t.space() {
			break
		}
	}
	if t.ch == t.o.Sep {
		return true
	}
	t.value = append(append(append(t.value, t.o.Quote), spaces...), t.ch)
	t.prev = t.ch
	return t.quoted()
}
