package staging_test

import (
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// A password in an endpoint is refused, and not repeated.
func TestAPasswordInAnEndpointIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"https://user:canary@minio.example.com", "canary@minio", "https://u:canary@%zz"} {
		_, err := staging.Open(t.Context(), staging.S3Config{Bucket: "b", Region: "r", Endpoint: endpoint})
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want a refusal that does not repeat it", endpoint, err)
		}
	}
}
