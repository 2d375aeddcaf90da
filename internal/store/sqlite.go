package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	_ "modernc.org/sqlite" // the pure Go driver keeps the provider free of cgo

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
)

// fileName is the database's name inside the data directory.
const fileName = "lytics.db"

func openSQLite(ctx context.Context, at Location, create bool) (*DB, error) {
	db := &DB{dir: at.Dir, place: at.Dir, dialect: sqlite}
	if err := refuseFile(at.Dir); err != nil {
		return nil, err
	}
	if err := checkOwner(at.Dir); err != nil {
		return nil, err
	}
	file := filepath.Join(at.Dir, fileName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, noStoreIn(at.Dir)
		}
		if err := prepareDir(at.Dir); err != nil {
			return nil, db.failed("Cannot make the data directory", err)
		}
		// In a directory such as /tmp, another user may have made it meanwhile.
		if err := checkOwner(at.Dir); err != nil {
			return nil, err
		}
	}
	unlock, err := db.MigrationLock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	if db.write, err = sql.Open("sqlite", dsn(file, "FULL", at.busyTimeout)); err != nil {
		return nil, db.failed("Cannot open the store", err)
	}
	// SQLite has one writer at a time. Waiting for this pool's one connection is
	// cheaper and fairer than waiting in SQLite's busy handler.
	db.write.SetMaxOpenConns(1)
	readers, err := sql.Open("sqlite", dsn(file, "FULL", at.busyTimeout)+"&_pragma=query_only(1)")
	if err != nil {
		_ = db.Close()
		return nil, db.failed("Cannot open the store", err)
	}
	db.read = &Reader{db: readers, dialect: sqlite}
	if err := db.finishOpening(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(file+suffix, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			_ = db.Close()
			return nil, db.failed("Cannot protect the store's files", err)
		}
	}
	return db, nil
}

// checkOwner checks that other users can neither write to the data directory nor replace it.
func checkOwner(dir string) error {
	err := ownership.Directory(dir)
	if err == nil {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeStore, Attribute: "data_dir", Summary: "The data directory is not only yours", Detail: err.Error() + ".", Err: err,
		Next: "Or use a data directory of your own: a directory that does not exist is made for this user alone",
	}
}

// refuseFile fails if the data directory is a file, or is to be in one.
func refuseFile(dir string) error {
	info, err := os.Stat(dir)
	why := ""
	switch {
	case err == nil && !info.IsDir():
		why = "It is a file."
	case errors.Is(err, syscall.ENOTDIR):
		why = "One of its parents is a file."
	default:
		return nil
	}
	return &jobs.Error{Code: jobs.CodeStore, Attribute: "data_dir", Summary: "The data directory " + dir + " is not a directory", Detail: why,
		Next: "Set data_dir (--data-dir, LYTICS_DATA_DIR) to a directory; one that does not exist is made"}
}

// noStoreIn is the error of a data directory without a store.
func noStoreIn(dir string) error {
	detail := "The data directory holds the authorizations, jobs, cursors and events, and it has no file " + fileName + "."
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		detail = "The data directory, which holds the authorizations, jobs, cursors and events, does not exist."
	}
	return &jobs.Error{
		Code: jobs.CodeStore, Summary: fmt.Sprintf("No store at %s", dir), Detail: detail,
		Next: "Set data_dir (--data-dir, LYTICS_DATA_DIR) to the directory that has the store, or restore it from a backup; " +
			"an apply that creates something, and the command runner, make a new store",
		Err: fs.ErrNotExist,
	}
}

// dsn returns a data source name with the settings that several writing processes
// need: a write-ahead log, immediate transactions (a deferred one fails at once when
// it begins to write), and a busy timeout. Every commit is durable.
func dsn(file, synchronous string, busyTimeout time.Duration) string {
	// These characters would end the path of a URI.
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file))
	return fmt.Sprintf("file:%s?_txlock=immediate&_time_format=sqlite&_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)"+
		"&_pragma=synchronous(%s)", escaped, cmp.Or(busyTimeout, 15*time.Second).Milliseconds(), synchronous)
}

// prepareDir creates the data directory, readable by its owner only and ignored by
// git.
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

// lockFile is MigrationLock on SQLite.
func lockFile(ctx context.Context, dir string) (unlock func(), err error) {
	l := flock.New(filepath.Join(dir, "migrate.lock"), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return nil, err
	}
	return func() { _ = l.Unlock() }, nil
}
