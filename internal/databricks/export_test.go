package databricks

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// RedactFor removes the secrets of a context, and credentials, from a text.
func RedactFor(ctx context.Context, text string) string {
	defer context.WithoutCancel(ctx) // holds the secrets until here
	return redact.Text(text)
}

// ForgetMovedTimes and TimeOfText read the times of commits.
var (
	ForgetMovedTimes = forgetMovedTimes
	TimeOfText       = timeOfText
)
