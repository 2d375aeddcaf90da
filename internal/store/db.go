package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Location is where a store is.
type Location struct {
	// Dir is the data directory. With a DatabaseURL it is a local directory for
	// files that can be rebuilt, and may be empty.
	Dir string
	// DatabaseURL names a PostgreSQL database, which many machines can use; empty
	// means SQLite in Dir.
	DatabaseURL jobs.Secret
	// Connections bounds the connections to the PostgreSQL database, unless the URL
	// has pool_max_conns; 0 means 16.
	Connections int
	// busyTimeout is how long one attempt to write waits for other processes that write to
	// the same SQLite file; 0 means 15 seconds. A write makes several attempts.
	busyTimeout time.Duration
}

// DB is an open store. Several processes may have the same one open.
type DB struct {
	dir   string
	place string
	id    string
	// schema is the number of the newest migration.
	schema  int64
	dialect dialect
	write   *sql.DB
	// read rebinds the arguments of its queries; for write, Tx does.
	read *Reader
	pool *pgxpool.Pool
	// hidden are the passwords of the database; no message contains a secret that is
	// held.
	hidden  []jobs.Secret
	enqueue Enqueue
	// present shows other processes on this machine that this one is alive.
	present presence
}

// Open opens a store. If there is none, it creates one when create is set, and
// otherwise returns a CodeStore error that wraps fs.ErrNotExist.
func Open(ctx context.Context, at Location, create bool) (*DB, error) {
	if at.DatabaseURL.Empty() {
		return openSQLite(ctx, at, create)
	}
	return openPostgres(ctx, at, create)
}

// finishOpening brings the schema up to date and reads the store's identity.
func (d *DB) finishOpening(ctx context.Context) error {
	if err := d.migrate(ctx); err != nil {
		return d.failed("Cannot open the store", err)
	}
	if err := d.write.QueryRowContext(ctx, `SELECT id FROM store`).Scan(&d.id); err != nil {
		return d.failed("Cannot read the store's identity", err)
	}
	return nil
}

// ID identifies the store for its whole life, even after Copy.
func (d *DB) ID() string { return d.id }

// Dir is Location.Dir: with SQLite the data directory.
func (d *DB) Dir() string { return d.dir }

// Place is the store's location for messages; it contains no password.
func (d *DB) Place() string { return d.place }

// Shared reports whether other machines may have the store open as well. They do
// not see this machine's files.
func (d *DB) Shared() bool { return d.dialect == postgres }

// Read is a pool of read-only connections.
func (d *DB) Read() *Reader { return d.read }

// Pool is the PostgreSQL connection pool, for code that does not use Write; nil
// with SQLite. The search path of its connections is the schema lytics.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Writer is the pool of writing connections, for code that has its own tables in
// the database. With SQLite it has a single connection.
func (d *DB) Writer() *sql.DB { return d.write }

// Close closes the store.
func (d *DB) Close() error {
	var errs []error
	if d.read != nil {
		errs = append(errs, d.read.db.Close())
	}
	if d.write != nil {
		errs = append(errs, d.write.Close())
	}
	if d.pool != nil {
		d.pool.Close()
	}
	return errors.Join(append(errs, d.leave())...)
}
