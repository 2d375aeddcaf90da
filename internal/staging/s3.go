// Package staging stores the files of an export for COPY INTO, in an S3 bucket or a Unity
// Catalog volume. Each run has its own prefix.
package staging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsretry "github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// S3Config is the configuration of a staging bucket.
type S3Config struct {
	Bucket string
	// Prefix is the prefix of every key; empty means the bucket's root.
	Prefix string
	// Region is the region of the bucket; empty means the region of the environment.
	Region string
	// Endpoint is set for S3 compatible stores, most of which need path style.
	Endpoint     string
	UsePathStyle bool
	// Either AccessKeyID and SecretAccessKey are set, or Profile, or none of them.
	// Without them the AWS SDK uses the environment, the shared configuration or an
	// instance role.
	AccessKeyID     string
	SecretAccessKey jobs.Secret
	Profile         string
	// RoleARN is assumed with these credentials, for uploads and for COPY INTO.
	// ExternalID is the external id that the role's trust policy requires.
	RoleARN, ExternalID string
	// STSEndpoint is the token service; empty means Endpoint, or else AWS'.
	STSEndpoint string
	// Credential is the Unity Catalog storage credential by which COPY INTO reads
	// the bucket, and ExternalLocation the external location that covers it. Without
	// both, COPY INTO gets temporary keys.
	Credential, ExternalLocation string

	// dial, if set, connects instead of package egress; for tests of time limits.
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// S3 stages files in a bucket. It is safe for concurrent use.
type S3 struct {
	cfg    S3Config
	region string
	// google means that the bucket is in Google Cloud Storage.
	google bool
	client *s3.Client
	parts  freeParts
	// base are the credentials with which RoleARN is assumed.
	base   aws.CredentialsProvider
	tokens *sts.Client
}

const (
	// callTimeout limits a call that transfers no data, including retries.
	callTimeout = time.Minute
	// attemptTimeout limits one attempt of any call. At 17 kB/s, a part of partSize
	// takes this long.
	attemptTimeout = 5 * time.Minute
	dialTimeout    = egress.DialTimeout
	attempts       = 4
	partSize       = 5 << 20 // the minimum of S3, because an upload keeps its parts in memory
	// partsAtOnce is the number of parts of a file that are sent while the next one is
	// filled. One is enough, because several files are written at the same time.
	partsAtOnce = 1
	// renewBefore is the time before their expiry at which a role's keys are renewed.
	renewBefore = 5 * time.Minute
)

// longestPause limits the pause between two attempts.
var longestPause = 20 * time.Second

// Open validates the configuration, and lists the bucket to test the access.
func Open(ctx context.Context, cfg S3Config) (*S3, error) {
	cfg.Prefix = strings.Trim(cfg.Prefix, "/")
	if err := validate(cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s := &S3{cfg: cfg, google: isGoogle(cfg.Endpoint), parts: make(freeParts, keptParts)}
	loaded, err := config.LoadDefaultConfig(ctx, s.options()...)
	if err != nil {
		return nil, s.explain("read the AWS configuration", err)
	}
	if loaded.Region == "" {
		if cfg.Endpoint == "" {
			return nil, jobs.Invalid("staging.s3.region", "The region of the staging bucket is not known",
				"Neither the configuration nor the environment names one.", "Set region, or AWS_REGION.")
		}
		loaded.Region = "us-east-1" // the default of S3 compatible stores
	}
	loaded.Credentials = &heldKeys{CredentialsProvider: loaded.Credentials}
	s.region, s.base = loaded.Region, loaded.Credentials
	endpoints := s.restricted(loaded.HTTPClient)
	s.tokens = sts.NewFromConfig(loaded, func(o *sts.Options) {
		o.HTTPClient = endpoints
		if endpoint := cmp.Or(cfg.STSEndpoint, cfg.Endpoint); endpoint != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(endpoint, "/"))
		}
	})
	if cfg.RoleARN != "" {
		role := stscreds.NewAssumeRoleProvider(s.tokens, cfg.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if cfg.ExternalID != "" {
				o.ExternalID = aws.String(cfg.ExternalID)
			}
		})
		loaded.Credentials = aws.NewCredentialsCache(&heldKeys{CredentialsProvider: role}, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewBefore })
	}
	s.client = s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.HTTPClient = endpoints
		o.UsePathStyle = cfg.UsePathStyle
		// A range of an object has no checksum, and the SDK would log a warning at each
		// read.
		o.DisableLogOutputChecksumValidationSkipped = true
		if cfg.Endpoint != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(cfg.Endpoint, "/"))
			o.APIOptions = append(o.APIOptions, unsignAcceptEncoding)
		}
		if s.google {
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
			o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		}
	})
	_, err = s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &cfg.Bucket, Prefix: aws.String(s.key("")), MaxKeys: aws.Int32(1)})
	if err != nil {
		return nil, s.explain("list the staging bucket "+cfg.Bucket, err)
	}
	return s, nil
}

// restricted makes the client of the bucket and the token service enforce the rules of
// package egress, because their addresses may be configured. The client of the
// credential chain is not restricted: AWS serves the keys of instances and containers at
// link-local addresses, which the rules forbid.
func (s *S3) restricted(client aws.HTTPClient) aws.HTTPClient {
	b, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return client
	}
	// Frozen, because AWS_DEFAULTS_MODE would otherwise install the SDK's own dialer.
	return b.WithTransportOptions(func(t *http.Transport) {
		egress.Restrict(t, egress.Configured, http.ProxyFromEnvironment, dialTimeout)
		if s.cfg.dial != nil {
			t.DialContext = s.cfg.dial
		}
	}).Freeze()
}

