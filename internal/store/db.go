package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the pure Go driver keeps the provider free of cgo

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// fileName is the database's name inside the data directory.
const fileName = "lytics.db"

// Location is where a store is.
type Location struct {
	// Dir is the data directory. With a DatabaseURL it is this machine's own,
	// for files that can be made again.
	Dir string
}

// DB is an open store. Several processes may have the same one open.
type DB struct {
	dir     string
	id      string
	dialect dialect
	write   *sql.DB
	read    *sql.DB
	carry   Carry
}

// Open opens a store. Without one there it returns a CodeStore error wrapping
// fs.ErrNotExist, unless create is set.
func Open(ctx context.Context, at Location, create bool) (*DB, error) {
	dir := at.Dir
	file := filepath.Join(dir, fileName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, &jobs.Error{
				Code:    jobs.CodeStore,
				Summary: fmt.Sprintf("No store at %s", dir),
				Detail:  "The data directory holds the authorizations, jobs, cursors and events, and it is not there.",
				Next:    "Restore the directory, or point data_dir at where it is",
				Err:     fs.ErrNotExist,
			}
		}
		if err := prepareDir(dir); err != nil {
			return nil, storeError(dir, "Cannot make the data directory", err)
		}
	}
	unlock, err := lockMigrations(ctx, dir)
	if err != nil {
		return nil, storeError(dir, "Cannot lock the store for opening", err)
	}
	defer unlock()

	db := &DB{dir: dir}
	if db.write, err = sql.Open("sqlite", dsn(file, "FULL")); err != nil {
		return nil, storeError(dir, "Cannot open the store", err)
	}
	// One writer a process: SQLite has one anyway, and waiting here is cheaper
	// and fairer than waiting in its busy handler.
	db.write.SetMaxOpenConns(1)
	if err := db.migrate(ctx); err != nil {
		_ = db.write.Close()
		return nil, storeError(dir, "Cannot open the store", err)
	}
	if db.read, err = sql.Open("sqlite", dsn(file, "FULL")+"&_pragma=query_only(1)"); err != nil {
		_ = db.write.Close()
		return nil, storeError(dir, "Cannot open the store", err)
	}
	if err := db.write.QueryRowContext(ctx, `SELECT id FROM store`).Scan(&db.id); err != nil {
		_ = db.Close()
		return nil, storeError(dir, "Cannot read the store's identity", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(file+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = db.Close()
			return nil, storeError(dir, "Cannot protect the store's files", err)
		}
	}
	return db, nil
}

// dsn sets what SQLite needs under several writing processes: a write-ahead
// log, immediate transactions (a deferred one that upgrades fails at once), a
// busy timeout; and durability at every commit.
func dsn(file, synchronous string) string {
	// What in a path would end it is escaped.
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file))
	return "file:" + escaped + "?_txlock=immediate&_time_format=sqlite" +
		"&_pragma=busy_timeout(15000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_pragma=synchronous(" + synchronous + ")"
}

// prepareDir makes the data directory, private, and keeps it out of git.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	ignore := filepath.Join(dir, ".gitignore")
	if _, err := os.Stat(ignore); err == nil {
		return nil
	}
	return os.WriteFile(ignore, []byte("# Jobs, cursors and customer data: not for version control.\n*\n"), 0o600)
}

// lockMigrations keeps two processes from migrating one store at a time.
func lockMigrations(ctx context.Context, dir string) (func(), error) {
	l := flock.New(filepath.Join(dir, "migrate.lock"), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return nil, err
	}
	return func() { _ = l.Unlock() }, nil
}

func (d *DB) migrate(ctx context.Context) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, d.write, sub)
	if err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return fmt.Errorf("it was written by a newer release (schema %d, this one knows %d); use that release", current, target)
	}
	_, err = d.write.ExecContext(ctx, `INSERT INTO store (one, id) VALUES (1, ?) ON CONFLICT DO NOTHING`, NewID("st"))
	return err
}

// ID identifies the store for its whole life.
func (d *DB) ID() string { return d.id }

// Dir is the data directory.
func (d *DB) Dir() string { return d.dir }

// Write runs f in one transaction, as if no other ran at the same time, durable
// when Write returns nil. f may run several times, when others were in its way:
// of these only the last one counts. When ctx ends first the error is the
// context's: nothing is wrong with the store then.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	tx, err := d.write.BeginTx(ctx, nil)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return storeError(d.dir, "Cannot write to the store", err)
	}
	if err := f(&Tx{tx: tx, dialect: d.dialect}); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return storeError(d.dir, "Cannot write to the store", err)
	}
	return nil
}

// WriteCommitted is Write for a transaction that others do not disturb, because
// it holds locks (Tx.Lock) or changes single rows in single statements: each of
// its statements sees what was committed before the statement began.
func (d *DB) WriteCommitted(ctx context.Context, f func(tx *Tx) error) error {
	return d.Write(ctx, f)
}

// Read is a pool of read-only connections.
func (d *DB) Read() *Reader { return &Reader{db: d.read, dialect: d.dialect} }

// Close closes the store.
func (d *DB) Close() error {
	var errs []error
	if d.read != nil {
		errs = append(errs, d.read.Close())
	}
	return errors.Join(append(errs, d.write.Close())...)
}

func storeError(dir, summary string, err error) error {
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: fmt.Sprintf("%s at %s", summary, dir),
		Detail:  err.Error(),
		Next:    "Check that the directory can be written and its disk has room; if the file is damaged, restore it from a backup (it is never made anew over an existing one)",
		Err:     err,
	}
}
