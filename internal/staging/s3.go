// Package staging stores the files of an export for COPY INTO, in an S3 bucket or a Unity
// Catalog volume. Each run has its own prefix.
package staging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

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
}

// S3 stages files in a bucket. It is safe for concurrent use.
type S3 struct {
	cfg    S3Config
	region string
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

// Open validates the configuration, and lists the bucket to test the access.
func Open(ctx context.Context, cfg S3Config) (*S3, error) {
	cfg.Prefix = strings.Trim(cfg.Prefix, "/")
	if err := validate(cfg); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s := &S3{cfg: cfg, parts: make(freeParts, keptParts)}
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
	s.region, s.base = loaded.Region, loaded.Credentials
	endpoints := s.restricted(loaded.HTTPClient)
	s.tokens = sts.NewFromConfig(loaded, func(o *sts.Options) {
		o.HTTPClient = endpoints
		if endpoint := cmp.Or(cfg.STSEndpoint, cfg.Endpoint); endpoint != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(endpoint, "/"))
		}
	})
	if cfg.RoleARN != "" {
		loaded.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(s.tokens, cfg.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if cfg.ExternalID != "" {
				o.ExternalID = aws.String(cfg.ExternalID)
			}
		}), func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewBefore })
	}
	s.client = s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.HTTPClient = endpoints
		o.UsePathStyle = cfg.UsePathStyle
		// A range of an object has no checksum, and the SDK would log a warning at each
		// read.
		o.DisableLogOutputChecksumValidationSkipped = true
		if cfg.Endpoint != "" {
			o.BaseEndpoint = aws.String(strings.TrimSuffix(cfg.Endpoint, "/"))
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
	}).Freeze()
}

func (s *S3) options() []func(*config.LoadOptions) error {
	client := awshttp.NewBuildableClient().WithTimeout(attemptTimeout).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialTimeout }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = dialTimeout
			t.ResponseHeaderTimeout = callTimeout
		})
	options := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		config.WithRetryer(func() aws.Retryer {
			return awsretry.NewStandard(func(o *awsretry.StandardOptions) {
				o.MaxAttempts = attempts
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
			return jobs.Invalid("staging.s3."+attribute, fmt.Sprintf("The endpoint %q cannot be used", endpoint),
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
func (s *S3) URL(key string) string { return "s3://" + s.cfg.Bucket + "/" + s.key(key) }

// Object is a staged file.
type Object struct {
	// Key is relative to the configured prefix, like the key of Create.
	Key  string
	Size int64
}

// List returns the objects under a prefix, ordered by key.
func (s *S3) List(ctx context.Context, prefix string) ([]Object, error) {
	if err := checkKey(prefix); err != nil {
		return nil, err
	}
	var out []Object
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.cfg.Bucket, Prefix: aws.String(s.key(folder(prefix)))})
	for pages.HasMorePages() {
		page, err := bounded(ctx, func(ctx context.Context) (*s3.ListObjectsV2Output, error) { return pages.NextPage(ctx) })
		if err != nil {
			return nil, s.explain("list "+s.URL(folder(prefix)), err)
		}
		for _, o := range page.Contents {
			out = append(out, Object{Key: strings.TrimPrefix(aws.ToString(o.Key), s.key("")), Size: aws.ToInt64(o.Size)})
		}
	}
	return out, nil
}

// maxRead is the size limit of Read in bytes.
const maxRead = 64 << 10

// Read returns the content of a small object. The error is CodeNotFound if the object does
// not exist.
func (s *S3) Read(ctx context.Context, key string) ([]byte, error) {
	text := make([]byte, maxRead)
	n, err := s.ReadAt(ctx, key, text, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &jobs.Error{Code: jobs.CodeNotFound, Summary: "There is no object " + s.URL(key), Err: err}
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	return text[:n], nil
}

// RemovePrefix removes all objects and unfinished uploads under a prefix, if there are
// any.
func (s *S3) RemovePrefix(ctx context.Context, prefix string) error {
	objects, err := s.List(ctx, prefix)
	if err != nil {
		return err
	}
	const most = 1000 // the limit of one DeleteObjects request
	for len(objects) > 0 {
		n := min(most, len(objects))
		ids := make([]types.ObjectIdentifier, n)
		for i, o := range objects[:n] {
			ids[i].Key = aws.String(s.key(o.Key))
		}
		objects = objects[n:]
		out, err := bounded(ctx, func(ctx context.Context) (*s3.DeleteObjectsOutput, error) {
			return s.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
				Bucket: &s.cfg.Bucket, Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
			})
		})
		if err != nil {
			return s.explain("remove "+s.URL(folder(prefix)), err)
		}
		for _, e := range out.Errors {
			return s.explain("remove s3://"+s.cfg.Bucket+"/"+aws.ToString(e.Key),
				&deleteError{code: aws.ToString(e.Code), message: aws.ToString(e.Message)})
		}
	}
	return s.abortUploads(ctx, folder(prefix))
}

// abortUploads aborts the multipart uploads of killed processes, because S3 charges for
// them and does not list them as objects. Without the permission to list uploads it does
// nothing; a lifecycle rule of the bucket can abort them instead.
func (s *S3) abortUploads(ctx context.Context, prefix string) error {
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{
		Bucket: &s.cfg.Bucket, Prefix: aws.String(s.key(prefix)),
	})
	for pages.HasMorePages() {
		page, err := bounded(ctx, func(ctx context.Context) (*s3.ListMultipartUploadsOutput, error) { return pages.NextPage(ctx) })
		switch code := errorCode(err); {
		case code == "AccessDenied" || code == "NotImplemented":
			return nil
		case code == "NoSuchUpload": // some stores return this if there are none
			return nil
		case err != nil:
			return s.explain("list unfinished uploads to "+s.URL(prefix), err)
		}
		for _, u := range page.Uploads {
			_, err := bounded(ctx, func(ctx context.Context) (*s3.AbortMultipartUploadOutput, error) {
				return s.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &s.cfg.Bucket, Key: u.Key, UploadId: u.UploadId})
			})
			if err != nil && errorCode(err) != "NoSuchUpload" {
				return s.explain("abort an upload to "+s.URL(prefix), err)
			}
		}
	}
	return nil
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
