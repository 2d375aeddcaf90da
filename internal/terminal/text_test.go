package terminal_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/terminal"
)

// checklist 79.
func TestControlCharactersAreVisible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, line, lines string }{
		{"orders", "orders", "orders"},
		{"Ünïcode 日本 🏳️‍🌈 مرحبا", "Ünïcode 日本 🏳️‍🌈 مرحبا", "Ünïcode 日本 🏳️‍🌈 مرحبا"},
		{"a\x1b[31mred", `a\u001b[31mred`, `a\u001b[31mred`},
		{"two\nlines\tand\rmore", `two\u000alines\u0009and\u000dmore`, "two\nlines\tand" + `\u000dmore`},
		{"bell\a del\x7f nul\x00", `bell\u0007 del\u007f nul\u0000`, `bell\u0007 del\u007f nul\u0000`},
		{"csi\u009b31m", `csi\u009b31m`, `csi\u009b31m`},
		{"evil\u202etxt.exe\u202c \u2066x\u2069", `evil\u202etxt.exe\u202c \u2066x\u2069`, `evil\u202etxt.exe\u202c \u2066x\u2069`},
		{"mark\u200f line\u2028", `mark\u200f line\u2028`, `mark\u200f line\u2028`},
		{"byte \x9b31m and \xff", `byte \u009b31m and \u00ff`, `byte \u009b31m and \u00ff`},
		{"�", "�", "�"},
	} {
		if got := terminal.Line(c.text); got != c.line {
			t.Errorf("Line(%q) = %q, want %q", c.text, got, c.line)
		}
		if got := terminal.Text(c.text); got != c.lines {
			t.Errorf("Text(%q) = %q, want %q", c.text, got, c.lines)
		}
	}
}

func TestJSONKeepsItsValues(t *testing.T) {
	t.Parallel()
	want := "\x00\x1b\x7f\u009b\u202e\u2066\u2028 \n\t\"日本"
	text, err := json.Marshal(map[string]string{"label": want})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal([]byte(terminal.Text(string(text))), &got); err != nil || got["label"] != want {
		t.Errorf("got %q, %v, want %q", got["label"], err, want)
	}
}

// Every character that a terminal may obey is escaped, and no other.
func TestEveryCharacter(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune + 1) {
		if !utf8.ValidRune(r) {
			continue
		}
		shown := terminal.Line(string(r)) == string(r)
		obeyed := unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Bidi_Control, r) || unicode.In(r, unicode.Zl, unicode.Zp)
		if shown == obeyed {
			t.Errorf("%U is shown: %t", r, shown)
		}
	}
}

// A control character is found at every place of a text.
func TestEveryPlace(t *testing.T) {
	t.Parallel()
	for length := range 80 {
		for at := range length {
			for _, c := range []byte{0, 0x1f, '\r', 0x7f, 0x80, 0xff} {
				text := bytes.Repeat([]byte("~ x\n"), 20)[:length]
				text[at] = c
				if got := terminal.Text(string(text)); got == string(text) || strings.ContainsRune(got, rune(c)) {
					t.Errorf("%q is written as %q", text, got)
				}
			}
		}
	}
}

func FuzzWriter(f *testing.F) {
	f.Add("a\x1b[31m 日本\u202e", 4)
	f.Add("\xe2\x80", 1)
	f.Add("\xf0\x9f\x9b31m", 2)
	f.Fuzz(func(t *testing.T, text string, at int) {
		at = max(0, min(at, len(text)))
		var out bytes.Buffer
		w := terminal.NewWriter(&out)
		for _, part := range []string{text[:at], text[at:]} {
			if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatalf("Write = %d, %v", n, err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if want := terminal.Text(text); out.String() != want {
			t.Errorf("written as %q, want %q", out.String(), want)
		}
		for _, got := range []string{terminal.Line(text), strings.NewReplacer("\n", "", "\t", "").Replace(out.String())} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool {
				return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
			}) {
				t.Errorf("%q has control characters", got)
			}
		}
		if plain := terminal.Line(text); terminal.Line(plain) != plain {
			t.Errorf("%q changes at the second time", plain)
		}
	})
}
