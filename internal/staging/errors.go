package staging

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

var errTooLong = errors.New("no answer within " + callTimeout.String())

// deleteError is the error of one key in a DeleteObjects response with status 200.
type deleteError struct{ code, message string }

func (e *deleteError) Error() string                 { return e.code + ": " + e.message }
func (e *deleteError) ErrorCode() string             { return e.code }
func (e *deleteError) ErrorMessage() string          { return e.message }
func (e *deleteError) ErrorFault() smithy.ErrorFault { return smithy.FaultUnknown }

func errorCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// explain describes a failure of S3, with the attribute that caused it and the
// next step.
func (s *S3) explain(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if beyond := beyondLimit(doing, err); beyond != nil {
		return beyond
	}
	e := &jobs.Error{Code: jobs.CodeFailed, Summary: "It was not possible to " + doing, Detail: detail(err), Err: err}
	status := 0
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		status = response.HTTPStatusCode()
	}
	operation, ok := errors.AsType[*smithy.OperationError](err)
	if ok && operation.Service() == sts.ServiceID || strings.Contains(err.Error(), "operation error STS") {
		return s.explainCredential("assume "+s.cfg.RoleARN, err)
	}
	var profile config.SharedConfigProfileNotExistError
	switch code := errorCode(err); {
	case errors.As(err, &profile):
		e.Code, e.Attribute = jobs.CodeInvalid, "staging.s3.profile"
		e.Next = "Use a profile of the AWS configuration on the machine that runs the job."
	case code == "NoSuchBucket" || code == "NotFound" && status == http.StatusNotFound:
		e.Code, e.Attribute = jobs.CodeInvalid, "staging.s3.bucket"
		e.Next = "Check the bucket's name, or create it."
	case code == "InvalidAccessKeyId":
		e.Code, e.Attribute = jobs.CodeUnauthorized, "staging.s3.access_key_id"
		e.Next = "Give an access key that exists and is active."
	case code == "SignatureDoesNotMatch":
		e.Code, e.Attribute = jobs.CodeUnauthorized, "staging.s3.secret_access_key"
		e.Next = "Check the secret access key: it does not belong to the key id."
	case code == "ExpiredToken" || code == "InvalidToken" || code == "TokenRefreshRequired":
		e.Code, e.Attribute = jobs.CodeUnauthorized, "staging.s3"
		e.Next = "Renew the AWS credentials of the machine that runs the job."
	case code == "PermanentRedirect", code == "AuthorizationHeaderMalformed", code == "IllegalLocationConstraintException",
		status == http.StatusMovedPermanently:
		e.Code, e.Attribute = jobs.CodeInvalid, "staging.s3.region"
		e.Next = "Set region to the one that the bucket is in."
	case code == "AccessDenied" || status == http.StatusForbidden:
		e.Code, e.Attribute = jobs.CodeForbidden, "staging.s3.bucket"
		e.Next = "Grant s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the prefix."
	case code == "SlowDown" || code == "RequestTimeTooSkewed" || status >= http.StatusInternalServerError:
		e.Code = jobs.CodeUnreachable
		e.Next = "Run the job again later."
		if code == "RequestTimeTooSkewed" {
			e.Next = "Set this machine's clock right."
		}
	case code != "":
		e.Next = "Check bucket, region and endpoint against the message of S3."
	case unreachable(err):
		e.Code, e.Attribute = jobs.CodeUnreachable, "staging.s3.endpoint"
		e.Next = "Check endpoint and region, and that this machine may connect there."
	case strings.Contains(err.Error(), "credential"):
		e.Code, e.Attribute = jobs.CodeUnauthorized, "staging.s3"
		e.Next = "Set access_key_id and secret_access_key, or profile, or give the machine that runs the job AWS credentials."
	default:
		e.Next = "Check the staging configuration, then run the job again."
	}
	return e
}

// maxDetail limits the text of an error in bytes. It is stored with the run.
const maxDetail = 2 << 10

// detail is the innermost message. The outer messages of the SDK repeat the operation's
// name and ids. It is bounded: the error of a value that cannot be parsed repeats the value.
func detail(err error) string {
	text := redact.Text(innermost(err))
	if len(text) > maxDetail {
		text = strings.ToValidUTF8(text[:maxDetail], "") + "..."
	}
	return text
}

func innermost(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		if api.ErrorMessage() == "" {
			return api.ErrorCode()
		}
		return fmt.Sprintf("%s (%s)", api.ErrorMessage(), api.ErrorCode())
	}
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err.Error()
	}
	return err.Error()
}

func unreachable(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var u *url.Error
	return errors.Is(err, errTooLong) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &op) || errors.As(err, &dns) || errors.As(err, &u)
}
