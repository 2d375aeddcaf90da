package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

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
	doing := "list " + s.URL(folder(prefix))
	ctx, cancel := context.WithTimeoutCause(ctx, listTimeout, errListTooLong)
	defer cancel()
	var out []Object
	limits := egress.Pages{Most: maxListPages, Bytes: maxListBytes}
	pages := s3.NewListObjectsV2Paginator(s.client, &s3.ListObjectsV2Input{Bucket: &s.cfg.Bucket, Prefix: aws.String(s.key(folder(prefix)))})
	for pages.HasMorePages() {
		page, err := bounded(ctx, func(ctx context.Context) (*s3.ListObjectsV2Output, error) { return pages.NextPage(ctx) })
		if err != nil && errors.Is(context.Cause(ctx), errListTooLong) {
			err = errListTooLong
		}
		if err == nil {
			err = checkPage(page)
		}
		if err != nil {
			return nil, s.explain(doing, err)
		}
		kept := int64(0)
		for _, o := range page.Contents {
			out = append(out, Object{Key: strings.TrimPrefix(aws.ToString(o.Key), s.key("")), Size: aws.ToInt64(o.Size)})
			kept += int64(len(aws.ToString(o.Key))) + objectBytes
		}
		if err := limits.Next(aws.ToString(page.NextContinuationToken), len(page.Contents), kept); err != nil {
			return nil, s.explain(doing, err)
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
				Bucket: &s.cfg.Bucket, Delete: &types.Delete{Objects: ids},
			})
		})
		if err != nil {
			return s.explain("remove "+s.URL(folder(prefix)), err)
		}
		for _, e := range out.Errors {
			return s.explain("remove s3://"+s.cfg.Bucket+"/"+aws.ToString(e.Key),
				&deleteError{code: aws.ToString(e.Code), message: aws.ToString(e.Message)})
		}
		if len(out.Deleted) != n {
			return s.explain("remove "+s.URL(folder(prefix)), fmt.Errorf("%w: it confirms %d of %d removals", errNotS3, len(out.Deleted), n))
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
	limits := egress.Pages{Most: maxListPages}
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
		if !aws.ToBool(page.IsTruncated) {
			continue
		}
		token := aws.ToString(page.NextKeyMarker) + "\n" + aws.ToString(page.NextUploadIdMarker)
		if err := limits.Next(token, len(page.Uploads), 0); err != nil {
			return s.explain("list unfinished uploads to "+s.URL(prefix), err)
		}
	}
	return nil
}
