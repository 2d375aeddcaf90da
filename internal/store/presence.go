package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// presenceDir is the directory with a file for each process that has the data
// directory open. The process holds a lock on its file while it lives; the
// operating system releases the lock when the process ends, however it ends.
const presenceDir = "processes"

// presence holds this process's locks on files in presenceDir.
//
// With SQLite, every process is on this machine, and a lock shows reliably whether its
// process is alive. Heartbeats alone do not: the database has one writer at a time,
// and a process may wait longer than a lease for its turn. PostgreSQL has no such
// queue, and its processes are on other machines.
type presence struct {
	mu    sync.Mutex
	locks map[string]*flock.Flock
}

// Appear locks this process's file in presenceDir until Retire, Close or the end of
// the process. A process that sends heartbeats on behalf of another one must not call
// it.
func (d *DB) Appear(ctx context.Context, instance string) error {
	return d.failed("Cannot lock this process's file in the directory "+presenceDir, d.appear(ctx, instance))
}

func (d *DB) appear(ctx context.Context, instance string) error {
	if d.dialect != sqlite {
		return nil
	}
	d.present.mu.Lock()
	defer d.present.mu.Unlock()
	if d.present.locks[instance] != nil {
		return nil
	}
	dir := filepath.Join(d.dir, presenceDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(dir, instance), flock.SetPermissions(0o600))
	// livingInstances of another process may hold the lock for a moment.
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return err
	}
	if d.present.locks == nil {
		d.present.locks = map[string]*flock.Flock{}
	}
	d.present.locks[instance] = lock
	return nil
}

// disappear undoes Appear: it unlocks and removes the file.
func (d *DB) disappear(instance string) error {
	d.present.mu.Lock()
	defer d.present.mu.Unlock()
	lock := d.present.locks[instance]
	if lock == nil {
		return nil
	}
	delete(d.present.locks, instance)
	return errors.Join(lock.Unlock(), removed(lock.Path()))
}

// leave unlocks every file but removes none, as the end of the process would: the
// remaining instances did not retire.
func (d *DB) leave() error {
	d.present.mu.Lock()
	defer d.present.mu.Unlock()
	var errs []error
	for _, lock := range d.present.locks {
		errs = append(errs, lock.Unlock())
	}
	clear(d.present.locks)
	return errors.Join(errs...)
}

// livingInstances lists the instances whose files are locked. It removes unlocked
// files that are older than a day.
func (d *DB) livingInstances() ([]string, error) {
	if d.dialect != sqlite {
		return nil, nil
	}
	dir := filepath.Join(d.dir, presenceDir)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var alive []string
	for _, entry := range entries {
		d.present.mu.Lock()
		own := d.present.locks[entry.Name()] != nil
		d.present.mu.Unlock()
		if own {
			alive = append(alive, entry.Name())
			continue
		}
		lock := flock.New(filepath.Join(dir, entry.Name()), flock.SetFlag(os.O_RDWR))
		free, err := lock.TryLock()
		if errors.Is(err, fs.ErrNotExist) { // it has just retired
			continue
		}
		if err != nil {
			return nil, err
		}
		if !free {
			alive = append(alive, entry.Name())
			continue
		}
		err = lock.Unlock()
		if info, statErr := entry.Info(); statErr == nil && time.Since(info.ModTime()) > 24*time.Hour {
			err = errors.Join(err, removed(lock.Path()))
		}
		if err != nil {
			return nil, err
		}
	}
	return alive, err
}

func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lostRunCondition is the SQL condition, with its arguments, of lost runs. A run is
// lost if its lease ended and its owner is dead; the lease alone is not enough,
// because writes to a busy store may be late. Four leases after its lease ended, a run
// counts as lost even if its owner is alive, because that process hangs.
func (d *DB) lostRunCondition() (where string, args []any, err error) {
	alive, err := d.livingInstances()
	if err != nil {
		return "", nil, d.failed("Cannot tell which processes are alive", err)
	}
	where = activeRun + ` AND (lease_until < ` + now + ` - ? OR lease_until < ` + now + `
		AND NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = runs.owner AND i.heartbeat_at > ` + now + ` - ?)`
	args = []any{(4 * Lease).Microseconds(), Lease.Microseconds()}
	if len(alive) > 0 {
		where += ` AND coalesce(runs.owner, '') NOT IN (?` + strings.Repeat(`, ?`, len(alive)-1) + `)`
		for _, id := range alive {
			args = append(args, id)
		}
	}
	return where + `)`, args, nil
}
