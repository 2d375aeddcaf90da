//nolint:thelper // the functions given to atEachLocation are the bodies of subtests
package store_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checklist 80: secrets of earlier releases, which were bound to their host alone, are
// bound to the whole destination, once.
func TestSecretsOfEarlierReleasesAreBoundToTheirDestination(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	key, other := loadKey(t, filepath.Join(dir, "a.key")), loadKey(t, filepath.Join(dir, "b.key"))
	const host = "dbc.cloud.databricks.com"
	atEachLocation(t, func(t *testing.T, at store.Location) {
		literal := func(b []byte) string {
			if at.DatabaseURL.Empty() {
				return fmt.Sprintf("x'%s'", hex.EncodeToString(b))
			}
			return fmt.Sprintf(`'\x%s'::bytea`, hex.EncodeToString(b))
		}
		insert := func(id string, sealed []byte) string {
			return `INSERT INTO authorizations (id, label, description, host, port, http_path, token_env, token_version, check_connection, secret, creator, confirmed, created_at, updated_at)
				VALUES ('` + id + `', 'l', '', '` + host + `', 443, '/p', '', 1, 0, ` + literal(sealed) + `, '', 1, 1, 1)`
		}
		earlierStore(t, at, 17, `INSERT INTO store (one, id) VALUES (1, 'st_earlier')`,
			insert("auth_1", key.SealForHost(jobs.NewSecret("dapi-1"), "auth_1", host)),
			insert("auth_lost", other.SealForHost(jobs.NewSecret("dapi-2"), "auth_lost", host)))
		db := openAt(t, at)
		read := func(id string) store.AuthorizationRow {
			r, err := db.Authorization(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		moved := func() store.AuthorizationRow { r := read("auth_1"); r.Port = 8443; return r }
		if got, err := read("auth_1").Open(key); err != nil || got.Reveal() != "dapi-1" {
			t.Fatalf("before it is bound: got %v", err)
		}
		lied := read("auth_1")
		lied.CAFile = "/etc/ca.pem"
		if _, err := lied.Open(key); !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
			t.Errorf("with a ca_file, which the release that bound it did not have: got %v, want an error", err)
		}
		noKey := func() (*store.Key, error) { return nil, errors.New("there is no key") }
		if err := db.BindSecrets(t.Context(), noKey); err != nil {
			t.Fatalf("without a key: %v", err)
		}
		for range 2 {
			if err := db.BindSecrets(t.Context(), func() (*store.Key, error) { return key, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := read("auth_1").Open(key); err != nil || got.Reveal() != "dapi-1" {
			t.Fatalf("after it was bound: got %v", err)
		}
		if _, err := moved().Open(key); !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
			t.Errorf("another port: got %v, want an error", err)
		}
		if got, err := read("auth_lost").Open(other); err != nil || got.Reveal() != "dapi-2" {
			t.Errorf("the secret of another key: got %v, want it as it was", err)
		}
		if !read("auth_1").PredatesLists {
			t.Error("an authorization of an earlier release does not count as one")
		}
	})
}
