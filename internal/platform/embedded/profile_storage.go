package embedded

import (
	"context"
	"database/sql"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// profileStorage is where generations of profiles are: files of the data
// directory, or tables of the store's database.
type profileStorage interface {
	// lock waits until no other process builds profiles, and locks them.
	lock(ctx context.Context) (buildLock, error)
	// read opens a generation for reading. When the generation is gone, read or
	// the first query fails with fs.ErrNotExist.
	read(ctx context.Context, g generation) (*generationDB, error)
	// newName makes a name for a new generation.
	newName() string
	// rebuildHint tells an operator how to have all profiles built again.
	rebuildHint() string
}

// buildLock is the right to change profiles, which one process has at a time.
type buildLock interface {
	// fence fails in a transaction when the lock was lost. Otherwise no other
	// process can take the lock before the transaction ends.
	fence(ctx context.Context, tx rowQuerier) error
	// exists reports whether building the generation has begun.
	exists(ctx context.Context, g generation) (bool, error)
	// open opens a generation for building, and creates what is missing of it.
	open(ctx context.Context, g generation) (*generationDB, error)
	// removeExcept removes the generations that are not among the known ones.
	// A generation that a reader has open may stay until the next call.
	removeExcept(ctx context.Context, known []generation) error
	release() error
}

// rowQuerier is what sql.Tx and store.Tx have in common for reading one row.
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
