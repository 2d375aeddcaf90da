package embedded

import (
	"context"
	"database/sql"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// profileStorage stores generations of profiles, in files of the data directory or in
// tables of the store's database.
type profileStorage interface {
	// lock waits until no other process builds profiles, and locks them.
	lock(ctx context.Context) (buildLock, error)
	// read opens a generation for reading. If the generation was removed, read or
	// the first query fails with fs.ErrNotExist.
	read(ctx context.Context, g generation) (*generationDB, error)
	// newName returns a name for a new generation.
	newName() string
	// rebuildHint tells an operator what to do to have all profiles built again.
	rebuildHint() string
}

// buildLock is the right to change profiles. One process holds it at a time.
type buildLock interface {
	// fence fails if the lock was lost. Otherwise no other process can take the
	// lock before the transaction ends.
	fence(ctx context.Context, tx rowQuerier) error
	// exists reports whether a build of the generation has begun.
	exists(ctx context.Context, g generation) (bool, error)
	// open opens a generation for building, and creates its missing files or
	// tables.
	open(ctx context.Context, g generation) (*generationDB, error)
	// removeExcept removes the generations that are not among the known ones.
	// A generation that a reader has open may stay until the next call.
	removeExcept(ctx context.Context, known []generation) error
	release() error
}

// rowQuerier reads one row; sql.Tx and store.Tx implement it.
type rowQuerier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// buildWrite runs f in a transaction of the store that commits only while this
// process holds the lock.
func (p *Platform) buildWrite(ctx context.Context, lock buildLock, f func(tx *store.Tx) error) error {
	return p.db.WriteCommitted(ctx, func(tx *store.Tx) error {
		if err := lock.fence(ctx, tx); err != nil {
			return err
		}
		return f(tx)
	})
}
