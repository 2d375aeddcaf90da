package embedded

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// BucketFiles are the segments of a store in a bucket, for copying the store.
func BucketFiles(ctx context.Context, config staging.S3Config, storeID string) (store.Files, error) {
	bucket, err := staging.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	return bucketFiles{bucket: bucket, prefix: segmentsPrefix + storeID + "/"}, nil
}

type bucketFiles struct {
	bucket *staging.S3
	prefix string
}

// Open implements store.Files.
func (b bucketFiles) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	return io.NopCloser(bufio.NewReaderSize(&objectBytes{ctx: ctx, bucket: b.bucket, key: b.prefix + name}, readWindow)), nil
}

// Create implements store.Files.
func (b bucketFiles) Create(ctx context.Context, name string, _ int64, r io.Reader) error {
	w, err := b.bucket.Create(ctx, b.prefix+name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Close()
}

// objectBytes reads an object from its beginning.
type objectBytes struct {
	ctx    context.Context // of the copy, which does not outlive it
	bucket *staging.S3
	key    string
	at     int64
}

func (o *objectBytes) Read(p []byte) (int, error) {
	n, err := o.bucket.ReadAt(o.ctx, o.key, p, o.at)
	o.at += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}
