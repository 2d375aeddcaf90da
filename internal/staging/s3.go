// Package staging stores the files of an export where COPY INTO reads them: in an
// S3 bucket or a Unity Catalog volume, under a prefix of each run's own.
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

// S3Config says where files are staged, and with which credentials.
type S3Config struct {
	Bucket string
	// Prefix goes before every key; empty means the bucket's root.
	Prefix string
	// Region is that of the bucket; empty means that of the environment.
	Region string
	// Endpoint is set for S3 compatible stores, most of which need path style.
	Endpoint     string
	UsePathStyle bool
	// AccessKeyID and SecretAccessKey are set, or Profile, or none of them: then
	// the AWS SDK looks in environment, shared configuration and instance roles.
	AccessKeyID     string
	SecretAccessKey jobs.Secret
	Profile         string
	// RoleARN is assumed with those credentials, for uploads and for COPY INTO.
	// ExternalID is the external id that the role's trust policy asks for.
	RoleARN, ExternalID string
	// STSEndpoint is the token service; empty means Endpoint, or else AWS'.
	STSEndpoint string
	// Credential is the Unity Catalog storage credential by which COPY INTO reads
	// the bucket, ExternalLocation the external location that covers it. Without
	// them, COPY INTO gets temporary keys.
	Credential, ExternalLocation string
}

// S3 stages files in a bucket. It is safe for concurrent use.
type S3 struct {
	cfg    S3Config
	region string
	client *s3.Client
	parts  freeParts
	// base are the credentials before RoleARN is assumed with them.
	base   aws.CredentialsProvider
	tokens *sts.Client
}

const (
	// callTimeout bounds a call that moves no data, retries included.
	callTimeout = time.Minute
	// attemptTimeout bounds one attempt of any call. A part of partSize takes
	// that long at 17 kB/s.
	attemptTimeout = 5 * time.Minute
	dialTimeout    = egress.DialTimeout
	attempts       = 4
	partSize       = 5 << 20 // the least that S3 accepts: an upload keeps its parts in memory
	// partsAtOnce is how many parts are sent while the next one is filled. Several
	// files are written at the same time, so that one part of each is enough.
	partsAtOnce = 1
	// renewBefore is how long before they expire a role's keys are renewed.
	renewBefore = 5 * time.Minute
)

// Open checks the configuration, and that the bucket can be listed.
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
		loaded.Region = "us-east-1" // what compatible stores take by default
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
		// A range of an object has no checksum, about which the SDK would warn at
		// each read.
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

// restricted makes a client for the bucket and the token service, whose
// addresses may be configured, keep the rules of package egress. The client of
// the credential chain stays as it is: AWS hands out the keys of instances and
// containers at link-local addresses, which those rules forbid.
func (s *S3) restricted(client aws.HTTPClient) aws.HTTPClient {
	b, ok := client.(*awshttp.BuildableClient)
	if !ok {
		return client
	}
	// Frozen, because AWS_DEFAULTS_MODE would put the SDK's own dialer in.
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
			"It is not the plain name of a bucket.", "Give the name alone; a path goes into prefix.")
	case cfg.AccessKeyID == "" && !cfg.SecretAccessKey.Empty():
		return jobs.Invalid("staging.s3.access_key_id", "The staging credentials are incomplete",
			"There is a secret access key without its id.", "Set both, or neither.")
	case cfg.AccessKeyID != "" && cfg.SecretAccessKey.Empty():
		return jobs.Invalid("staging.s3.secret_access_key", "The staging credentials are incomplete",
			"There is an access key id without its secret.", "Set both, or neither.")
	case cfg.ExternalID != "" && cfg.RoleARN == "":
		return jobs.Invalid("staging.s3.external_id", "The external id belongs to no role",
			"It is given to the owner of role_arn, which is not set.", "Set role_arn, or leave external_id out.")
	case cfg.Credential != "" && cfg.ExternalLocation != "":
		return jobs.Invalid("staging.s3.credential", "The warehouse's right to the bucket is given twice",
			"There are both credential and external_location.", "Leave one of them out.")
	case cfg.AccessKeyID != "" && cfg.Profile != "":
		return jobs.Invalid("staging.s3.profile", "The staging credentials are given twice",
			"There are both keys and a profile.", "Leave one of them out.")
	}
	for attribute, endpoint := range map[string]string{"endpoint": cfg.Endpoint, "sts_endpoint": cfg.STSEndpoint} {
		if endpoint == "" {
			continue
		}
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" {
			return jobs.Invalid("staging.s3."+attribute, fmt.Sprintf("The endpoint %q cannot be used", endpoint),
				"It is not an URL of scheme and host.", "Give one such as \"https://minio.example.com:9000\", or leave it out for AWS.")
		}
	}
	return nil
}

// key places a relative key under the configured prefix.
func (s *S3) key(relative string) string {
	if s.cfg.Prefix == "" {
		return relative
	}
	return s.cfg.Prefix + "/" + relative
}

// URL names an object, or with a trailing slash a prefix, as COPY INTO does.
func (s *S3) URL(key string) string { return "s3://" + s.cfg.Bucket + "/" + s.key(key) }

// Object is a staged file.
type Object struct {
	// Key is relative to the configured prefix, as Create takes it.
	Key  string
	Size int64
}

// List gives the objects under a prefix, by key.
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

// maxRead is the largest object, in bytes, that Read gives whole.
const maxRead = 64 << 10

// Read gives the whole of a small object. CodeNotFound says that it does not exist.
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

// RemovePrefix removes all objects under a prefix, and its unfinished uploads. A
// prefix without objects is no error.
func (s *S3) RemovePrefix(ctx context.Context, prefix string) error {
	objects, err := s.List(ctx, prefix)
	if err != nil {
		return err
	}
	const most = 1000 // that S3 deletes at once
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

// abortUploads aborts multipart uploads that a killed process left: S3 charges for
// them, and lists them nowhere else. Without the right to list them it does
// nothing: a lifecycle rule of the bucket can do the same.
func (s *S3) abortUploads(ctx context.Context, prefix string) error {
	pages := s3.NewListMultipartUploadsPaginator(s.client, &s3.ListMultipartUploadsInput{
		Bucket: &s.cfg.Bucket, Prefix: aws.String(s.key(prefix)),
	})
	for pages.HasMorePages() {
		page, err := bounded(ctx, func(ctx context.Context) (*s3.ListMultipartUploadsOutput, error) { return pages.NextPage(ctx) })
		switch code := errorCode(err); {
		case code == "AccessDenied" || code == "NotImplemented":
			return nil
		case code == "NoSuchUpload": // how some stores say that there are none
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

// folder makes a prefix end with a slash, so that run/1 does not reach into
// run/10.
func folder(prefix string) string { return strings.TrimSuffix(prefix, "/") + "/" }

func checkKey(key string) error {
	if strings.Trim(key, "/") == "" || strings.HasPrefix(key, "/") || strings.ContainsAny(key, "\x00\r\n") {
		return jobs.Invalid("", fmt.Sprintf("%q is not a key under the staging prefix", key),
			"It is empty, begins with a slash or holds a control character.", "Report this: the export chose a wrong name.")
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
