package embedded

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// profileStorage is where generations of profiles are: files of the data
// directory, or tables of the store's database.
type profileStorage interface {
	// lock waits until nobody else builds.
	lock(ctx context.Context) (buildRight, error)
	// read opens a generation; fs.ErrNotExist when it is gone, by read or by
	// the reader.
	read(ctx context.Context, g generation) (profileReader, error)
	// name makes a name for a new generation.
	name() string
	// remedy says how all profiles are built again.
	remedy() string
}

// buildRight is the right to change profiles, which one process has at a time.
type buildRight interface {
	// fence fails in a transaction of the store when the right was lost, and
	// keeps it until the transaction ends.
	fence(ctx context.Context, tx *store.Tx) error
	// has tells whether a generation was begun.
	has(ctx context.Context, g generation) (bool, error)
	// open opens a generation for building, begun when it was not.
	open(ctx context.Context, g generation) (profileWriter, error)
	// sweep removes the generations that are not among the known. What readers
	// still have open may stay until the next sweep.
	sweep(ctx context.Context, known []generation) error
	release() error
}

// profileWriter is a generation that is being built.
type profileWriter interface {
	positions(ctx context.Context) (map[string]position, error)
	counters(ctx context.Context) (counters, error)
	begin(ctx context.Context) (profileWindow, error)
	// erase removes profiles to the last byte that is in its power, and makes
	// positions such that extents before them may shrink. It tells how many
	// were there.
	erase(ctx context.Context, fields []mappedField, profiles []int64) (int64, error)
	close() error
}

// profileWindow is one transaction of a build: the events between two commits.
type profileWindow interface {
	// find adds to found the profiles that have some of the identities, which
	// are sorted.
	find(ctx context.Context, wanted []identity, found map[identity]int64) error
	// profiles calls each for stored profiles; the blob is used again.
	profiles(ctx context.Context, wanted []int64, each func(id int64, blob []byte)) error
	// put writes a profile, together with others.
	put(ctx context.Context, pr *profile) error
	// remove deletes a profile that was joined into another.
	remove(ctx context.Context, id int64) error
	// finish writes the owners, which are sorted, the counters and the position
	// in a stream, and commits all.
	finish(ctx context.Context, owners []owner, c *counters, stream string, at position) error
	rollback()
}

// profileReader reads one generation.
type profileReader interface {
	// each calls f for all profiles by id, from one snapshot, until it returns
	// false. The blob is used again.
	each(ctx context.Context, f func(id int64, blob []byte) (bool, error)) error
	// owner gives the profile that has an identity; ok is false when none has.
	owner(ctx context.Context, i identity) (id int64, blob []byte, ok bool, err error)
	close() error
}

// buildWrite is a transaction of the store that only the holder of the right to
// build commits.
func (p *Platform) buildWrite(ctx context.Context, right buildRight, f func(tx *store.Tx) error) error {
	return p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		if err := right.fence(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}
