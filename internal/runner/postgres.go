package runner

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// How soon and how often River looks for runs. PostgreSQL tells it of new ones;
// but River tells of at most one insert in each cooldown, and the rest is found
// by looking.
const (
	postgresCooldown = 20 * time.Millisecond
	postgresPoll     = 250 * time.Millisecond
)

// postgresQueue is River on the store's pool, with its tables in the store's
// schema, which is the pool's search path.
func postgresQueue(ctx context.Context, db *store.DB, c queueConfig) (*queue, error) {
	tune := func(r *river.Config) { r.FetchPollInterval, r.FetchCooldown = postgresPoll, postgresCooldown }
	c.fetchedBy = `attempted_by[array_upper(attempted_by, 1)]`
	return riverQueue(ctx, db, riverpgxv5.New(db.Pool()), c, tune, func(tx *store.Tx, f func(pgx.Tx) error) error { return f(tx.Postgres()) })
}