func (s *S3) options() []func(*config.LoadOptions) error {
	client := awshttp.NewBuildableClient().WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = dialTimeout
			t.ResponseHeaderTimeout = callTimeout
			t.MaxResponseHeaderBytes = egress.MaxHeader
			// S3 and the token service do not compress; a compressed answer could inflate
			// to any size.
			t.DisableCompression = true
		})
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithAPIOptions([]func(*middleware.Stack) error{limitAnswers}),
		config.WithRetryer(func() aws.Retryer {
			return awsretry.NewStandard(func(o *awsretry.StandardOptions) {
				o.MaxAttempts, o.MaxBackoff = attempts, longestPause
				o.Retryables = append([]awsretry.IsErrorRetryable{awsretry.IsErrorRetryableFunc(refusedAddress)}, o.Retryables...)
			})
		}),
	}
	if s.cfg.Region != "" {
		options = append(options, config.WithRegion(s.cfg.Region))
	}
	if s.cfg.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(s.cfg.Profile))
	}
	if s.cfg.AccessKeyID != "" {
		options = append(options, config.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(s.cfg.AccessKeyID, s.cfg.SecretAccessKey.Reveal(), "")))
	}
	return options
}

// refusedAddress keeps the SDK from retrying a connection that the rules of package
// egress forbid.
func refusedAddress(err error) aws.Ternary {
	if _, ok := errors.AsType[*egress.RefusedAddressError](err); ok {
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

func validate(cfg S3Config) error {
	switch {
	case cfg.Bucket == "":
		return jobs.Invalid("staging.s3.bucket", "No staging bucket is named", "An export needs a bucket for its files.", "Set bucket.")
	case strings.ContainsAny(cfg.Bucket, "/ :"):
		return jobs.Invalid("staging.s3.bucket", fmt.Sprintf("The staging bucket %q cannot be used", cfg.Bucket),
			"It is not the plain name of a bucket.", "Give only the name; set a path in prefix.")
	case cfg.AccessKeyID == "" && !cfg.SecretAccessKey.Empty():
		return jobs.Invalid("staging.s3.access_key_id", "The staging credentials are incomplete",
			"There is a secret access key without an access key id.", "Set both, or neither.")
	case cfg.AccessKeyID != "" && cfg.SecretAccessKey.Empty():
		return jobs.Invalid("staging.s3.secret_access_key", "The staging credentials are incomplete",
			"There is an access key id without a secret access key.", "Set both, or neither.")
	case cfg.ExternalID != "" && cfg.RoleARN == "":
		return jobs.Invalid("staging.s3.external_id", "There is an external id without a role",
			"The external id is used to assume role_arn, which is not set.", "Set role_arn, or leave external_id out.")
	case cfg.Credential != "" && cfg.ExternalLocation != "":
		return jobs.Invalid("staging.s3.credential", "The warehouse's access to the bucket is configured twice",
			"Both credential and external_location are set.", "Leave one of them out.")
	case cfg.AccessKeyID != "" && cfg.Profile != "":
		return jobs.Invalid("staging.s3.profile", "The staging credentials are configured twice",
			"Both keys and a profile are set.", "Leave one of them out.")
	}
	for attribute, endpoint := range map[string]string{"endpoint": cfg.Endpoint, "sts_endpoint": cfg.STSEndpoint} {
		if endpoint == "" {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
			shown := fmt.Sprintf("The endpoint %q", endpoint)
			if strings.Contains(endpoint, "@") {
				shown = "The endpoint has a user or a password, which is not repeated here, and"
			}
			return jobs.Invalid("staging.s3."+attribute, shown+" cannot be used",
				"It is not a URL with only a scheme and a host.", "Give a URL such as \"https://minio.example.com:9000\", or leave it out for AWS.")
		}
	}
	return nil
}

// key adds the configured prefix to a relative key.
func (s *S3) key(relative string) string {
	if s.cfg.Prefix == "" {
		return relative
	}
	return s.cfg.Prefix + "/" + relative
}

// URL is the URL of an object, or with a trailing slash of a prefix, for COPY INTO.
func (s *S3) URL(key string) string {
	scheme := "s3://"
	if s.google {
		scheme = "gs://"
	}
	return scheme + s.cfg.Bucket + "/" + s.key(key)
}

// folder makes a prefix end with a slash, so that run/1 does not match run/10.
func folder(prefix string) string { return strings.TrimSuffix(prefix, "/") + "/" }

func checkKey(key string) error {
	if strings.Trim(key, "/") == "" || strings.HasPrefix(key, "/") || strings.ContainsAny(key, "\x00\r\n") {
		return jobs.Invalid("", fmt.Sprintf("%q is not a key under the staging prefix", key),
			"It is empty, begins with a slash or contains a control character.", "Report this as a bug of the export.")
	}
	return nil
}

// bounded runs one call within callTimeout.
func bounded[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, errTooLong)
	defer cancel()
	out, err := call(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errTooLong) {
		err = fmt.Errorf("%w: %w", errTooLong, err)
	}
	return out, err
}
