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

// sealed returns an authorization whose secret is sealed for its destination.
func sealed(key *store.Key, secret string) store.AuthorizationRow {
	r := store.AuthorizationRow{Authorization: jobs.Authorization{ID: "auth_1", AuthorizationSpec: jobs.AuthorizationSpec{
		Host: "dbc.cloud.databricks.com", Port: 443, ClientID: "client"}}}
	r.Seal(key, jobs.NewSecret(secret))
	return r
}

// checklist 49 53 80
func TestASealedSecretOpensOnlyForItsAuthorizationDestinationAndKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key := loadKey(t, filepath.Join(dir, "a.key"))
	other := loadKey(t, filepath.Join(dir, "b.key"))
	const token = "dapi-canary-0123456789"
	made := sealed(key, token)
	if bytes.Contains(made.Sealed, []byte("canary")) {
		t.Fatal("the secret is in the clear")
	}
	for _, host := range []string{"DBC.cloud.databricks.com", "https://dbc.cloud.databricks.com/", "dbc.cloud.databricks.com."} {
		same := made
		same.Host = host
		if got, err := same.Open(key); err != nil || got.Reveal() != token {
			t.Fatalf("%s: got %v", host, err)
		}
	}
	for name, change := range map[string]func(*store.AuthorizationRow){
		"another authorization": func(r *store.AuthorizationRow) { r.ID = "auth_2" },
		"another host":          func(r *store.AuthorizationRow) { r.Host = "evil.example.com" },
		"another port":          func(r *store.AuthorizationRow) { r.Port = 8443 },
		"another scheme":        func(r *store.AuthorizationRow) { r.Host = "http://dbc.cloud.databricks.com" },
		"another ca_file":       func(r *store.AuthorizationRow) { r.CAFile = "/etc/other.pem" },
		"another client":        func(r *store.AuthorizationRow) { r.ClientID = "" },
		"cut short":             func(r *store.AuthorizationRow) { r.Sealed = r.Sealed[:5] },
	} {
		changed := made
		change(&changed)
		if got, err := changed.Open(key); !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !got.Empty() {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if got, err := made.Open(other); !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !got.Empty() {
		t.Errorf("another key: got %v", err)
	}
}

func TestConcurrentCallsCreateOnePrivateKeyFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys", "encryption.key")
	rows := make([]store.AuthorizationRow, 8)
	var wg sync.WaitGroup
	for i := range rows {
		wg.Go(func() {
			key, err := store.LoadKey("", file, "", true)
			if err != nil {
				t.Error(err)
				return
			}
			rows[i] = sealed(key, "s")
		})
	}
	wg.Wait()
	key := loadKey(t, file)
	for _, r := range rows {
		if _, err := r.Open(key); err != nil {
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
