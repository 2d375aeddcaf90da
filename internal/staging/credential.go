package staging

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// CopyCredential is the content of COPY INTO's WITH (CREDENTIAL ...): the name of a
// storage credential, or keys that expire. It is empty if the warehouse can read the
// files without a credential.
type CopyCredential struct {
	Name            string
	AccessKeyID     string
	SecretAccessKey jobs.Secret
	SessionToken    jobs.Secret
	// Expires is the time at which the keys expire.
	Expires time.Time
	// Location is the external location that is used instead of a credential.
	Location string
}

// Secrets are the parts that no log may contain.
func (c CopyCredential) Secrets() []jobs.Secret {
	return []jobs.Secret{jobs.NewSecret(c.AccessKeyID), c.SecretAccessKey, c.SessionToken}
}

const (
	// sessionMargin is the time by which keys outlive their statement, because the
	// statement may wait for the warehouse before it runs.
	sessionMargin = 10 * time.Minute
	// The limits of the AWS token service.
	shortestSession   = 15 * time.Minute
	longestFederation = 36 * time.Hour
	longestRole       = 12 * time.Hour
	// commonSession is a duration that every role and every chain of roles allows.
	commonSession = time.Hour
)

// CopyCredential returns the credential by which the warehouse reads the files under a
// prefix, for as long as a statement may take. If none is configured, it requests
// temporary keys that can read only that prefix.
func (s *S3) CopyCredential(ctx context.Context, prefix string, statement time.Duration) (CopyCredential, error) {
	if err := checkKey(prefix); err != nil {
		return CopyCredential{}, err
	}
	switch {
	case s.cfg.Credential != "":
		return CopyCredential{Name: s.cfg.Credential}, nil
	case s.cfg.ExternalLocation != "":
		return CopyCredential{Location: s.cfg.ExternalLocation}, nil
	}
	policy, err := s.sessionPolicy(prefix)
	if err != nil {
		return CopyCredential{}, err
	}
	role := s.cfg.RoleARN
	if role == "" {
		keys, err := bounded(ctx, s.base.Retrieve)
		if err != nil {
			return CopyCredential{}, s.explain("find AWS credentials for COPY INTO", err)
		}
		if keys.SessionToken == "" {
			return s.federate(ctx, policy, statement+sessionMargin)
		}
		// Temporary keys cannot request narrower keys. But their role can be assumed
		// again with a narrower policy.
		if role, err = s.ownRole(ctx); err != nil {
			return CopyCredential{}, err
		}
	}
	return s.assume(ctx, role, policy, statement+sessionMargin)
}

