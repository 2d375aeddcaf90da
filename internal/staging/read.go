package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// ReadAt reads from an object like io.ReaderAt. The error for an object that does not
// exist wraps fs.ErrNotExist. If the connection breaks, ReadAt requests the rest.
func (s *S3) ReadAt(ctx context.Context, key string, p []byte, offset int64) (n int, err error) {
	if err := checkKey(key); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	_, err = retry.Do(ctx, brokenReads, func(int) (struct{}, error) {
		got, err := s.read(ctx, key, p[n:], offset+int64(n))
		n += got
		return struct{}{}, err
	}, func(_ int, err error) retry.Decision { return retry.If(errors.Is(err, errBroken) && n < len(p)) })
	if n == len(p) || errors.Is(err, io.EOF) || err == nil {
		return n, err
	}
	if ctx.Err() != nil {
		return n, ctx.Err()
	}
	if errorCode(err) == "NoSuchKey" {
		return n, fmt.Errorf("%s does not exist: %w", s.URL(key), fs.ErrNotExist)
	}
	return n, s.explain("read "+s.URL(key), err)
}

// brokenReads is the retry policy of a body whose connection breaks. The AWS SDK retries
// the calls themselves.
var brokenReads = retry.Policy{Attempts: attempts, First: 200 * time.Millisecond, Longest: 5 * time.Second}

// errBroken means that a body ended before its Content-Length.
var errBroken = errors.New("the connection broke")

// read makes one request for len(p) bytes.
func (s *S3) read(ctx context.Context, key string, p []byte, offset int64) (int, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTimeout, errTooLong)
	defer cancel()
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{
		Bucket: &s.cfg.Bucket, Key: aws.String(s.key(key)),
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", offset, offset+int64(len(p))-1)),
	})
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() == http.StatusRequestedRangeNotSatisfiable {
		return 0, io.EOF
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = out.Body.Close() }()
	told, err := toldLength(out, offset)
	if err != nil {
		return 0, err
	}
	n, err := io.ReadFull(out.Body, p)
	switch {
	case err == nil:
		return n, nil
	case int64(n) == told && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return n, io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // io.EOF would tell the caller that the object ends here
	}
	return n, fmt.Errorf("%w: %w", errBroken, err)
}

// toldLength is the number of bytes that an answer says it has: by its Content-Range, or
// by its Content-Length where there is none. The two must not differ.
func toldLength(out *s3.GetObjectOutput, offset int64) (int64, error) {
	if out.ContentRange == nil {
		// A store that ignores Range sends the object from its beginning.
		if offset > 0 {
			return 0, fmt.Errorf("the answer does not say that it begins at byte %d", offset)
		}
		return aws.ToInt64(out.ContentLength), nil
	}
	var first, last int64
	if _, err := fmt.Sscanf(*out.ContentRange, "bytes %d-%d/", &first, &last); err != nil || first != offset || last < first {
		return 0, fmt.Errorf("the answer has the bytes %q, not those from %d on", *out.ContentRange, offset)
	}
	told := last - first + 1
	if length := out.ContentLength; length != nil && *length != told {
		return 0, fmt.Errorf("the answer has a Content-Length of %d and the bytes %q", *length, *out.ContentRange)
	}
	return told, nil
}

// Remove removes one object if it exists.
func (s *S3) Remove(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	_, err := bounded(ctx, func(ctx context.Context) (*s3.DeleteObjectOutput, error) {
		return s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.cfg.Bucket, Key: aws.String(s.key(key))})
	})
	if err != nil && errorCode(err) != "NoSuchKey" {
		return s.explain("remove "+s.URL(key), err)
	}
	return nil
}
