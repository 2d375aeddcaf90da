//go:build !windows

package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checklist 78: no store is opened in a directory that others can write, and no key is
// used that others can read.
func TestAStoreAndAKeyThatOthersCanChangeAreRefused(t *testing.T) {
	t.Parallel()
	dir, file := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "key")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	loadKey(t, file)
	for path, mode := range map[string]os.FileMode{dir: 0o777, file: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Open(t.Context(), store.Location{Dir: dir}, true); !jobs.IsCode(err, jobs.CodeStore) || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("a store: got %v, want an error with the command", err)
	}
	if _, err := store.LoadKey("", file, dir, false); !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !strings.Contains(err.Error(), "chmod go-rwx") {
		t.Errorf("a key: got %v, want an error with the command", err)
	}
}
