package databricks

import "context"

// RedactFor takes the secrets of a context, and credentials, out of a text.
func RedactFor(ctx context.Context, text string) string {
	return redactSecrets(text, secretsFrom(ctx))
}
