package runner

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// postgresPoll is how often River polls for runs. PostgreSQL notifies River of
// inserted runs, but River sends at most one notification per postgresCooldown;
// polling finds the others.
const (
	postgresCooldown = 20 * time.Millisecond
	postgresPoll     = 250 * time.Millisecond
)

// postgresQueue runs River on the store's connection pool. River's tables are
// in the store's schema, which is the search path of the pool.
func postgresQueue(ctx context.Context, db *store.DB, c queueConfig) (*queue, error) {
	tune := func(r *river.Config) { r.FetchPollInterval, r.FetchCooldown = postgresPoll, postgresCooldown }
	c.fetchedBy = `attempted_by[array_upper(attempted_by, 1)]`
	return riverQueue(ctx, db, riverpgxv5.New(db.Pool()), c, tune, func(tx *store.Tx, f func(pgx.Tx) error) error { return f(tx.Postgres()) })
}
