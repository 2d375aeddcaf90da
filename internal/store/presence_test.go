//nolint:thelper // what is given to everywhere are the bodies of tests
package store_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func appear(t *testing.T, db *store.DB, instance string) {
	t.Helper()
	if err := errors.Join(db.Appear(t.Context(), instance), db.Beat(t.Context(), store.Instance{ID: instance, Kind: store.KindRunner})); err != nil {
		t.Fatal(err)
	}
}

// A process that is starved of the database for longer than a lease keeps its
// run; one that died without a word does not. checklist 39 41 59
func TestAStarvedProcessIsToldFromADeadOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	observer := open(t, dir)
	starved, err := store.Open(t.Context(), store.Location{Dir: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	appear(t, starved, "in_starved")
	run := queue(t, starved, job(t, observer, authorization(t, observer).ID, "a"), "in_starved")
	if held, wait := claim(t, starved, run, "in_starved"); held == nil {
		t.Fatal(wait)
	}
	silence := (2 * store.Lease).Microseconds()
	exec(t, observer, `UPDATE runs SET lease_until = lease_until - ?`, silence)
	exec(t, observer, `UPDATE instances SET heartbeat_at = heartbeat_at - ?`, silence)

	for name, db := range map[string]*store.DB{"itself": starved, "another": observer} {
		if n, err := db.TakeOverLost(t.Context()); err != nil || n != 0 {
			t.Errorf("%s took %d runs from a process that lives, %v", name, n, err)
		}
		if stale, err := db.Stale(t.Context(), run.ID); err != nil || stale {
			t.Errorf("%s holds the run to be lost: %v, %v", name, stale, err)
		}
		if alive, err := db.Alive(t.Context(), "in_starved"); err != nil || !alive {
			t.Errorf("%s holds the process to be dead: %v, %v", name, alive, err)
		}
		if beating, err := db.Beating(t.Context(), "in_starved"); err != nil || beating {
			t.Errorf("%s hears heartbeats of the process: %v, %v", name, beating, err)
		}
	}

	// Its end, as a kill is: it retires nothing.
	if err := starved.Close(); err != nil {
		t.Fatal(err)
	}
	if alive, err := observer.Alive(t.Context(), "in_starved"); err != nil || alive {
		t.Errorf("the dead process is held to be alive: %v, %v", alive, err)
	}
	if n, err := observer.TakeOverLost(t.Context()); err != nil || n != 1 {
		t.Errorf("%d runs were taken from the dead process, %v", n, err)
	}
}

// A process that hangs holds its file and renews nothing.
func TestAHangingProcessLosesItsRun(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, db *store.DB) {
		appear(t, db, "in_hanging")
		run := queue(t, db, job(t, db, authorization(t, db).ID, "a"), "in_hanging")
		if held, wait := claim(t, db, run, "in_hanging"); held == nil {
			t.Fatal(wait)
		}
		exec(t, db, `UPDATE runs SET lease_until = lease_until - ?`, (6 * store.Lease).Microseconds())
		if n, err := db.TakeOverLost(t.Context()); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
	})
}
