// Package terminal makes texts safe to print. Labels, names and messages of a far
// side may hold control characters, which a terminal would obey: they move the
// cursor, hide or reorder text, and rename the window. They are printed as visible
// escapes in the form of JSON, such as \u001b, so that JSON stays JSON with the
// same values.
package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text escapes control characters in a text of several lines: all except line feed
// and tab.
func Text(text string) string { return escape(text, "\n\t") }

// Line escapes control characters in a text that must stay in one line and in one
// cell of a table: line feed and tab too.
func Line(text string) string { return escape(text, "") }

// obeyed reports whether a terminal may obey a character instead of showing it: C0,
// DEL, C1, the characters that change the direction of text, and separators of
// lines.
func obeyed(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
}

func escape(text, allowed string) string {
	var out strings.Builder
	copied := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		invalid := r == utf8.RuneError && size == 1
		if invalid {
			r = rune(text[i]) // a terminal without UTF-8 takes the byte for a character
		}
		if invalid || obeyed(r) && !strings.ContainsRune(allowed, r) {
			out.WriteString(text[copied:i])
			fmt.Fprintf(&out, `\u%04x`, r)
			copied = i + size
		}
		i += size
	}
	if copied == 0 {
		return text
	}
	out.WriteString(text[copied:])
	return out.String()
}

// Writer escapes control characters as Text does.
type Writer struct {
	to io.Writer
	// begun is a character whose last bytes have not been written yet.
	begun []byte
}

// NewWriter returns a Writer to another writer.
func NewWriter(to io.Writer) *Writer { return &Writer{to: to} }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
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
	w.begun = append([]byte(nil), text[whole:]...)
	if _, err := io.WriteString(w.to, Text(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes a character that was begun and has no end.
func (w *Writer) Flush() error {
	begun := w.begun
	w.begun = nil
	_, err := io.WriteString(w.to, Text(string(begun)))
	return err
}
