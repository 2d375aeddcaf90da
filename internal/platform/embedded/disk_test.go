package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest/failingdisk"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// checklist 2, 41: at each change of a file (SQLite's database, log and index of the
// log; segments; profiles) the disk fails once: with EIO before or after the change, or
// with ENOSPC after half of it. The calls that fail name the store, and committed
// events, the cursor with them and the profiles are whole: in the process that goes
// on, and in the files that a process leaves that dies right after the failure.
func TestADiskErrorAtAnyChangeKeepsCommittedState(t *testing.T) {
	if testing.Short() {
		t.Skip("LEFT OUT: a failing disk; make test runs it")
	}
	t.Parallel()
	for _, fault := range failingdisk.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			record := torture.Begin(t, "Disk fails at each write: "+fault.String(), "writes of store, segments and profiles")
			step := torture.Times(17, 5, 1)
			for at := 1; ; at += step {
				r := diskRound{T: t, record: record, dir: t.TempDir(), name: fmt.Sprintf("change %d, %s", at, fault)}
				if hit := r.run(at, fault); !hit {
					break
				}
				record.Tried++
				if t.Failed() {
					t.FailNow()
				}
			}
			if record.Tried < 120/step {
				t.Errorf("got %d failed changes, want more", record.Tried)
			}
		})
	}
}

// diskRound is one life of a data directory with one failure of the disk.
type diskRound struct {
	*testing.T
	record    *torture.Record
	dir, name string
}

// run appends and builds while the disk fails at one change; hit reports that there
// was such a change.
func (r *diskRound) run(at int, fault failingdisk.Fault) (hit bool) {
	r.Helper()
	dir := filepath.Join(r.dir, "data")
	b := openPlatform(r, deployment{dir: dir})
	countingMappings(r, b)
	b.close(r)

	disk := failingdisk.Watch(r, dir)
	b, err := openWatched(dir, disk)
	check(r, err)
	disk.FailAt(at, fault)
	// before is the cursor before the call that failed, and batch its events.
	before, batch := 0, 0
	for i := range 6 {
		batch = 2 + i
		before = r.cursor(b)
		err := appendFrom(r.Context(), b, before, batch)
		if disk.Hit() != "" && !hit {
			hit = true
			r.afterACrash(dir, before, batch)
		}
		if err == nil {
			if _, err = b.BuildProfiles(r.Context(), nil); disk.Hit() != "" && !hit {
				hit = true
				r.afterACrash(dir, before+batch, 0)
			}
		}
		if err != nil {
			r.wantDiskError(disk.Hit(), err)
		}
	}
	disk.Heal()
	r.checkState(b)
	if err := errors.Join(b.Close(), b.db.Close()); err != nil {
		r.Errorf("%s (%s): close: %v", r.name, disk.Hit(), err)
	}
	return hit
}

// cursor reads the cursor. The failure may hit the read, which creates the index of
// the log, so it is tried twice.
func (r *diskRound) cursor(b testPlatform) (n int) {
	r.Helper()
	for range 2 {
		err := b.db.Read().QueryRowContext(r.Context(), `SELECT n FROM test_cursor`).Scan(&n)
		if err == nil || noTable(err) {
			return n
		}
	}
	r.Fatalf("%s: the cursor cannot be read", r.name)
	return 0
}

// openWatched opens a platform whose files are on a disk that fails.
func openWatched(dir string, disk *failingdisk.Disk) (testPlatform, error) {
	db, err := store.Open(context.Background(), store.Location{Dir: dir}, false)
	if err != nil {
		return testPlatform{}, err
	}
	p, err := embedded.Open(embedded.Config{DB: db})
	if err != nil {
		return testPlatform{}, err
	}
	embedded.WatchSegments(p, disk, 400)
	return testPlatform{p, db}, nil
}

