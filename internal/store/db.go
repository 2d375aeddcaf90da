package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Location is where a store is.
type Location struct {
	// Dir is the data directory. With a DatabaseURL it is this machine's own,
	// for files that can be made again, and may be empty.
	Dir string
	// DatabaseURL names a PostgreSQL database, for many machines; empty means
	// SQLite in Dir.
	DatabaseURL jobs.Secret
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
	// read numbers the arguments of its queries by itself; write does not.
	read *Reader
	pool *pgxpool.Pool
	// hidden is what errors must not show.
	hidden  []string
	enqueue Enqueue
	// present says to others on this machine that this process lives.
	present presence
}

// Open opens a store. Without one there it returns a CodeStore error wrapping
// fs.ErrNotExist, unless create is set.
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

// ID identifies the store for its whole life, wherever it is moved.
func (d *DB) ID() string { return d.id }

// Dir is this machine's directory for files: with SQLite the data directory.
// It is empty when none was given.
func (d *DB) Dir() string { return d.dir }

// Place says where the store is, for people; it holds no password.
func (d *DB) Place() string { return d.place }

// Shared reports whether other machines may have the store open as well: what
// this one keeps in files the others do not see.
func (d *DB) Shared() bool { return d.dialect == postgres }

// Read is a pool of read-only connections.
func (d *DB) Read() *Reader { return d.read }

// Pool is that of PostgreSQL, for what does not go through Write; nil with
// SQLite. Its tables are in the schema lytics, which is its search path.
func (d *DB) Pool() *pgxpool.Pool { return d.pool }

// Writer is the pool that writes, for code that keeps tables of its own in the
// database. With SQLite it has a single connection.
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
