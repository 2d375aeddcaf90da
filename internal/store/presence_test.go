//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
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

// A process that waits for the database longer than a lease keeps its run. A process
// that was killed loses its run. checklist 39 41 59
func TestAWaitingProcessKeepsItsRunAndADeadOneLosesIt(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	observer := open(t, dir)
	waiting, err := store.Open(t.Context(), store.Location{Dir: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	appear(t, waiting, "in_waiting")
	run := queue(t, waiting, job(t, observer, authorization(t, observer).ID, "a"), "in_waiting")
	if held, wait := claim(t, waiting, run, "in_waiting"); held == nil {
		t.Fatal(wait)
	}
	silence := (2 * store.Lease).Microseconds()
	exec(t, observer, `UPDATE runs SET lease_until = lease_until - ?`, silence)
	exec(t, observer, `UPDATE instances SET heartbeat_at = heartbeat_at - ?`, silence)

	for name, db := range map[string]*store.DB{"itself": waiting, "another": observer} {
		if ids, err := db.TakeOverLost(t.Context()); err != nil || len(ids) != 0 {
			t.Errorf("%s took over %d runs of a living process, %v", name, len(ids), err)
		}
		if stale, err := db.Stale(t.Context(), run.ID); err != nil || stale {
			t.Errorf("%s: the run is stale: %v, %v", name, stale, err)
		}
		if alive, err := db.Alive(t.Context(), "in_waiting"); err != nil || !alive {
			t.Errorf("%s: the process is alive: %v, %v", name, alive, err)
		}
		if beating, err := db.Beating(t.Context(), "in_waiting"); err != nil || beating {
			t.Errorf("%s: the process is beating: %v, %v", name, beating, err)
		}
	}

	// Close without Retire is like the end of a killed process.
	if err := waiting.Close(); err != nil {
		t.Fatal(err)
	}
	if alive, err := observer.Alive(t.Context(), "in_waiting"); err != nil || alive {
		t.Errorf("the dead process is alive: %v, %v", alive, err)
	}
	if ids, err := observer.TakeOverLost(t.Context()); err != nil || len(ids) != 1 {
		t.Errorf("%d runs of the dead process were taken over, %v", len(ids), err)
	}
}

// A process that hangs holds the lock of its file, but does not renew its lease.
func TestAHangingProcessLosesItsRun(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		appear(t, db, "in_hanging")
		run := queue(t, db, job(t, db, authorization(t, db).ID, "a"), "in_hanging")
		if held, wait := claim(t, db, run, "in_hanging"); held == nil {
			t.Fatal(wait)
		}
		exec(t, db, `UPDATE runs SET lease_until = lease_until - ?`, (6 * store.Lease).Microseconds())
		if ids, err := db.TakeOverLost(t.Context()); err != nil || len(ids) != 1 {
			t.Errorf("%d, %v", len(ids), err)
		}
	})
}
