package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// faultyFile fails the n-th call that changes it, after writing a part.
type faultyFile struct {
	segmentFile
	calls *int
	at    int
}

func (f faultyFile) fails() bool {
	*f.calls++
	return *f.calls == f.at
}

func (f faultyFile) WriteAt(b []byte, off int64) (int, error) {
	if f.fails() {
		n, _ := f.segmentFile.WriteAt(b[:len(b)/2], off)
		return n, syscall.ENOSPC
	}
	return f.segmentFile.WriteAt(b, off)
}

func (f faultyFile) Sync() error {
	if f.fails() {
		return syscall.EIO
	}
	return f.segmentFile.Sync()
}

func (f faultyFile) Truncate(n int64) error {
	if f.fails() {
		return syscall.EIO
	}
	return f.segmentFile.Truncate(n)
}

// checklist 41: after an I/O error or a full disk at any write, the append fails, the
// committed events are intact, and the next append succeeds.
func TestAFailedWriteKeepsCommittedEvents(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for at := 1; at <= 12; at++ {
		db, err := storetest.Open(ctx, store.Location{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		p, err := Open(Config{DB: db})
		if err != nil {
			t.Fatal(err)
		}
		calls := 0
		files, ok := p.segments.(*fileSegments)
		if !ok {
			t.Fatal("segments are no files")
		}
		create := files.makeFile
		files.makeFile = func(path string) (segmentFile, error) {
			if calls++; calls == at {
				return nil, syscall.ENOSPC
			}
			f, err := create(path)
			return faultyFile{f, &calls, at}, err
		}
		files.limit = 200
		var committed []string
		failures := 0
		for i := range 8 {
			id := fmt.Sprintf("e%d", i)
			// The third batch is refused by its commit, so that Truncate fails too.
			refuse := i == 3
			_, err := p.Append(ctx, "s", []jobs.Event{{ID: id, Time: time.Unix(0, 0), Data: []byte(`{"a":1}`)}}, func(*store.Tx, []jobs.RejectedEvent) error {
				if refuse {
					return io.ErrUnexpectedEOF
				}
				return nil
			})
			switch {
			case err == nil:
				committed = append(committed, id)
			case refuse:
			case !jobs.IsCode(err, jobs.CodeStore) || !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EIO):
				t.Errorf("call %d: got %v, want the disk's error as a store error", at, err)
			default:
				failures++
			}
		}
		if want := 7 - failures; len(committed) != want || failures > 1 {
			t.Errorf("call %d: %d appends failed, %d committed", at, failures, len(committed))
		}
		i := 0
		for e, err := range p.Events(ctx, "s") {
			if err != nil {
				t.Fatalf("call %d: %v", at, err)
			}
			if i >= len(committed) || e.ID != committed[i] {
				t.Fatalf("call %d: event %d is %s, committed were %v", at, i, e.ID, committed)
			}
			i++
		}
		if i != len(committed) {
			t.Errorf("call %d: %d events, committed were %v", at, i, committed)
		}
		if err := errors.Join(p.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// A segment ends at its maximum size, and a stream continues in the next one.
func TestSegmentsEndAtTheirSize(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	dir := t.TempDir()
	db, err := storetest.Open(ctx, store.Location{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	p, err := Open(Config{DB: db})
	if err != nil {
		t.Fatal(err)
	}
	files, ok := p.segments.(*fileSegments)
	if !ok {
		t.Fatal("segments are no files")
	}
	files.limit = 1000
	for i := range 30 {
		if _, err := p.Append(ctx, "s", []jobs.Event{{ID: fmt.Sprint(i), Time: time.Unix(0, 0), Data: []byte(`{"a":"` + fmt.Sprintf("%0100d", i) + `"}`)}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	made, err := filepath.Glob(filepath.Join(dir, "streams", "s", "*"))
	if err != nil || len(made) < 4 {
		t.Errorf("%d segments, %v", len(made), err)
	}
	for _, f := range made {
		if info, err := os.Stat(f); err != nil || info.Size() > 1200 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
	i := 0
	for e, err := range p.Events(ctx, "s") {
		if err != nil || e.ID != fmt.Sprint(i) {
			t.Fatalf("event %d is %s, %v", i, e.ID, err)
		}
		i++
	}
	if i != 30 {
		t.Errorf("%d events", i)
	}
	if err := errors.Join(p.Close(), db.Close()); err != nil {
		t.Error(err)
	}
}
