// Package storetest makes new SQLite stores for tests in the time that copying
// a file takes: a new store otherwise runs every migration, which is most of
// the CPU time of a short test.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// fileName is the database's name inside a data directory.
const fileName = "lytics.db"

// copied is a store that was just created: the content of its file, and its id.
type copied struct {
	content []byte
	id      string
}

// migrated makes a store once in a process.
var migrated = sync.OnceValues(func() (made copied, err error) {
	dir, err := os.MkdirTemp("", "storetest-")
	if err != nil {
		return copied{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	db, err := store.Open(context.Background(), store.Location{Dir: dir}, true)
	if err != nil {
		return copied{}, err
	}
	made.id = db.ID()
	// Closing the last connection moves the write-ahead log into the file.
	if err := db.Close(); err != nil {
		return copied{}, err
	}
	if made.content, err = os.ReadFile(filepath.Join(dir, fileName)); err != nil {
		return copied{}, err
	}
	if n := bytes.Count(made.content, []byte(made.id)); n != 1 {
		return copied{}, fmt.Errorf("the file of a new store has its id %d times, want once: storetest replaces it there", n)
	}
	return made, nil
})

// Open opens a store like store.Open with create set. If a SQLite store has no
// file yet, it gets a migrated one with an id of its own.
func Open(ctx context.Context, at store.Location) (*store.DB, error) {
	if at.Dir != "" {
		if err := Create(at.Dir); err != nil {
			return nil, err
		}
	}
	return store.Open(ctx, at, true)
}

// Create puts a migrated store with an id of its own into a directory, unless a
// store is there.
func Create(dir string) error {
	made, err := migrated()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	// Ids have one length, and SQLite's pages have no checksum. An UPDATE would open a
	// connection, which costs more than all else here.
	_, err = f.Write(bytes.Replace(made.content, []byte(made.id), []byte(store.NewID("st")), 1))
	return errors.Join(err, f.Close())
}
