package embedded

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Platform is the embedded platform of one store. Several goroutines may call its
// methods, and several processes may have the platform of one store open.
type Platform struct {
	db       *store.DB
	now      func() time.Time
	segments segmentStorage
	profiles profileStorage
	limits   buildLimits
	// placeholders are those of the configuration; nil means the store's.
	placeholders []string

	mu       sync.Mutex
	closed   bool
	appender map[string]*appender

	// list caches the list of erased users.
	list atomic.Pointer[erasedList]
}

var errClosed = errors.New("the platform is closed")

// Config is the configuration of a platform.
type Config struct {
	// DB is the store, which holds the definitions and the rows of segments. On
	// PostgreSQL it holds the profiles as well.
	DB *store.DB
	// Segments opens the bucket or volume for the segments of a store on PostgreSQL,
	// whose machines do not share a disk. Without it, events of such a store cannot be
	// appended or read. It is nil for a data directory.
	Segments OpenObjects
	// Placeholders are values of identifiers that identify nobody, whatever their
	// case and the spaces around them. The next build stores the list; if it
	// changed, it rebuilds all profiles. Nil means the list of the store.
	Placeholders []string
}

// Open opens the platform of a store. Close it before the store.
func Open(c Config) (*Platform, error) {
	p := &Platform{db: c.DB, now: time.Now, limits: defaultLimits, placeholders: c.Placeholders, appender: map[string]*appender{}}
	switch {
	case !c.DB.Shared() && c.Segments != nil:
		return nil, errors.New("a store in a data directory keeps its segments there, so no bucket or volume can be set for them")
	case !c.DB.Shared():
		p.segments, p.profiles = newFileSegments(c.DB), &fileProfiles{dir: c.DB.Dir()}
	default:
		p.segments, p.profiles = newObjectSegments(c.DB, c.Segments), &tableProfiles{db: c.DB}
	}
	return p, nil
}

// Close closes the segments being written. All appended events are committed
// already.
func (p *Platform) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	var errs []error
	for _, a := range p.appender {
		a.mu.Lock()
		a.closed = true
		errs = append(errs, a.close())
		for _, u := range a.undecided {
			errs = append(errs, u.file.Close())
		}
		a.mu.Unlock()
	}
	return errors.Join(append(errs, p.segments.close())...)
}

// appenderOf returns this process's only appender of a stream.
func (p *Platform) appenderOf(stream string) (*appender, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, p.storageError("Cannot append to stream "+stream, errClosed)
	}
	if a, ok := p.appender[stream]; ok {
		return a, nil
	}
	a := &appender{p: p, stream: stream}
	p.appender[stream] = a
	return a, nil
}

// storageError returns a *jobs.Error for a failure of the disk, the objects or the
// store. It returns a *jobs.Error unchanged.
func (p *Platform) storageError(summary string, err error) error {
	if _, ok := errors.AsType[*jobs.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return &jobs.Error{
			Code: jobs.CodeCancelled, Summary: summary, Detail: err.Error(), Next: "Run it again; it goes on where it was", Err: err,
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &jobs.Error{
			Code: jobs.CodeTimeout, Summary: summary, Detail: err.Error(),
			Next: "Allow more time, or run it again; it goes on where it was", Err: err,
		}
	}
	next := "Check that the directory can be written and its disk has room; what was committed is intact"
	if p.db.Shared() {
		next = "Check that the database and the bucket or volume of the events answer, and run it again; what was committed is intact"
	}
	return &jobs.Error{Code: jobs.CodeStore, Summary: summary + " in " + p.db.Place(), Detail: err.Error(), Next: next, Err: err}
}

// damageError returns a *jobs.Error for damaged data.
func (p *Platform) damageError(summary, detail string) error {
	next := "Restore the data directory from a backup; nothing was changed"
	if p.db.Shared() {
		next = "Restore the objects of the bucket or volume (a lifecycle rule must not expire those under segments/), " +
			"or the database, from a backup; nothing was changed"
	}
	return &jobs.Error{Code: jobs.CodeStore, Summary: summary + " in " + p.db.Place(), Detail: detail, Next: next}
}

func notFound(kind, id string) error {
	return &jobs.Error{Code: jobs.CodeNotFound, Summary: fmt.Sprintf("There is no %s %q", kind, id), Next: "Check the id"}
}
