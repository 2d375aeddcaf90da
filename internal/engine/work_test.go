package engine

import (
	"context"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// cursorKeyOn returns the cursor key of a job on a new store, after prepare.
func cursorKeyOn(t *testing.T, platform Backend, prepare func(tx *store.Tx) error) string {
	t.Helper()
	dir := t.TempDir()
	if err := storetest.Create(dir); err != nil {
		t.Fatal(err)
	}
	e := New(Options{DataDir: dir, Platform: platform})
	t.Cleanup(func() { _ = e.Close() })
	db, err := e.open(t.Context(), createStore)
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		if err := db.Write(t.Context(), prepare); err != nil {
			t.Fatal(err)
		}
	}
	key, err := e.cursorKey(t.Context(), db, store.JobRow{Key: testJobKey})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const testJobKey = "import|host|main|sales|customers|ts|customers"

// Each platform has a separate cursor, because rows that were sent to one
// platform were not sent to another.
func TestPlatformsHaveSeparateCursors(t *testing.T) {
	t.Parallel()
	token := jobs.NewSecret("lytics-work-test-7d1f")
	of := map[string]string{}
	for name, platform := range map[string]Backend{
		"embedded":         Embedded(nil, nil),
		"a Lytics account": Lytics(LyticsAccount{Token: token, AccountID: "1"}),
		"another account":  Lytics(LyticsAccount{Token: token, AccountID: "2"}),
		"another API":      Lytics(LyticsAccount{Token: token, AccountID: "1", APIURL: "https://lytics.example.com"}),
	} {
		key := cursorKeyOn(t, platform, nil)
		if other, taken := of[key]; taken {
			t.Errorf("%s and %s: got one cursor %q, want one each", name, other, key)
		}
		of[key] = name
	}
	// The default URL and the same URL written out have one key.
	a, b := Lytics(LyticsAccount{}).Key, Lytics(LyticsAccount{APIURL: "https://api.lytics.io/"}).Key
	if a != b {
		t.Errorf("got keys %q and %q, want one for one API", a, b)
	}
}

// checklist 65: the store's account is in the key of a cursor. How the account is
// configured makes no difference, and an existing cursor keeps its key: a second
// cursor would import all rows again.
func TestCursorOfAnAccountIsFoundHoweverItIsConfigured(t *testing.T) {
	t.Parallel()
	bind := func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), `INSERT INTO lytics_account (one, account_id, name, bound_at) VALUES (1, 'acc', 'Acme', 0)`)
		return err
	}
	token := jobs.NewSecret("lytics-work-test-7d1f")
	byToken, byID := Lytics(LyticsAccount{Token: token}), Lytics(LyticsAccount{Token: token, AccountID: "77"})
	for name, platform := range map[string]Backend{"by the token": byToken, "by account_id": byID} {
		if got, want := cursorKeyOn(t, platform, bind), testJobKey+"|lytics|https://api.lytics.io|acc"; got != want {
			t.Errorf("%s: got the key %q, want %q", name, got, want)
		}
	}
	for _, made := range []string{"", "77"} { // as configured, before the account was read
		key := testJobKey + "|lytics|https://api.lytics.io|" + made
		for name, platform := range map[string]Backend{"by the token": byToken, "by account_id": byID} {
			got := cursorKeyOn(t, platform, func(tx *store.Tx) error {
				if err := bind(tx); err != nil {
					return err
				}
				return store.PutCursorDocument(context.Background(), tx, key, []byte(`{}`))
			})
			if got != key {
				t.Errorf("%s: got the key %q, want that of the existing cursor, %q", name, got, key)
			}
		}
	}
}
