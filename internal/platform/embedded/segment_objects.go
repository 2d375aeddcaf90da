package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Objects keeps segments as objects of an S3 bucket, or as files of a Unity Catalog volume.
// An object exists, whole, when its Writer was closed. The error of a read of an object
// that does not exist wraps fs.ErrNotExist.
type Objects interface {
	Create(ctx context.Context, key string) (*staging.Writer, error)
	// ReadAt reads like io.ReaderAt.
	ReadAt(ctx context.Context, key string, p []byte, offset int64) (int, error)
	// List returns the objects below a prefix.
	List(ctx context.Context, prefix string) ([]staging.Object, error)
	// Remove removes an object if it exists.
	Remove(ctx context.Context, key string) error
}

// OpenObjects opens the objects. If they have a method Close, the platform calls it.
type OpenObjects func(ctx context.Context) (Objects, error)

// objectSegments keeps each segment in an object. An append writes one object, which never
// changes. The keys of a store's objects begin with the store's prefix.
type objectSegments struct {
	db *store.DB
	// openObjects is nil if nothing is configured.
	openObjects OpenObjects
	name        string

	mu      sync.Mutex
	opened  Objects
	windows sync.Pool
}

// segmentsPrefix is the prefix of the segments of all stores, after the configured
// prefix.
const segmentsPrefix = "segments/"

func newObjectSegments(db *store.DB, open OpenObjects) *objectSegments {
	return &objectSegments{db: db, openObjects: open, name: store.NewID("w"), windows: sync.Pool{New: func() any {
		b := make([]byte, readWindow)
		return &b
	}}}
}

// objects opens the bucket or volume when it is first used, because reading definitions
// must need neither.
func (b *objectSegments) objects(ctx context.Context) (Objects, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened != nil {
		return b.opened, nil
	}
	if b.openObjects == nil {
		return nil, jobs.Invalid("staging.s3", "No place is configured for the events",
			"With database_url several machines share one store, and they do not see each other's disks, so events are kept in S3 or in a volume.",
			"Set staging.s3 or events.volume, or leave database_url out to keep everything in data_dir")
	}
	opened, err := b.openObjects(ctx)
	if err != nil {
		return nil, err
	}
	b.opened = opened
	return opened, nil
}

func segmentKey(storeID, name string) string { return segmentsPrefix + storeID + "/" + name }

func (b *objectSegments) key(name string) string { return segmentKey(b.db.ID(), name) }

// maxSize is 1, so that every append begins a new object.
func (*objectSegments) maxSize() int64 { return 1 }

// compressed is true: a network takes longer for the lines than a processor for compressing
// them.
func (*objectSegments) compressed() bool { return true }

func (b *objectSegments) writerName(context.Context) (string, error) { return b.name, nil }

func (b *objectSegments) create(ctx context.Context, stream, name string) (segmentFile, error) {
	objects, err := b.objects(ctx)
	if err != nil {
		return nil, err
	}
	if err := b.announce(ctx, stream, name); err != nil {
		return nil, err
	}
	return &object{ctx: ctx, objects: objects, key: b.key(name)}, nil
}

func (b *objectSegments) open(ctx context.Context, name string) (segmentReader, error) {
	objects, err := b.objects(ctx)
	if err != nil {
		return nil, err
	}
	return &objectReader{ctx: ctx, objects: objects, key: b.key(name), windows: &b.windows}, nil
}

func (b *objectSegments) remove(ctx context.Context, name string) error {
	objects, err := b.objects(ctx)
	if err != nil {
		return err
	}
	return objects.Remove(ctx, b.key(name))
}

func (b *objectSegments) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c, ok := b.opened.(interface{ Close() }); ok {
		c.Close()
	}
	return nil
}

// object is an object that is being written. It appears at Sync, with
// its whole content.
type object struct {
	ctx     context.Context // the context of the append, which the object does not outlive
	objects Objects
	key     string
	upload  *staging.Writer
	length  int64
}

var errWritten = errors.New("an object is written once, from its beginning to its end")

func (o *object) WriteAt(p []byte, offset int64) (int, error) {
	if offset != o.length {
		return 0, fmt.Errorf("byte %d after %d: %w", offset, o.length, errWritten)
	}
	if err := o.begin(); err != nil {
		return 0, err
	}
	n, err := o.upload.Write(p)
	o.length += int64(n)
	if err != nil {
		// The error of the upload says more than the error of writing to it.
		err = errors.Join(o.upload.Close(), err)
		o.upload = nil
	}
	return n, err
}

func (o *object) begin() (err error) {
	if o.upload == nil {
		o.upload, err = o.objects.Create(o.ctx, o.key)
	}
	return err
}

func (o *object) Sync() error {
	if err := o.begin(); err != nil {
		return err
	}
	err := o.upload.Close()
	o.upload = nil
	return err
}

// Truncate accepts only the object's length, because an object cannot be shortened.
func (o *object) Truncate(size int64) error {
	if size != o.length {
		return fmt.Errorf("%d of %d bytes: %w", size, o.length, errWritten)
	}
	return nil
}

func (o *object) Close() error {
	if o.upload == nil {
		return nil
	}
	err := o.upload.Abort()
	o.upload = nil
	return err
}

// readWindow is the number of bytes that one request reads from an object.
const readWindow = 4 << 20

// objectReader reads an object, mostly in sequence, for one goroutine.
type objectReader struct {
	ctx     context.Context // io.ReaderAt has no parameter for it
	objects Objects
	key     string
	windows *sync.Pool

	// window holds filled bytes of the object, from offset on. ended means that the
	// object ends after them.
	window *[]byte
	filled int
	offset int64
	ended  bool
}

func (r *objectReader) ReadAt(p []byte, offset int64) (n int, err error) {
	for n < len(p) {
		at := offset + int64(n) - r.offset
		if r.window == nil || at < 0 || at >= int64(r.filled) {
			if r.window != nil && r.ended && at >= int64(r.filled) {
				return n, io.EOF
			}
			if err := r.fill(offset + int64(n)); err != nil {
				return n, err
			}
			continue
		}
		n += copy(p[n:], (*r.window)[at:r.filled])
	}
	return n, nil
}

func (r *objectReader) fill(offset int64) (err error) {
	if r.window == nil {
		w, ok := r.windows.Get().(*[]byte)
		if !ok {
			w = new([]byte)
			*w = make([]byte, readWindow)
		}
		r.window = w
	}
	r.offset, r.ended = offset, false
	r.filled, err = r.objects.ReadAt(r.ctx, r.key, *r.window, offset)
	if errors.Is(err, io.EOF) {
		r.ended, err = true, nil
	}
	if err != nil {
		r.filled = 0
	}
	return err
}

func (r *objectReader) Close() error {
	if r.window != nil {
		r.windows.Put(r.window)
		r.window, r.filled = nil, 0
	}
	return nil
}
