package staging

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// answerLimits: the largest answer is a page of a list, with up to 1,000 keys of up to a
// kilobyte. callTimeout and attemptTimeout limit the time. The content of an object is not
// limited; its reader asks for a range, and reads no more than that.
var answerLimits = egress.Limits{Bytes: 4 << 20}

const (
	// listTimeout limits the time of all pages of a list.
	listTimeout = 10 * time.Minute
	// maxListPages limits the pages of a list, which have up to 1,000 entries.
	maxListPages = 10_000
	// maxListBytes limits the memory of a list in bytes; an export has some thousand files.
	maxListBytes = 64 << 20
	// objectBytes is the memory of an entry without its key, in bytes.
	objectBytes = 64
)

var errListTooLong = &egress.PagesError{Why: fmt.Sprintf("not all of its pages came within %s", listTimeout)}

// limitAnswers bounds the answers of S3, of the token service, and of the services that the
// credential chain calls.
func limitAnswers(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("LimitAnswers",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
			middleware.DeserializeOutput, middleware.Metadata, error,
		) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			response, ok := out.RawResponse.(*smithyhttp.Response)
			request, sent := in.Request.(*smithyhttp.Request)
			isContent := ok && awsmiddleware.GetOperationName(ctx) == "GetObject" && response.StatusCode/100 == 2
			if ok && sent && !isContent && response.Body != nil && response.Body != http.NoBody {
				response.Body = answerLimits.Body(request.Method, request.URL.Host, response.Body)
			}
			return out, metadata, err
		}), middleware.After)
}

// errNotS3 means that an answer is not what the API of S3 describes. The SDK reads an empty
// answer, and XML of any other form, as an answer without entries.
var errNotS3 = errors.New("the answer is not one of S3")

// checkPage returns an error for a page of a list that is not complete. Every store tells
// whether its list goes on; not every one counts the keys.
func checkPage(page *s3.ListObjectsV2Output) error {
	switch listed := len(page.Contents) + len(page.CommonPrefixes); {
	case page.IsTruncated == nil:
		return fmt.Errorf("%w: it does not tell whether the list goes on", errNotS3)
	case *page.IsTruncated && aws.ToString(page.NextContinuationToken) == "":
		return fmt.Errorf("%w: the list goes on without a token", errNotS3)
	case listed < int(aws.ToInt32(page.KeyCount)):
		return fmt.Errorf("%w: it lists %d of %d keys", errNotS3, listed, *page.KeyCount)
	}
	return nil
}

// beyondLimit returns the error of an answer or a list that exceeds a limit; nil for other
// errors.
func beyondLimit(doing string, err error) error {
	var why string
	if answer, ok := errors.AsType[*egress.AnswerError](err); ok {
		why = answer.Error()
	} else if list, ok := errors.AsType[*egress.PagesError](err); ok {
		why = list.Error()
	} else {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeFailed, Attribute: "staging.s3.endpoint", Summary: "It was not possible to " + doing, Detail: why, Err: err,
		Next: "Check endpoint and sts_endpoint, which proxies are on the way, and what else is stored under the prefix.",
	}
}
