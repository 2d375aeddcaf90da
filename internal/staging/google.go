package staging

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Google Cloud Storage has the API of S3 with HMAC keys (its documentation, "Interoperability
// with other storage providers"), with three differences:
//   - Its front end changes Accept-Encoding before the signature is verified
//     (github.com/aws/aws-sdk-go-v2/issues/1816), so the header must not be signed.
//   - It refuses the checksums that the SDK adds by itself with ExcessHeaderValues. Only
//     DeleteObjects needs one (github.com/milvus-io/milvus-storage/pull/480).
//   - It has no token service, and so no temporary keys for COPY INTO.

// isGoogle reports whether an endpoint is Google Cloud Storage: storage.googleapis.com, or
// one of a region, such as storage.europe-west3.rep.googleapis.com.
func isGoogle(endpoint string) bool {
	u, err := url.Parse(endpoint)
	return err == nil && strings.HasPrefix(u.Hostname(), "storage.") && strings.HasSuffix(u.Hostname(), ".googleapis.com")
}

// unsignAcceptEncoding leaves Accept-Encoding out of the signature, for all stores that are
// not AWS': a proxy in front of one may change it.
func unsignAcceptEncoding(stack *middleware.Stack) error {
	const header = "Accept-Encoding"
	var kept []string
	remove := middleware.FinalizeMiddlewareFunc("RemoveAcceptEncoding",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
			middleware.FinalizeOutput, middleware.Metadata, error,
		) {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				kept = r.Header.Values(header)
				r.Header.Del(header)
			}
			return next.HandleFinalize(ctx, in)
		})
	restore := middleware.FinalizeMiddlewareFunc("RestoreAcceptEncoding",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
			middleware.FinalizeOutput, middleware.Metadata, error,
		) {
			if r, ok := in.Request.(*smithyhttp.Request); ok && len(kept) > 0 {
				r.Header[header] = kept
			}
			return next.HandleFinalize(ctx, in)
		})
	if err := stack.Finalize.Insert(remove, "Signing", middleware.Before); err != nil {
		return fmt.Errorf("prepare the signature of requests: %w", err)
	}
	if err := stack.Finalize.Insert(restore, "Signing", middleware.After); err != nil {
		return fmt.Errorf("prepare the signature of requests: %w", err)
	}
	return nil
}

// CheckCopy returns an error if the warehouse has no way to read the files of an export.
// The caller asks before it writes them.
func (s *S3) CheckCopy() error {
	if !s.google || s.cfg.Credential != "" || s.cfg.ExternalLocation != "" {
		return nil
	}
	return jobs.Invalid("staging.s3.external_location", "The warehouse cannot read the files of an export in this bucket",
		"Google Cloud Storage issues no temporary keys, so COPY INTO needs an external location of Unity Catalog that contains the bucket's prefix.",
		"Set external_location to its name, or stage in a volume: staging = { volume = { catalog = ..., schema = ..., volume = ... } }")
}
