package staging_test

import (
	"errors"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
)

// checklist 50
func TestMetadataServiceIsRefusedAsEndpoint(t *testing.T) {
	t.Parallel()
	_, err := staging.Open(t.Context(), staging.S3Config{
		Bucket: "b", Region: "us-east-1", Endpoint: "http://169.254.169.254", UsePathStyle: true,
		AccessKeyID: "AKIA", SecretAccessKey: jobs.NewSecret("s"),
	})
	if _, ok := errors.AsType[*egress.RefusedAddressError](err); !ok {
		t.Errorf("got %v, want the refusal of the address", err)
	}
}
