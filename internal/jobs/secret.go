package jobs

import (
	"log/slog"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// Secret is a credential that fmt, encoding/json and log/slog print as a
// marker. Only Reveal returns its text. While a Secret is held, package redact
// knows its text and removes it from messages.
type Secret struct{ opened *redact.Secret }

// NewSecret wraps a credential's text.
func NewSecret(text string) Secret { return Secret{opened: redact.Remember(text)} }

// Reveal returns the text, to be sent or encrypted.
func (s Secret) Reveal() string {
	if s.opened == nil {
		return ""
	}
	return s.opened.Reveal()
}

// Empty reports whether the text is empty.
func (s Secret) Empty() bool { return s.opened == nil }

// String implements fmt.Stringer without revealing the text.
func (s Secret) String() string { return redact.Marker }

// GoString implements fmt.GoStringer without revealing the text.
func (s Secret) GoString() string { return redact.Marker }

// MarshalText keeps the text out of JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redact.Marker), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redact.Marker) }
