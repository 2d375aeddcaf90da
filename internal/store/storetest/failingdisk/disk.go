// Package failingdisk makes chosen changes of a test's files fail, or ends the process
// at one of them. It sees every change that SQLite makes, because it wraps SQLite's
// own file system (sqlite.go); other files ask Before (file.go).
package failingdisk

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Fault is what happens at a change.
type Fault int

const (
	// IOError is EIO: nothing is written.
	IOError Fault = iota + 1
	// IOErrorAfter is EIO after the change took effect: a disk that lost its answer.
	IOErrorAfter
	// Full is ENOSPC: the first half of the bytes is written.
	Full
	// Kill ends the process by SIGKILL, after the first half of the bytes.
	Kill
)

// Faults are the faults that a process survives.
func Faults() []Fault { return []Fault{IOError, IOErrorAfter, Full} }

// String is the name of the fault.
func (f Fault) String() string {
	return map[Fault]string{0: "no fault", IOError: "EIO", IOErrorAfter: "EIO after the write", Full: "ENOSPC", Kill: "SIGKILL"}[f]
}

// Disk counts the changes of the files below a directory, and lets one of them fail.
type Disk struct {
	dir string

	mu      sync.Mutex
	changes int
	at      int
	fault   Fault
	hit     string
}

var (
	watchedMu sync.RWMutex
	watched   = map[string]*Disk{}
)

// Watch counts the changes of the files below a directory that are opened from then
// on, until the test ends.
func Watch(tb testing.TB, dir string) *Disk {
	tb.Helper()
	d, stop, err := Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return d
}

// Open is Watch for a process without a test, until stop is called.
func Open(dir string) (d *Disk, stop func(), err error) {
	if err := install(); err != nil {
		return nil, nil, err
	}
	d = &Disk{dir: dir}
	watchedMu.Lock()
	defer watchedMu.Unlock()
	watched[dir] = d
	return d, func() {
		watchedMu.Lock()
		defer watchedMu.Unlock()
		delete(watched, dir)
	}, nil
}

// diskOf returns the disk that a file is on; nil if no test watches it.
func diskOf(path string) *Disk {
	watchedMu.RLock()
	defer watchedMu.RUnlock()
	for dir, d := range watched {
		if strings.HasPrefix(path, dir+string(filepath.Separator)) {
			return d
		}
	}
	return nil
}

// FailAt lets the n-th change from now fail, counted from 1; the next ones succeed.
func (d *Disk) FailAt(n int, fault Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changes, d.at, d.fault, d.hit = 0, n, fault, ""
}

// Heal lets no change fail.
func (d *Disk) Heal() { d.FailAt(0, 0) }

// Hit names the change that failed; empty if none did.
func (d *Disk) Hit() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hit
}

// Changes is the number of changes since FailAt or Heal.
func (d *Disk) Changes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// before counts a change of a file, and returns the fault that hits it.
func (d *Disk) before(operation, path string) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changes++; d.at == 0 || d.changes != d.at {
		return 0
	}
	name, err := filepath.Rel(d.dir, path)
	if err != nil {
		name = path
	}
	d.hit = operation + " " + name
	return d.fault
}

// killSelf ends the process like SIGKILL from outside.
func killSelf() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {} // the signal is on its way
}
