package jobs

import "log/slog"

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
