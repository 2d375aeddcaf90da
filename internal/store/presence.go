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

// presenceDir holds a file for each process that has a data directory open,
// locked for as long as it lives: the system lets go of the lock when it dies,
// however it dies.
const presenceDir = "processes"

// presence is what this process holds of them.
//
// With SQLite every process is on this machine, and one that lives can be told
// from a dead one for certain. Heartbeats alone cannot: the database has one
// writer, and a process may be starved of it for longer than a lease.
// PostgreSQL has no such queue, and its processes are elsewhere.
type presence struct {
	mu    sync.Mutex
	locks map[string]*flock.Flock
}

// Appear says of an instance that it is this process, until Retire, Close or
// death: who beats for somebody elsewhere does not call it.
func (d *DB) Appear(ctx context.Context, instance string) error {
	return d.failed("Cannot say in the data directory that this process is alive", d.appear(ctx, instance))
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
	// Who looks whether it is locked locks it for that moment.
	if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
		return err
	}
	if d.present.locks == nil {
		d.present.locks = map[string]*flock.Flock{}
	}
	d.present.locks[instance] = lock
	return nil
}

// disappear lets go of an instance's file and removes it.
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

// leave lets go of every file, as death would: what a process has not retired
// it left behind.
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

// here lists the instances whose processes live for certain. Files of dead
// ones are removed after a day.
func (d *DB) here() ([]string, error) {
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

// lost is the condition of runs whose lease ended and whose owner is dead as
// well; a store that is slow to write may end the lease of one that lives. A
// lease that ended long ago is lost all the same: nothing renews it any more.
func (d *DB) lost() (where string, args []any, err error) {
	alive, err := d.here()
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
