package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Platform is the embedded platform of one data directory. Its methods may be
// called by several goroutines, and several processes may have one open.
type Platform struct {
	db  *store.DB
	now func() time.Time
	// createSegment makes a segment file; tests pass files that fail.
	createSegment func(path string) (segmentFile, error)
	segmentSize   int64
	limits        buildLimits

	mu       sync.Mutex
	closed   bool
	writer   string
	lock     *flock.Flock
	appender map[string]*appender

	// list is the list of erased users as it was read last.
	list atomic.Pointer[erasedList]
}

// segmentFile is what an appender needs of a file.
type segmentFile interface {
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

var errClosed = errors.New("the platform is closed")

var _ jobs.Platform = (*Platform)(nil)

// defaultSegmentSize is where a new segment begins.
const defaultSegmentSize = 64 << 20

// Open opens the platform of a store. Close it before the store.
func Open(db *store.DB) (*Platform, error) {
	return &Platform{
		db:  db,
		now: time.Now,
		createSegment: func(path string) (segmentFile, error) {
			return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		},
		segmentSize: defaultSegmentSize,
		limits:      defaultLimits,
		appender:    map[string]*appender{},
	}, nil
}

// Close closes the segment files. What was appended is committed already.
func (p *Platform) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, a := range p.appender {
		a.mu.Lock()
		a.closed = true
		errs = append(errs, a.close())
		a.mu.Unlock()
	}
	if p.lock != nil {
		errs = append(errs, p.lock.Unlock())
		_ = os.Remove(p.lock.Path())
		p.lock = nil
	}
	return errors.Join(errs...)
}

// appenderOf gives the one appender that this process has for a stream.
func (p *Platform) appenderOf(ctx context.Context, stream string) (*appender, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, p.failed("Cannot append to stream "+stream, errClosed)
	}
	if a, ok := p.appender[stream]; ok {
		return a, nil
	}
	if err := p.becomeWriter(ctx); err != nil {
		return nil, p.failed("Cannot append to stream "+stream, err)
	}
	a := &appender{p: p, stream: stream, dir: streamDir(stream)}
	p.appender[stream] = a
	return a, nil
}

// becomeWriter takes the lock that says this writer is alive.
func (p *Platform) becomeWriter(ctx context.Context) error {
	if p.lock != nil {
		return nil
	}
	dir := filepath.Join(p.db.Dir(), writersDir)
	if err := makeDir(dir); err != nil {
		return err
	}
	id := store.NewID("w")
	l := flock.New(filepath.Join(dir, id+".lock"), flock.SetPermissions(0o600))
	ok, err := l.TryLockContext(ctx, lockRetry)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("the lock %s cannot be taken", l.Path())
	}
	p.writer, p.lock = id, l
	return nil
}

// lockRetry is how often a held lock is tried again.
const lockRetry = 50 * time.Millisecond

// makeDir makes a private directory that survives a crash of the machine.
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

// failed is an error of the disk or the store. Errors that already say what to
// do pass through.
func (p *Platform) failed(summary string, err error) error {
	if _, ok := errors.AsType[*jobs.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return &jobs.Error{Code: jobs.CodeCancelled, Summary: summary, Detail: err.Error(), Next: "Run it again; it goes on where it was", Err: err}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &jobs.Error{Code: jobs.CodeTimeout, Summary: summary, Detail: err.Error(), Next: "Allow more time, or run it again; it goes on where it was", Err: err}
	}
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: fmt.Sprintf("%s in %s", summary, p.db.Dir()),
		Detail:  err.Error(),
		Next:    "Check that the directory can be written and its disk has room; what was committed is intact",
		Err:     err,
	}
}

// damaged is an error of data that is there and wrong.
func (p *Platform) damaged(summary, detail string) error {
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: fmt.Sprintf("%s in %s", summary, p.db.Dir()),
		Detail:  detail,
		Next:    "Restore the data directory from a backup; nothing was changed",
	}
}

func notFound(kind, id string) error {
	return &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("There is no %s %q", kind, id), Next: "Check the id"}
}
