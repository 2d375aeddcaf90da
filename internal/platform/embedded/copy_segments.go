package embedded

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// ObjectFiles returns, for store.Copy, a function that opens the segments of a store
// on PostgreSQL in a bucket or volume. Segments have the same names there and in a data
// directory.
func ObjectFiles(ctx context.Context, open OpenObjects) func(storeID string) (store.Files, error) {
	return func(storeID string) (store.Files, error) {
		objects, err := open(ctx)
		if err != nil {
			return nil, err
		}
		return &objectFiles{objects: objects, storeID: storeID}, nil
	}
}

type objectFiles struct {
	objects Objects
	storeID string
	windows sync.Pool
}

// Open implements store.Files.
func (b *objectFiles) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	r := &objectReader{ctx: ctx, objects: b.objects, key: segmentKey(b.storeID, name), windows: &b.windows}
	return struct {
		io.Reader
		io.Closer
	}{io.NewSectionReader(r, 0, math.MaxInt64), r}, nil
}

// Create implements store.Files.
func (b *objectFiles) Create(ctx context.Context, name string, _ int64, r io.Reader) error {
	w, err := b.objects.Create(ctx, segmentKey(b.storeID, name))
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Close()
}
