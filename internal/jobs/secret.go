package jobs

import (
	"log/slog"
	"slices"
	"strings"
)

// redacted replaces a secret in a text.
const redacted = "[redacted]"

// Secret is a credential that fmt, encoding/json and log/slog print as a
// marker. Only Reveal returns its text.
type Secret struct{ text string }

// NewSecret wraps a credential's text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal returns the text, to be sent or encrypted.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether the text is empty.
func (s Secret) Empty() bool { return s.text == "" }

// String implements fmt.Stringer without revealing the text.
func (s Secret) String() string { return redacted }

// GoString implements fmt.GoStringer without revealing the text.
func (s Secret) GoString() string { return redacted }

// MarshalText keeps the text out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Redact replaces secrets in a text by a marker. It leaves markers that are
// already in the text unchanged, so that a text can be redacted twice, and a
// secret that is a part of the marker does not break it.
func Redact(text string, secrets ...string) string {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	// Longest first, so that a secret that begins with another secret is replaced
	// as a whole.
	slices.SortStableFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var out strings.Builder
	for text != "" {
		i := slices.IndexFunc(secrets, func(s string) bool { return strings.HasPrefix(text, s) })
		switch marked := strings.HasPrefix(text, redacted); {
		case i >= 0 && (!marked || len(secrets[i]) > len(redacted)):
			out.WriteString(redacted)
			text = text[len(secrets[i]):]
		case marked:
			out.WriteString(redacted)
			text = text[len(redacted):]
		default:
			out.WriteByte(text[0])
			text = text[1:]
		}
	}
	return out.String()
}
