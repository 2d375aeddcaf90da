package runner

import (
	"context"
	"database/sql"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// sqlitePoll is how often River polls for runs, because SQLite does not notify
// of new rows. It is the longest time a run waits for a free worker to fetch
// it.
const sqlitePoll = 250 * time.Millisecond

// sqliteQueue runs River on the store's only writing connection, so that River
// and the store never wait for each other's locks.
func sqliteQueue(ctx context.Context, db *store.DB, c queueConfig) (*queue, error) {
	tune := func(r *river.Config) {
		r.PollOnly, r.FetchPollInterval, r.FetchCooldown = true, sqlitePoll, sqlitePoll/5
	}
	c.fetchedBy = `json_extract(attempted_by, '$[#-1]')`
	return riverQueue(ctx, db, riversqlite.New(db.Writer()), c, tune, func(tx *store.Tx, f func(*sql.Tx) error) error { return f(tx.SQL()) })
}
