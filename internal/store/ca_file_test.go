//nolint:thelper // the functions given to atEachLocation are the bodies of subtests
package store_test

import (
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// checklist 9 49: an authorization of a release without ca_file has none, and its secret opens
// as before. One with ca_file reads as it was written, and its secret opens for that file
// alone.
func TestAuthorizationsOfEarlierReleasesHaveNoCAFile(t *testing.T) {
	t.Parallel()
	key := loadKey(t, filepath.Join(t.TempDir(), "key"))
	// The bound text of the releases that had no ca_file.
	const boundText = "authorization 2\x00auth_1\x00https\x00dbc-1.cloud.databricks.com\x00443\x00"
	sealed := key.SealFor(jobs.NewSecret("dapi-1"), boundText)
	atEachLocation(t, func(t *testing.T, at store.Location) {
		literal := fmt.Sprintf("x'%s'", hex.EncodeToString(sealed))
		if !at.DatabaseURL.Empty() {
			literal = fmt.Sprintf(`'\x%s'::bytea`, hex.EncodeToString(sealed))
		}
		earlierStore(t, at, 32, `INSERT INTO store (one, id) VALUES (1, 'st_earlier')`,
			`INSERT INTO authorizations (id, label, description, host, port, http_path, token_env, token_version, client_id, client_secret_version,
				login, catalog_api, check_connection, managed_by, lytics_id, secret, secret_binding, creator, confirmed, created_at, updated_at)
				VALUES ('auth_1', 'l', '', 'dbc-1.cloud.databricks.com', 443, '/p', '', 1, '', 0, '', 'rest', 0, '', '', `+literal+`, 2, '', 1, 1, 1)`)
		db := openAt(t, at)
		row, err := db.Authorization(t.Context(), "auth_1")
		if err != nil || row.CAFile != "" {
			t.Fatalf("got the ca_file %q, %v; want none", row.CAFile, err)
		}
		if got, err := row.Open(key); err != nil || got.Reveal() != "dapi-1" {
			t.Errorf("the secret of the earlier release: got %v", err)
		}
		row.CAFile = "/etc/ca.pem"
		row.Seal(key, jobs.NewSecret("dapi-2"))
		if err := db.PutAuthorization(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		row, err = db.Authorization(t.Context(), "auth_1")
		if err != nil || row.CAFile != "/etc/ca.pem" {
			t.Fatalf("read the ca_file %q, %v", row.CAFile, err)
		}
		if got, err := row.Open(key); err != nil || got.Reveal() != "dapi-2" {
			t.Errorf("with its ca_file: got %v", err)
		}
		for _, other := range []string{"", "/etc/other.pem"} {
			row.CAFile = other
			if _, err := row.Open(key); !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
				t.Errorf("with the ca_file %q: got %v, want an error", other, err)
			}
		}
	})
}