// countingMappings maps the events of appendBatch to profiles that count and sum them.
func countingMappings(t checker, b testPlatform) {
	t.Helper()
	b.mustField(t, jobs.Field{ID: "user", Type: "int", IsIdentifier: true})
	b.mustField(t, jobs.Field{ID: "events", Type: "int", MergeOperation: "count"})
	b.mustField(t, jobs.Field{ID: "total", Type: "int", MergeOperation: "sum"})
	for field, expression := range map[string]string{"user": "user", "events": "n", "total": "n"} {
		b.mustMap(t, "s", field, expression, "")
	}
	b.mustAudience(t, "All", "*")
}

// wantDiskError checks the error of a call during which the disk failed at hit.
func (r *diskRound) wantDiskError(hit string, err error) {
	r.Helper()
	if hit == "" || !jobs.IsCode(err, jobs.CodeStore) || !store.Transient(err) {
		r.record.Wrong++
		r.Errorf("%s (%s): got %v, want a transient error of the store", r.name, hit, err)
	}
}

// checkState checks stream, cursor, database and profiles, and that both go on.
func (r *diskRound) checkState(b testPlatform) {
	r.Helper()
	n := r.checkEvents(b)
	check(r, appendBatch(r.Context(), b, 3))
	if after := r.checkEvents(b); after != n+3 {
		r.Errorf("%s: got %d events after %d and 3", r.name, after, n)
	}
	b.mustBuild(r)
	events, total := 0, 0
	for _, line := range b.rows(r, "all", "events", "total") {
		var e, s int
		_, err := fmt.Sscanf(line, "%d|%d", &e, &s)
		check(r, err)
		events, total = events+e, total+s
	}
	if n += 3; events != n || total != n*(n-1)/2 {
		r.record.Wrong++
		r.Errorf("%s: the profiles count %d events of %d, their sum is %d", r.name, events, n, total)
	}
	var verdict string
	check(r, b.db.Read().QueryRowContext(r.Context(), `PRAGMA integrity_check`).Scan(&verdict))
	if verdict != "ok" {
		r.record.Wrong++
		r.Errorf("%s: the store is damaged: %s", r.name, verdict)
	}
}

// checkEvents checks that the stream has the events before the cursor, once each, and
// returns their number.
func (r *diskRound) checkEvents(b testPlatform) int {
	r.Helper()
	seen, last := map[string]int{}, 0
	for e, err := range b.Events(r.Context(), "s") {
		if jobs.IsCode(err, jobs.CodeNotFound) {
			break
		}
		if err != nil {
			r.record.Lost++
			r.Fatalf("%s: the stream cannot be read: %v", r.name, err)
		}
		seen[e.ID]++
		last++
	}
	cursor := b.cursor(r)
	lost, doubled := 0, last-len(seen)
	for i := range cursor {
		if seen[fmt.Sprintf("e%d", i)] == 0 {
			lost++
		}
	}
	if lost > 0 || doubled > 0 || len(seen) != cursor {
		r.record.Lost, r.record.Doubled = r.record.Lost+lost, r.record.Doubled+doubled
		r.Errorf("%s: got %d events, %d of them twice and %d lost, and the cursor is %d", r.name, last, doubled, lost, cursor)
	}
	return cursor
}

// afterACrash checks a copy of the files, which is what a process leaves that dies
// then. An append whose outcome is unknown may be in it, whole.
func (r *diskRound) afterACrash(dir string, before, batch int) {
	r.Helper()
	left := filepath.Join(r.dir, "left")
	check(r, os.CopyFS(left, os.DirFS(dir)))
	// The index of the log is memory that the processes share; it ends with them.
	if err := os.Remove(filepath.Join(left, "lytics.db-shm")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Fatal(err)
	}
	db, err := store.Open(r.Context(), store.Location{Dir: left}, false)
	check(r, err)
	p, err := embedded.Open(embedded.Config{DB: db})
	check(r, err)
	b := testPlatform{p, db}
	name := r.name
	r.name += ", after a crash"
	if n := r.checkEvents(b); n != before && n != before+batch {
		r.record.Wrong++
		r.Errorf("%s: got %d events, want %d, or %d with the batch whose outcome is unknown", r.name, n, before, before+batch)
	}
	r.checkState(b)
	r.name = name
	check(r, errors.Join(p.Close(), db.Close()))
}
