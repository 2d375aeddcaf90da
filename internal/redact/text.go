package redact

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Marker replaces a secret in a text.
const Marker = "[redacted]"

// index holds forms by how they begin: by shortest bytes if they stand alone, and by
// anywhere bytes otherwise.
type index map[string][]form

func (f form) key() string {
	if f.alone {
		return f.text[:shortest]
	}
	return f.text[:anywhere]
}

func (x index) add(owner uint64, forms []form) {
	for _, f := range forms {
		f.owner = owner
		x[f.key()] = append(x[f.key()], f)
	}
}

func (x index) remove(owner uint64, forms []form) {
	for _, f := range forms {
		kept := slices.DeleteFunc(x[f.key()], func(g form) bool { return g.owner == owner })
		if len(kept) == 0 {
			delete(x, f.key())
			continue
		}
		x[f.key()] = kept
	}
}

// maxPasses bounds the work for a text that is made of short secrets. A text that needs more
// is replaced as a whole.
const maxPasses = 100

// replace replaces the forms in a text by the marker. Markers that are in the text
// stay as they are, so that a text can be redacted twice, and a secret that is a
// part of the marker does not break it. A short secret may stand alone only when
// what is beside it has been replaced, so passes are made until one finds nothing.
func (x index) replace(text string) string {
	if len(x) == 0 {
		return text
	}
	for range maxPasses {
		replaced := x.replaceOnce(text)
		if replaced == text {
			return text
		}
		text = replaced
	}
	return Marker
}

func (x index) replaceOnce(text string) string {
	var out []byte
	// written is the end of what was copied from text, and from where it begins in
	// out after the last marker.
	written, from := 0, 0
	for i := 0; i < len(text); {
		n, encoded := x.longest(text, i)
		if strings.HasPrefix(text[i:], Marker) && n <= len(Marker) {
			n, encoded = len(Marker), false
		}
		if n == 0 {
			i++
			continue
		}
		out = append(out, text[written:i]...)
		if encoded {
			// The characters beside the core hold a few bits of the secret.
			if len(out) > from && isBase64(out[len(out)-1]) {
				out = out[:len(out)-1]
			}
			n += encodedRest(text[i+n:])
		}
		out = append(out, Marker...)
		i += n
		written, from = i, len(out)
	}
	if written == 0 {
		return text
	}
	return string(append(out, text[written:]...))
}

// longest returns the length of the longest form at an offset, or 0. Messages are cut
// at a length: what stays of a long form at their end counts if it is more than half.
func (x index) longest(text string, at int) (n int, encoded bool) {
	if len(text)-at >= anywhere {
		for _, f := range x[text[at:at+anywhere]] {
			common := commonPrefix(text[at:], f.text)
			whole := common == len(f.text)
			if common > n && (whole || common*2 > len(f.text) && cut(text[at+common:])) {
				n, encoded = common, f.encoded && whole
			}
		}
	}
	if n == 0 && len(text)-at >= shortest {
		for _, f := range x[text[at:at+shortest]] {
			if end := at + len(f.text); len(f.text) > n && strings.HasPrefix(text[at:], f.text) && standsAlone(text, at, end) {
				n = len(f.text)
			}
		}
	}
	return n, encoded
}

// cut reports whether a text was cut before its rest.
func cut(rest string) bool {
	return rest == "" || strings.HasPrefix(rest, "...") || strings.HasPrefix(rest, "…")
}

func commonPrefix(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// standsAlone reports whether no word continues on either side of a part of a text.
func standsAlone(text string, from, to int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:from])
	after, _ := utf8.DecodeRuneInString(text[to:])
	return !inWord(before) && !inWord(after)
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (r == '_' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r))
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// encodedRest is the length of what follows a core: one character that shares bits
// with the secret, and padding.
func encodedRest(text string) int {
	n := 0
	if text != "" && isBase64(text[0]) {
		n = 1
	}
	for range 2 {
		for _, padding := range []string{"=", "%3D", "%3d"} {
			if strings.HasPrefix(text[n:], padding) {
				n += len(padding)
				break
			}
		}
	}
	return n
}
