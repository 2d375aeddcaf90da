package staging

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// heldKeys passes on the keys of a provider, and holds the last ones, so that no
// message contains them: S3 and the token service repeat keys in their errors.
type heldKeys struct {
	aws.CredentialsProvider

	mu   sync.Mutex
	last [3]jobs.Secret
}

// Retrieve implements aws.CredentialsProvider.
func (h *heldKeys) Retrieve(ctx context.Context) (aws.Credentials, error) {
	keys, err := h.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return keys, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = [3]jobs.Secret{jobs.NewSecret(keys.AccessKeyID), jobs.NewSecret(keys.SecretAccessKey), jobs.NewSecret(keys.SessionToken)}
	return keys, nil
}
