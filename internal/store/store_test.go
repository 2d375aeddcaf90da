package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checklist 58
func TestOpeningAMissingStoreFailsAndCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "gone")
	_, err := store.Open(t.Context(), store.Location{Dir: dir}, false)
	if !jobs.IsCode(err, jobs.CodeStore) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("Open created %s: %v", dir, err)
	}
}

// checklist 42
func TestACorruptStoreIsReportedAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "lytics.db")
	garbage := strings.Repeat("this is not a database ", 500)
	if err := os.WriteFile(file, []byte(garbage), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Location{Dir: dir}, true); !jobs.IsCode(err, jobs.CodeStore) {
		t.Fatalf("got %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != garbage {
		t.Fatalf("the damaged file was changed (%v)", err)
	}
}

// checklist 53
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db, err := store.Open(t.Context(), store.Location{Dir: dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	authorization(t, db)
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".gitignore")); err != nil {
		t.Error(err)
	}
}

// SQLite's data source is a URI; the directory's name may contain characters that have
// a meaning in one.
func TestDirectoryNamesMayContainURICharacters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a#b", "50%20", "what", "a b"} {
		dir := filepath.Join(t.TempDir(), name)
		id := open(t, dir).ID()
		if _, err := os.Stat(filepath.Join(dir, "lytics.db")); err != nil {
			t.Fatalf("%q: the store is not in the directory: %v", name, err)
		}
		if again := open(t, dir).ID(); again != id {
			t.Fatalf("%q: opened again, the store has id %s, want %s", name, again, id)
		}
	}
}
