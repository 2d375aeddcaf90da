//nolint:thelper // the functions given to atEachLocation are the bodies of subtests
package store_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// An authorization of a release without logins keeps its credential, and one with a login
// reads as it was written.
func TestAuthorizationsOfEarlierReleasesHaveNoLogin(t *testing.T) {
	t.Parallel()
	insert := func(id, variable, client string) string {
		return `INSERT INTO authorizations (id, label, description, host, port, http_path, token_env, token_version, client_id, client_secret_version,
			catalog_api, check_connection, managed_by, lytics_id, secret_binding, creator, confirmed, created_at, updated_at)
			VALUES ('` + id + `', 'l', '', 'dbc-1.cloud.databricks.com', 443, '/p', '` + variable + `', 0, '` + client + `', 3, 'rest', 0,
				'', '', 2, '', 1, 1, 1)`
	}
	atEachLocation(t, func(t *testing.T, at store.Location) {
		earlierStore(t, at, 22, `INSERT INTO store (one, id) VALUES (1, 'st_earlier')`, insert("auth_env", "TOKEN", ""),
			insert("auth_oauth", "", "client"))
		db := openAt(t, at)
		for id, want := range map[string]jobs.AuthorizationSpec{"auth_env": {TokenEnv: "TOKEN"}, "auth_oauth": {ClientID: "client"}} {
			row, err := db.Authorization(t.Context(), id)
			if err != nil || row.Login != nil || row.TokenEnv != want.TokenEnv || row.ClientID != want.ClientID || row.ClientSecretVersion != 3 {
				t.Errorf("%s: got %+v, %v; want its credential and no login", id, row.AuthorizationSpec, err)
			}
		}
		row, err := db.Authorization(t.Context(), "auth_env")
		if err != nil {
			t.Fatal(err)
		}
		want := &jobs.Login{Kind: jobs.LoginTokenCommand, Command: []string{"print", "a b"}}
		row.TokenEnv, row.Login = "", want
		if err := db.PutAuthorization(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		got, err := db.Authorization(t.Context(), "auth_env")
		if d := cmp.Diff(want, got.Login); err != nil || d != "" {
			t.Errorf("read: %v (-want +got):\n%s", err, d)
		}
	})
}

// A stored secret of a login opens for its kind, its application and its directory alone.
//
// checklist 49 80
func TestTheSecretOfALoginIsBoundToItsIdentity(t *testing.T) {
	t.Parallel()
	key := loadKey(t, filepath.Join(t.TempDir(), "key"))
	row := store.AuthorizationRow{Authorization: jobs.Authorization{ID: "auth_1", AuthorizationSpec: jobs.AuthorizationSpec{
		Host: "adb-1.2.azuredatabricks.net", Port: 443,
		Login: &jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application", Tenant: "directory"}}}}
	row.Seal(key, jobs.NewSecret("secret of the application"))
	if s, err := row.Open(key); err != nil || s.Reveal() != "secret of the application" {
		t.Fatalf("got %q, %v; want the secret", s.Reveal(), err)
	}
	for name, l := range map[string]*jobs.Login{
		"another application": {Kind: jobs.LoginAzureClientSecret, Identity: "other", Tenant: "directory"},
		"another directory":   {Kind: jobs.LoginAzureClientSecret, Identity: "application", Tenant: "other"},
		"another kind":        {Kind: jobs.LoginGoogleCredentials},
		"no login":            nil,
	} {
		moved := row
		moved.Login = l
		if s, err := moved.Open(key); err == nil {
			t.Errorf("%s opens the secret %q", name, s.Reveal())
		}
	}
}