// federate requests keys narrower than a user's long-lived key.
func (s *S3) federate(ctx context.Context, policy string, life time.Duration) (CopyCredential, error) {
	const doing = "get temporary keys for COPY INTO with GetFederationToken"
	return s.requestKeys(min(life, longestFederation), doing, func(seconds *int32) (*types.Credentials, error) {
		in := &sts.GetFederationTokenInput{Name: aws.String(sessionName), Policy: &policy, DurationSeconds: seconds}
		out, err := bounded(ctx, func(ctx context.Context) (*sts.GetFederationTokenOutput, error) {
			return s.tokens.GetFederationToken(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		return out.Credentials, nil
	})
}

// assume requests keys of a role, with a narrower policy.
func (s *S3) assume(ctx context.Context, role, policy string, life time.Duration) (CopyCredential, error) {
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String(sessionName), Policy: &policy}
	if s.cfg.ExternalID != "" {
		in.ExternalId = &s.cfg.ExternalID
	}
	doing := "get temporary keys for COPY INTO by assuming " + role
	return s.requestKeys(min(life, longestRole), doing, func(seconds *int32) (*types.Credentials, error) {
		in.DurationSeconds = seconds
		out, err := bounded(ctx, func(ctx context.Context) (*sts.AssumeRoleOutput, error) { return s.tokens.AssumeRole(ctx, in) })
		if err != nil {
			return nil, err
		}
		return out.Credentials, nil
	})
}

// requestKeys requests keys with a lifetime. If the token service refuses the lifetime,
// it requests commonSession; the caller must then end the statement before Expires.
func (s *S3) requestKeys(
	life time.Duration, doing string, ask func(seconds *int32) (*types.Credentials, error),
) (CopyCredential, error) {
	life = max(life, shortestSession)
	keys, err := ask(aws.Int32(int32(life / time.Second)))
	if errorCode(err) == "ValidationError" && life > commonSession {
		keys, err = ask(aws.Int32(int32(commonSession / time.Second)))
	}
	if err != nil {
		return CopyCredential{}, s.explainCredential(doing, err)
	}
	if keys == nil || keys.Expiration == nil || aws.ToString(keys.AccessKeyId) == "" || aws.ToString(keys.SecretAccessKey) == "" ||
		aws.ToString(keys.SessionToken) == "" {
		return CopyCredential{}, s.explainCredential(doing, errors.New("the response of the token service has no credentials"))
	}
	return CopyCredential{
		AccessKeyID: *keys.AccessKeyId, SecretAccessKey: jobs.NewSecret(*keys.SecretAccessKey),
		SessionToken: jobs.NewSecret(*keys.SessionToken), Expires: *keys.Expiration,
	}, nil
}

// sessionName is the name of the session in the account's CloudTrail.
const sessionName = "lytics-export"

var assumedRole = regexp.MustCompile(`^arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/`)

// ownRole returns the ARN of the role of this process's keys.
func (s *S3) ownRole(ctx context.Context) (string, error) {
	const doing = "find the AWS role of this machine"
	out, err := bounded(ctx, func(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
		return s.tokens.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	})
	if err != nil {
		return "", s.explainCredential(doing, err)
	}
	m := assumedRole.FindStringSubmatch(aws.ToString(out.Arn))
	if m == nil {
		return "", s.explainCredential(doing, fmt.Errorf("%s is not a session of a role", aws.ToString(out.Arn)))
	}
	return "arn:" + m[1] + ":iam::" + m[2] + ":role/" + m[3], nil
}

// explainCredential describes why there are no narrower keys. The keys of this process
// are not used instead, because they have more rights.
func (s *S3) explainCredential(doing string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if beyond := beyondLimit(doing, err); beyond != nil {
		return beyond
	}
	e := &jobs.Error{
		Code: jobs.CodeForbidden, Attribute: "staging.s3.role_arn",
		Summary: "It was not possible to " + doing, Detail: detail(err),
		Next: "Set role_arn to a role that these credentials may assume, " +
			"or set credential or external_location to the one that Unity Catalog has for the bucket",
		Err: err,
	}
	var api smithy.APIError
	if !errors.As(err, &api) && unreachable(err) {
		e.Code, e.Attribute = jobs.CodeUnreachable, "staging.s3.sts_endpoint"
		e.Next = "Check region and sts_endpoint, and that this machine may connect there"
	}
	return e
}

// sessionPolicy allows only the actions by which COPY INTO reads a prefix. kms:Decrypt is
// for buckets with a KMS key, and limited to use through S3.
func (s *S3) sessionPolicy(prefix string) (string, error) {
	type object map[string]any
	below := s.key(folder(prefix))
	bucket := "arn:" + partition(s.region) + ":s3:::" + s.cfg.Bucket
	text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": []object{
		{"Effect": "Allow", "Action": "s3:GetObject", "Resource": bucket + "/" + escapePattern(below) + "*"},
		{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket, "Condition": object{"StringLike": object{
			"s3:prefix": []string{escapePattern(strings.TrimSuffix(below, "/")), escapePattern(below) + "*"}}}},
		{"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": bucket},
		{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": object{"StringLike": object{
			"kms:ViaService": "s3." + s.region + ".amazonaws.com*"}}},
	}})
	if err != nil {
		return "", fmt.Errorf("write the session policy: %w", err)
	}
	return string(text), nil
}

// escapePattern escapes the characters of a key that are special in the patterns
// of a policy.
func escapePattern(key string) string {
	return strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(key)
}

// partition is the AWS partition of a region, which its ARNs begin with.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
