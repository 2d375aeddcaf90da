package databricks

import "context"

// RedactFor removes the secrets of a context, and credentials, from a text.
func RedactFor(ctx context.Context, text string) string {
	return redactSecrets(text, secretsFrom(ctx))
}
