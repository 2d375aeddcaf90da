package store_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func loadKey(t *testing.T, file string) *store.Key {
	t.Helper()
	key, err := store.LoadKey("", file, t.TempDir(), true)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// checklist 49 53
func TestASealedSecretOpensOnlyForItsAuthorizationHostAndKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := loadKey(t, filepath.Join(dir, "a.key"))
	other := loadKey(t, filepath.Join(dir, "b.key"))
	const token = "dapi-canary-0123456789"
	sealed := key.Seal(jobs.NewSecret(token), "auth_1", "dbc.cloud.databricks.com")
	if bytes.Contains(sealed, []byte("canary")) {
		t.Fatal("the secret is in the clear")
	}
	if got, err := key.Open(sealed, "auth_1", "DBC.cloud.databricks.com"); err != nil || got.Reveal() != token {
		t.Fatalf("got %v", err)
	}
	for name, try := range map[string]func() (jobs.Secret, error){
		"another authorization": func() (jobs.Secret, error) { return key.Open(sealed, "auth_2", "dbc.cloud.databricks.com") },
		"another host":          func() (jobs.Secret, error) { return key.Open(sealed, "auth_1", "evil.example.com") },
		"another key":           func() (jobs.Secret, error) { return other.Open(sealed, "auth_1", "dbc.cloud.databricks.com") },
		"cut short":             func() (jobs.Secret, error) { return key.Open(sealed[:5], "auth_1", "dbc.cloud.databricks.com") },
	} {
		if got, err := try(); !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !got.Empty() {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestConcurrentCallsCreateOnePrivateKeyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys", "encryption.key")
	sealed := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range sealed {
		wg.Go(func() {
			key, err := store.LoadKey("", file, "", true)
			if err != nil {
				t.Error(err)
				return
			}
			sealed[i] = key.Seal(jobs.NewSecret("s"), "a", "h")
		})
	}
	wg.Wait()
	key := loadKey(t, file)
	for _, s := range sealed {
		if _, err := key.Open(s, "a", "h"); err != nil {
			t.Error(err)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestAMissingKeyFileIsCreatedOnlyOnRequest(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "encryption.key")
	if _, err := store.LoadKey("", file, "", false); !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("LoadKey created a key file without create")
	}
}

func TestBadKeysAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	if _, err := store.LoadKey(good, "", dir, false); err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct{ env, file, want string }{
		"short":               {env: "c2hvcnQ=", want: "32 bytes"},
		"not base64":          {env: "?", want: "32 bytes"},
		"inside the data dir": {file: filepath.Join(dir, "sub", "key"), want: "inside the data directory"},
	} {
		_, err := store.LoadKey(try.env, try.file, dir, true)
		if !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !strings.Contains(err.Error(), try.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
