//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func newKey(t *testing.T, fill string) *store.Key {
	t.Helper()
	key, err := store.ReadKey(base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, 32))), "the test")
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sealedStore fills a store with secrets and rows, of which some were encrypted by an
// earlier release, and returns how many texts it has.
func sealedStore(t *testing.T, db *store.DB, key *store.Key) (secrets, rows int64) {
	t.Helper()
	for i := range 55 {
		row := authorization(t, db)
		if i%5 == 4 {
			row.Login = &jobs.Login{Kind: jobs.LoginAzureClientSecret, Identity: "application", Tenant: "directory"}
		}
		if i%7 == 6 {
			row.CAFile = "/etc/ca.pem"
		}
		if i%2 == 0 {
			row.SealUntagged(key, jobs.NewSecret("dapi-"+row.ID))
		} else {
			row.Seal(key, jobs.NewSecret("dapi-"+row.ID))
		}
		if err := db.PutAuthorization(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
	addSealed(t, db, key, 0, 60)
	addSealed(t, db, nil, 60, 3)
	return 55, 60
}

func addSealed(t *testing.T, db *store.DB, key *store.Key, from, n int) {
	t.Helper()
	var events []jobs.RejectedEvent
	for i := range n {
		id := fmt.Sprintf("e%d", from+i)
		events = append(events, jobs.RejectedEvent{Event: jobs.Event{ID: id, Data: []byte(`{"of":"` + id + `"}`)}, Reason: "why"})
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := store.AddQuarantined(t.Context(), tx, store.RejectedRun{ImportKey: "k", JobID: "j", RunID: "r", Stream: "s"}, events, 1000, key)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// opens reports whether a process with a key reads all secrets and rows.
func opens(t *testing.T, db *store.DB, key *store.Key) error {
	t.Helper()
	ring, err := db.Keyring(t.Context(), key)
	if err != nil {
		return err
	}
	all, err := db.UnconfirmedAuthorizations(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range all {
		secret, err := row.Open(ring)
		if err != nil {
			return err
		}
		if secret.Reveal() != "dapi-"+row.ID {
			t.Errorf("the secret of %s is another one", row.ID)
		}
	}
	return db.SearchQuarantine(t.Context(), ring, func(r store.QuarantinedRow) {
		if string(r.Event.Data) != `{"of":"`+r.Event.ID+`"}` {
			t.Errorf("the row of %s is another one", r.Event.ID)
		}
	})
}

var errKilled = errors.New("killed")

// A rotation that is killed before any of its transactions leaves a store that
// processes with either key read and write. Given again, whichever key is configured
// by then, it ends with a store that the new key alone opens.
func TestARotationSurvivesAKillAtEveryStep(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		keys := []*store.Key{newKey(t, "a"), newKey(t, "b")}
		secrets, rows := sealedStore(t, db, keys[0])
		seen := map[string]bool{}
		killed := true
		for n := 0; killed; n++ {
			from, to := keys[n%2], keys[(n+1)%2]
			step := 0
			killed = false
			begun := false
			r := store.Rotation{From: from, To: to}
			_, err := db.RotateKey(t.Context(), r.WithStep(func(name string) error {
				seen[name] = true
				if step++; step <= n {
					begun = true
					return nil
				}
				killed = true
				return errKilled
			}))
			if killed != errors.Is(err, errKilled) {
				t.Fatalf("kill at step %d: got %v", n, err)
			}
			if killed {
				if err := opens(t, db, from); err != nil {
					t.Fatalf("killed at step %d, with the earlier key: %v", n, err)
				}
				if err := opens(t, db, to); begun && err != nil {
					t.Fatalf("killed at step %d, with the later key: %v", n, err)
				}
				if begun { // the configuration has the later key by now
					from = to
				}
			}
			done, err := db.RotateKey(t.Context(), store.Rotation{From: from, To: to})
			if err != nil || len(done.Waiting) > 0 || done.Secrets > secrets || done.Rows > rows {
				t.Fatalf("given again after step %d: got %+v, %v", n, done, err)
			}
			if err := opens(t, db, to); err != nil {
				t.Fatalf("after the rotation %d: %v", n, err)
			}
			if err := opens(t, db, keys[n%2]); !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
				t.Fatalf("after the rotation %d, with the earlier key: got %v, want secret_unreadable", n, err)
			}
		}
		for _, name := range []string{"begin", "encrypt authorizations", "encrypt quarantine", "end"} {
			if !seen[name] {
				t.Errorf("no kill at step %q", name)
			}
		}
	})
}

// A running process with the earlier key goes on through the rotation: it reads and
// writes with both keys. The rotation ends when it has the later key, or has ended.
func TestRunningProcessesLearnTheNewKey(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		earlier, later := newKey(t, "a"), newKey(t, "b")
		sealedStore(t, db, earlier)
		self := store.Instance{ID: "in_1", Kind: store.KindRunner, Host: "machine", KeyID: earlier.ID()}
		keyless := store.Instance{ID: "in_2", Kind: store.KindApply}
		if err := errors.Join(db.Beat(t.Context(), self), db.Beat(t.Context(), keyless)); err != nil {
			t.Fatal(err)
		}
		r := store.Rotation{From: earlier, To: later}
		done, err := db.RotateKey(t.Context(), r)
		if err != nil || len(done.Waiting) != 1 || done.Waiting[0].ID != "in_1" {
			t.Fatalf("got %+v, %v; want to wait for in_1", done, err)
		}
		ring, err := db.Keyring(t.Context(), earlier)
		if err != nil || ring.ID() != later.ID() {
			t.Fatalf("the running process encrypts with %v, %v; want the later key", ring, err)
		}
		row := authorization(t, db)
		row.Seal(ring, jobs.NewSecret("dapi-"+row.ID))
		if err := db.PutAuthorization(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		addSealed(t, db, ring, 100, 2)
		for _, key := range []*store.Key{earlier, later} {
			if err := opens(t, db, key); err != nil {
				t.Errorf("before the rotation has ended, with %s: %v", key.ID(), err)
			}
		}
		third := newKey(t, "c")
		if _, err := db.RotateKey(t.Context(), store.Rotation{From: later, To: third}); !jobs.IsCode(err, jobs.CodeConflict) {
			t.Errorf("a rotation to a third key meanwhile: got %v, want conflict", err)
		}
		self.KeyID = later.ID()
		if err := db.Beat(t.Context(), self); err != nil {
			t.Fatal(err)
		}
		if done, err := db.RotateKey(t.Context(), r); err != nil || len(done.Waiting) != 0 || done.Secrets+done.Rows != 0 {
			t.Errorf("given again: got %+v, %v; want the end", done, err)
		}
		if err := opens(t, db, later); err != nil {
			t.Error(err)
		}
		if _, err := db.Keyring(t.Context(), earlier); !jobs.IsCode(err, jobs.CodeSecretUnreadable) {
			t.Errorf("with the earlier key: got %v, want secret_unreadable", err)
		}
	})
}

// What was encrypted with the earlier key is not written after the rotation has
// begun: the writer encrypts it again.
func TestTextsOfTheEarlierKeyAreRefused(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		earlier, later := newKey(t, "a"), newKey(t, "b")
		row := authorization(t, db)
		row.Seal(earlier, jobs.NewSecret("dapi-"+row.ID))
		if err := db.PutAuthorization(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		read := row
		if _, err := db.RotateKey(t.Context(), store.Rotation{From: earlier, To: later}); err != nil {
			t.Fatal(err)
		}
		read.Label = "renamed"
		if err := db.PutAuthorization(t.Context(), read); !errors.Is(err, store.ErrKeyRotated) {
			t.Errorf("a row that was read before: got %v, want ErrKeyRotated", err)
		}
		made := authorization(t, db)
		made.Seal(earlier, jobs.NewSecret("dapi-"+made.ID))
		if err := db.PutAuthorization(t.Context(), made); !errors.Is(err, store.ErrKeyRotated) {
			t.Errorf("a secret of the earlier key: got %v, want ErrKeyRotated", err)
		}
	})
}

// A rotation changes nothing if the present key does not open everything, unless it
// is told to remove that.
func TestARotationWithTheWrongKeyIsRefused(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		present, wrong, later := newKey(t, "a"), newKey(t, "b"), newKey(t, "c")
		sealedStore(t, db, present)
		for _, from := range []*store.Key{wrong, nil} {
			_, err := db.RotateKey(t.Context(), store.Rotation{From: from, To: later})
			if !jobs.IsCode(err, jobs.CodeSecretUnreadable) || !strings.Contains(err.Error(), "authorizations auth_") {
				t.Errorf("got %v, want secret_unreadable and the names", err)
			}
		}
		if err := opens(t, db, present); err != nil {
			t.Fatalf("after the refusal: %v", err)
		}
		done, err := db.RotateKey(t.Context(), store.Rotation{To: later, DiscardUnreadable: true})
		if err != nil || done.Discarded != 115 {
			t.Errorf("got %+v, %v; want 115 texts removed", done, err)
		}
		row := authorization(t, db)
		row.Seal(later, jobs.NewSecret("dapi-"+row.ID))
		if err := db.PutAuthorization(t.Context(), row); err != nil {
			t.Errorf("a new secret: %v", err)
		}
	})
}
