// Package storetest makes new SQLite stores for tests in the time that copying
// a file takes: a new store otherwise runs every migration, which is most of
// the CPU time of a short test.
package storetest

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // opens the copy, to give it an id

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fileName is the database's name inside a data directory.
const fileName = "lytics.db"

// migrated is the content of a store that was just created. It is made once in
// a process.
var migrated = sync.OnceValues(func() (content []byte, err error) {
	dir, err := os.MkdirTemp("", "storetest-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := store.Open(context.Background(), store.Location{Dir: dir}, true)
	if err != nil {
		return nil, err
	}
	// Closing the last connection moves the write-ahead log into the file.
	if err := db.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, fileName))
})

// Open opens a store like store.Open with create set. If a SQLite store has no
// file yet, it gets a migrated one with an id of its own.
func Open(ctx context.Context, at store.Location) (*store.DB, error) {
	if at.Dir != "" {
		if err := Create(ctx, at.Dir); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, at, true)
}

// Create puts a migrated store with an id of its own into a directory, unless a
// store is there.
func Create(ctx context.Context, dir string) error {
	file := filepath.Join(dir, fileName)
	content, err := migrated()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", file)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `UPDATE store SET id = ?`, store.NewID("st"))
	return errors.Join(err, db.Close())
}
