package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fileProfiles has a SQLite file for each generation.
type fileProfiles struct{ dir string }

// The name of a generation's file: profiles-ID.db.
const (
	profilesPrefix = "profiles-"
	profilesSuffix = ".db"
)

func (fileProfiles) name() string {
	return profilesPrefix + strings.TrimPrefix(store.NewID("g"), "g_") + profilesSuffix
}

func (fileProfiles) remedy() string { return "remove the profiles-*.db files" }

// profilesLock is held by the one process that builds.
const profilesLock = "profiles.lock"

func (f *fileProfiles) lock(ctx context.Context) (buildRight, error) {
	l := flock.New(filepath.Join(f.dir, profilesLock), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return nil, err
	}
	return &fileRight{f, l}, nil
}

// fileRight is a lock of the operating system, which cannot be lost.
type fileRight struct {
	*fileProfiles
	l *flock.Flock
}

func (r *fileRight) release() error { return r.l.Unlock() }

func (*fileRight) fence(context.Context, *store.Tx) error { return nil }

func (r *fileRight) has(_ context.Context, g generation) (bool, error) {
	_, err := os.Stat(filepath.Join(r.dir, g.file))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// sweep cannot remove open files where a system forbids it: the next one does.
func (r *fileRight) sweep(_ context.Context, known []generation) error {
	files, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		base, _, ok := strings.Cut(f.Name(), profilesSuffix)
		if !ok || !strings.HasPrefix(base, profilesPrefix) ||
			slices.ContainsFunc(known, func(g generation) bool { return g.file == base+profilesSuffix }) {
			continue
		}
		if err := os.Remove(filepath.Join(r.dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// generationSchema is the schema of a generation's file.
const generationSchema = `
CREATE TABLE IF NOT EXISTS profiles (id INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS identities (
    field   INTEGER NOT NULL,
    value   TEXT NOT NULL,
    profile INTEGER NOT NULL,
    PRIMARY KEY (field, value)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (
    stream   TEXT PRIMARY KEY,
    extent   INTEGER NOT NULL,
    offset   INTEGER NOT NULL, -- into the extent, in bytes
    events   INTEGER NOT NULL, -- of the extent
    checksum INTEGER NOT NULL  -- of those bytes
) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

// generationDSN escapes what in a path would end it.
func generationDSN(file, options string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file))
	return "file:" + escaped + "?_pragma=busy_timeout(15000)" + options
}

// open opens a generation's file for its one builder. A crash of the machine
// may lose the last commits, positions and profiles together; they are then
// built again from the events.
func (r *fileRight) open(ctx context.Context, g generation) (profileWriter, error) {
	file := filepath.Join(r.dir, g.file)
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", generationDSN(file,
		"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(8000)&_pragma=secure_delete(ON)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, generationSchema); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s, err := prepare(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &fileWriter{db, s}, nil
}

// read opens a generation's file for one scan.
func (f *fileProfiles) read(_ context.Context, g generation) (profileReader, error) {
	file := filepath.Join(f.dir, g.file)
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", generationDSN(file, "&mode=ro&_pragma=query_only(1)&_pragma=cache_size(-16384)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &fileReader{db}, nil
}

type fileReader struct{ db *sql.DB }

func (r *fileReader) close() error { return r.db.Close() }

func (r *fileReader) each(ctx context.Context, f func(id int64, blob []byte) (bool, error)) error {
	// One statement is one snapshot.
	rows, err := r.db.QueryContext(ctx, `SELECT id, state FROM profiles ORDER BY id`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var blob sql.RawBytes
		if err := rows.Scan(&id, &blob); err != nil {
			return err
		}
		if more, err := f(id, blob); err != nil || !more {
			return err
		}
	}
	return rows.Err()
}

func (r *fileReader) owner(ctx context.Context, i identity) (id int64, blob []byte, ok bool, err error) {
	err = r.db.QueryRowContext(ctx, `SELECT p.id, p.state FROM identities i JOIN profiles p ON p.id = i.profile WHERE i.field = ? AND i.value = ?`,
		i.field, i.value).Scan(&id, &blob)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, false, nil
	}
	return id, blob, err == nil, err
}

// fileWriter builds a generation's file.
type fileWriter struct {
	db *sql.DB
	*statements
}

func (w *fileWriter) close() error {
	w.statements.close()
	return w.db.Close()
}

func (w *fileWriter) erase(ctx context.Context, fields []mappedField, profiles []int64) (removed int64, err error) {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	for _, id := range profiles {
		ok, err := removeProfile(ctx, tx, fields, id)
		if err != nil {
			return 0, fmt.Errorf("profile %d: %w", id, err)
		}
		if ok {
			removed++
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE counters SET n = n - ? WHERE name = 'profiles'`, removed); err != nil {
		return 0, err
	}
	// A position at the end of an extent is also one after it, which does not
	// say how long the extent is.
	if _, err := tx.ExecContext(ctx, `UPDATE positions SET offset = 0, events = 0, checksum = 0`); err != nil {
		return 0, err
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	// The log still has the pages as they were.
	_, err = w.db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return removed, err
}

// removeProfile is false when the profile is gone already.
func removeProfile(ctx context.Context, tx *sql.Tx, fields []mappedField, id int64) (bool, error) {
	var blob []byte
	err := tx.QueryRowContext(ctx, `DELETE FROM profiles WHERE id = ? RETURNING state`, id).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	pr, err := readProfile(blob, fields, make([]bool, len(fields)))
	if err != nil {
		return false, err
	}
	for _, i := range pr.identities {
		if _, err := tx.ExecContext(ctx, `DELETE FROM identities WHERE field = ? AND value = ?`, i.field, i.value); err != nil {
			return false, err
		}
	}
	return true, nil
}
