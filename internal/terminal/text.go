// Package terminal makes texts safe to print. Labels, names and messages of a far
// side may hold control characters, which a terminal would obey: they move the
// cursor, hide or reorder text, and rename the window. They are printed as visible
// escapes in the form of JSON, such as \u001b, so that JSON stays JSON with the
// same values.
package terminal

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text escapes control characters in a text of several lines: all except line feed
// and tab.
func Text(text string) string { return escape(text, linesAndTabs) }

// linesAndTabs are the control characters that Text leaves.
const linesAndTabs = "\n\t"

// Line escapes control characters in a text that must stay in one line and in one
// cell of a table: line feed and tab too.
func Line(text string) string { return escape(text, "") }

// obeyed reports whether a terminal may obey a character instead of showing it: C0,
// DEL, C1, the characters that change the direction of text, and separators of
// lines.
func obeyed(r rune) bool {
	if r > 0x9f && r != firstObeyed && (r < 0x200e || r > lastObeyed) {
		return false
	}
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

// firstObeyed, the Arabic letter mark, is the first character after C1 that a terminal may
// obey, and lastObeyed the last one. All others are at least U+200E.
const firstObeyed, lastObeyed = 0x061c, 0x2069

func escape(text, allowed string) string {
	b := []byte(text)
	if plain(b, allowed != "") == len(b) {
		return text
	}
	return string(appendEscaped(nil, b, allowed))
}

// appendEscaped appends a text with its control characters escaped, except the allowed ones:
// line feed and tab, or none.
func appendEscaped(out, text []byte, allowed string) []byte {
	for {
		n := plain(text, allowed != "")
		out, text = append(out, text[:n]...), text[n:]
		if len(text) == 0 {
			return out
		}
		r, size := utf8.DecodeRune(text)
		invalid := r == utf8.RuneError && size == 1
		if invalid {
			r = rune(text[0]) // a terminal without UTF-8 takes the byte for a character
		}
		if invalid || obeyed(r) && !strings.ContainsRune(allowed, r) {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, text[:size]...)
		}
		text = text[size:]
	}
}

// Words of eight equal bytes.
const (
	ones     = 0x0101010101010101
	highBits = 0x80 * ones
	spaces   = ' ' * ones
)

// special has a bit in highBits unless all eight bytes of a word are printable characters of
// ASCII: a byte below the space borrows from that bit, and DEL carries into it.
func special(word uint64) uint64 { return (word - spaces) | (word + ones) | word }

// plain returns the number of bytes that a text begins with and that are printable
// characters of ASCII, or, if lines is set, line feeds and tabs.
func plain(text []byte, lines bool) int {
	n := 0
	for {
		for len(text)-n >= 32 {
			b := text[n : n+32 : n+32]
			found := special(binary.LittleEndian.Uint64(b)) | special(binary.LittleEndian.Uint64(b[8:])) |
				special(binary.LittleEndian.Uint64(b[16:])) | special(binary.LittleEndian.Uint64(b[24:]))
			if found&highBits != 0 {
				break
			}
			n += 32
		}
		if n == len(text) {
			return n
		}
		for end := min(n+32, len(text)); n < end; n++ {
			if c := text[n]; (c < ' ' || c > '~') && (!lines || c != '\n' && c != '\t') {
				return n
			}
		}
	}
}

// Writer escapes control characters as Text does.
type Writer struct {
	to io.Writer
	// begun is a character whose last bytes have not been written yet.
	begun []byte
	// escaped is the buffer of texts that differ from what was given.
	escaped []byte
}

// NewWriter returns a Writer to another writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	if len(w.begun) == 0 && plain(p, true) == len(p) {
		return w.to.Write(p)
	}
	text := slices.Concat(w.begun, p)
	whole := len(text)
	for back := 1; back <= min(utf8.UTFMax-1, len(text)); back++ {
		if utf8.RuneStart(text[len(text)-back]) {
			if !utf8.FullRune(text[len(text)-back:]) {
				whole -= back
			}
			break
		}
	}
	w.begun = append(w.begun[:0], text[whole:]...)
	w.escaped = appendEscaped(w.escaped[:0], text[:whole], linesAndTabs)
	if _, err := w.to.Write(w.escaped); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes a character that was begun and has no end.
func (w *Writer) Flush() error {
	begun := w.begun
	w.begun = nil
	_, err := w.to.Write(appendEscaped(nil, begun, linesAndTabs))
	return err
}
