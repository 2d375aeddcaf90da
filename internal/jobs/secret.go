package jobs

import (
	"log/slog"
	"slices"
	"strings"
)

// redacted stands in a text where a secret was.
const redacted = "[redacted]"

// Secret is a credential that does not print: neither by fmt, nor in JSON, nor
// in a structured log. Reveal is the one way to its text.
type Secret struct{ text string }

// NewSecret wraps a credential's text.
func NewSecret(text string) Secret { return Secret{text: text} }

// Reveal gives the text, for the moment it is sent or encrypted.
func (s Secret) Reveal() string { return s.text }

// Empty reports whether there is no text.
func (s Secret) Empty() bool { return s.text == "" }

// String does not tell.
func (s Secret) String() string { return redacted }

// GoString does not tell either.
func (s Secret) GoString() string { return redacted }

// MarshalText keeps the text out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Redact takes secrets out of a text. A marker that is in the text already stays
// whole, so that a text may be redacted twice, and so that a secret that is part
// of the marker's own text does no harm.
func Redact(text string, secrets ...string) string {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	// Longest first: of a secret that begins with another one nothing is left.
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
