package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fileSegments keeps each segment in a file in the data directory; an append makes the
// file longer. A writer is alive while it holds a lock of the operating system.
type fileSegments struct {
	db  *store.DB
	dir string
	// makeFile creates a segment file. Tests replace it by files that fail.
	makeFile func(path string) (segmentFile, error)
	limit    int64

	mu   sync.Mutex
	name string
	lock *flock.Flock
}

// fileSize is the length of a segment file, in bytes, after which the next one begins.
const fileSize = 64 << 20

func newFileSegments(db *store.DB) *fileSegments {
	return &fileSegments{
		db:  db,
		dir: db.Dir(),
		makeFile: func(path string) (segmentFile, error) {
			return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		},
		limit: fileSize,
	}
}

func (f *fileSegments) maxSize() int64 { return f.limit }

// compressed is false: the lines can be read with other programs, and compressing them
// would double the CPU time of an import.
func (*fileSegments) compressed() bool { return false }

func (f *fileSegments) path(name string) string {
	return filepath.Join(f.dir, filepath.FromSlash(name))
}

// writerName takes the lock that shows other processes that this writer is alive.
func (f *fileSegments) writerName(ctx context.Context) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock != nil {
		return f.name, nil
	}
	dir := f.path(writersDir)
	if err := makeDir(dir); err != nil {
		return "", err
	}
	id := store.NewID("w")
	l := flock.New(filepath.Join(dir, id+".lock"), flock.SetPermissions(0o600))
	ok, err := l.TryLockContext(ctx, lockRetry)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("the lock %s cannot be taken", l.Path())
	}
	f.name, f.lock = id, l
	return id, nil
}

func (f *fileSegments) create(_ context.Context, _, name string) (segmentFile, error) {
	full := f.path(name)
	if err := makeDir(filepath.Dir(full)); err != nil {
		return nil, err
	}
	file, err := f.makeFile(full)
	if err != nil {
		return nil, err
	}
	return file, syncDir(filepath.Dir(full))
}

// commitSegment checks nothing, because no process removes the files of a living
// writer.
func (f *fileSegments) commitSegment(context.Context, *store.Tx, string) error { return nil }

func (f *fileSegments) discard(ctx context.Context, name string) error {
	id, _, err := committed(ctx, f.db.Read(), name)
	if err != nil || id != 0 {
		return err
	}
	return f.remove(ctx, name)
}

func (f *fileSegments) open(_ context.Context, name string) (segmentReader, error) {
	return os.Open(f.path(name))
}

func (f *fileSegments) remove(_ context.Context, name string) error {
	if err := os.Remove(f.path(name)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("a file cannot be removed, possibly because another program has it open: %w", err)
	}
	return nil
}

func (f *fileSegments) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.lock == nil {
		return nil
	}
	err := f.lock.Unlock()
	_ = os.Remove(f.lock.Path())
	f.lock = nil
	return err
}

// lockRetry is the pause between two attempts to take a file lock.
const lockRetry = 50 * time.Millisecond

// makeDir durably creates a directory that only its owner can read.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for d := dir; ; d = filepath.Dir(d) {
		if err := syncDir(filepath.Dir(d)); err != nil {
			return err
		}
		if base := filepath.Base(d); base == topDir || base == filepath.Dir(d) {
			return nil
		}
	}
}
