package embedded_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// checklist 41: a real file system of limited size fills up, with one free page more in
// each round. The calls that fail name the store, committed state is whole, and after
// room was made everything goes on.
func TestADiskThatFillsUpKeepsCommittedState(t *testing.T) {
	t.Parallel()
	record := torture.Begin(t, "Disk fills up, page by page", "sizes of a real file system")
	step := torture.Times(31, 7, 1)
	for pages := 0; ; pages += step {
		r := &diskRound{T: t, record: record, dir: t.TempDir(), name: fmt.Sprintf("%d free pages", pages)}
		if full := r.fill(pages); !full {
			break
		}
		record.Tried++
		if t.Failed() {
			t.FailNow()
		}
	}
	if record.Tried < 60/step {
		t.Errorf("got %d sizes that were too small, want more", record.Tried)
	}
}

// fill appends and builds on a file system with so many free pages; full reports that
// they were too few.
func (r *diskRound) fill(pages int) (full bool) {
	r.Helper()
	dir := filepath.Join(r.dir, "data")
	check(r, os.Mkdir(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m,mode=700"); err != nil {
		r.Skipf("LEFT OUT: a file system that fills up, because this user cannot mount one (%v); "+
			"TestADiskErrorAtAnyChangeKeepsCommittedState has ENOSPC at each write", err)
	}
	mounted := true
	unmount := func() {
		if mounted {
			mounted = false
			check(r, syscall.Unmount(dir, syscall.MNT_DETACH))
		}
	}
	r.Cleanup(unmount)
	first := openPlatform(r, deployment{dir: dir})
	countingMappings(r, first)
	first.close(r)
	db, err := store.Open(r.Context(), store.Location{Dir: dir}, false)
	check(r, err)
	p, err := embedded.Open(embedded.Config{DB: db})
	check(r, err)
	b := testPlatform{p, db}
	r.resize(dir, pages)
	before := 0
	for i := range 6 {
		batch := 2 + i
		err := appendFrom(r.Context(), b, before, batch)
		if err == nil {
			before += batch
			_, err = b.BuildProfiles(r.Context(), nil)
			batch = 0
		}
		if err == nil {
			continue
		}
		r.wantDiskError("no free page", err)
		if !full {
			r.afterACrash(dir, before, batch)
		}
		full = true
	}
	check(r, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"))
	r.checkState(b)
	check(r, errors.Join(p.Close(), db.Close()))
	unmount()
	return full
}

// resize leaves so many free pages on the file system.
func (r *diskRound) resize(dir string, pages int) {
	r.Helper()
	var s syscall.Statfs_t
	check(r, syscall.Statfs(dir, &s))
	size := (int64(s.Blocks-s.Bfree) + int64(pages)) * s.Bsize
	check(r, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", size)))
}
