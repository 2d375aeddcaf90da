package embedded

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// BucketFiles returns, for store.Copy, a function that opens the segments of a store
// on PostgreSQL in a bucket. Segments have the same names in a data directory and in a
// bucket.
func BucketFiles(ctx context.Context, config staging.S3Config) func(storeID string) (store.Files, error) {
	return func(storeID string) (store.Files, error) {
		bucket, err := staging.Open(ctx, config)
		if err != nil {
			return nil, err
		}
		return &bucketFiles{bucket: bucket, storeID: storeID}, nil
	}
}

type bucketFiles struct {
	bucket  *staging.S3
	storeID string
	windows sync.Pool
}

// Open implements store.Files.
func (b *bucketFiles) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r := &objectReader{ctx: ctx, bucket: b.bucket, key: segmentKey(b.storeID, name), windows: &b.windows}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(r, 0, math.MaxInt64), r}, nil
}

// Create implements store.Files.
func (b *bucketFiles) Create(ctx context.Context, name string, _ int64, r io.Reader) error {
	w, err := b.bucket.Create(ctx, segmentKey(b.storeID, name))
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Close()
}
