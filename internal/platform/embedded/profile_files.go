package embedded

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fileProfiles keeps each generation in a SQLite file of the data directory.
type fileProfiles struct{ dir string }

// The name of a generation's file: profiles-ID.db.
const (
	profilesPrefix = "profiles-"
	profilesSuffix = ".db"
)

func (fileProfiles) newName() string {
	return profilesPrefix + strings.TrimPrefix(store.NewID("g"), "g_") + profilesSuffix
}

func (fileProfiles) rebuildHint() string { return "remove the profiles-*.db files" }

// profilesLock is the name of the file that the building process locks.
const profilesLock = "profiles.lock"

func (f *fileProfiles) lock(ctx context.Context) (buildLock, error) {
	l := flock.New(filepath.Join(f.dir, profilesLock), flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return nil, err
	}
	return &fileLock{f, l}, nil
}

// fileLock is a lock of the operating system. A living process cannot lose it,
// so its fence never fails.
type fileLock struct {
	*fileProfiles
	l *flock.Flock
}

func (l *fileLock) release() error { return l.l.Unlock() }

func (*fileLock) fence(context.Context, rowQuerier) error { return nil }

func (l *fileLock) exists(_ context.Context, g generation) (bool, error) {
	_, err := os.Stat(filepath.Join(l.dir, g.file))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// removeExcept leaves open files to the next call, because Windows refuses to remove
// them.
func (l *fileLock) removeExcept(_ context.Context, known []generation) error {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		base, _, ok := strings.Cut(f.Name(), profilesSuffix)
		if !ok || !strings.HasPrefix(base, profilesPrefix) ||
			slices.ContainsFunc(known, func(g generation) bool { return g.file == base+profilesSuffix }) {
			continue
		}
		err := os.Remove(filepath.Join(l.dir, f.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return nil
}

// fileSchema is the schema of a generation's file.
const fileSchema = `
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
    offset   INTEGER NOT NULL, -- bytes of the extent before the position
    events   INTEGER NOT NULL, -- events of the extent before the position
    checksum INTEGER NOT NULL  -- checksum of the bytes before the position
) STRICT;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

// fileDialect is the dialect of SQLite. A statement for 100 rows costs much less than
// 100 statements for one row; larger statements gain nothing more.
var fileDialect = &profileDialect{
	rowsAtOnce: 100, bytesAtOnce: 4 << 20, prepare: true,
	storedValue: func(value string) any { return value },
	// The write-ahead log still contains the old pages.
	purge: `PRAGMA wal_checkpoint(TRUNCATE)`,
}

// fileDSN is the data source name of a generation's file. It escapes the characters
// that would end the path of a URI.
func fileDSN(file, options string) string {
	escaped := strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(filepath.ToSlash(file))
	return "file:" + escaped + "?_pragma=busy_timeout(15000)" + options
}

// open opens a generation's file for building.
func (l *fileLock) open(ctx context.Context, g generation) (*generationDB, error) {
	f, err := os.OpenFile(filepath.Join(l.dir, g.file), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	db, err := openFile(f.Name(),
		"&_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-65536)"+
			"&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(8000)&_pragma=secure_delete(ON)")
	if err != nil {
		return nil, err
	}
	db.fence = l.fence
	if _, err = db.db.ExecContext(ctx, fileSchema); err == nil {
		err = db.prepareBulk(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

// read opens a generation's file for reading.
func (f *fileProfiles) read(_ context.Context, g generation) (*generationDB, error) {
	file := filepath.Join(f.dir, g.file)
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	return openFile(file, "&mode=ro&_pragma=query_only(1)&_pragma=cache_size(-16384)")
}

func openFile(file, options string) (*generationDB, error) {
	db, err := sql.Open("sqlite", fileDSN(file, options))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &generationDB{
		db: db, dialect: fileDialect, closeDB: db.Close,
		rebind: func(query string) string { return query },
		names: strings.NewReplacer("{profiles}", "profiles", "{identities}", "identities", "{positions}", "positions",
			"{counters}", "counters", "{offset}", "offset"),
	}, nil
}
