package embedded_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// checklist 2 57: a process that appends and builds is killed at each change of its
// files, after half of a write. Stream, cursor and profiles are whole, and go on.
func TestKilledAtEachChangeOfAFile(t *testing.T) {
	if testing.Short() {
		t.Skip("LEFT OUT: processes that are killed; make test runs it")
	}
	t.Parallel()
	record := torture.Begin(t, "Platform killed at each write", "SIGKILLs at a chosen write")
	step := torture.Times(43, 7, 1)
	for at := 1; at <= 400; at += step {
		r := &diskRound{T: t, record: record, dir: t.TempDir(), name: fmt.Sprintf("killed at change %d", at)}
		r.kill(at)
		record.Tried++
		if t.Failed() {
			t.FailNow()
		}
	}
}

// kill lets a child process kill itself at a change, and checks what it leaves.
func (r *diskRound) kill(at int) {
	r.Helper()
	dir := filepath.Join(r.dir, "data")
	b := openPlatform(r, deployment{dir: dir})
	countingMappings(r, b)
	b.close(r)
	cmd := exec.CommandContext(r.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childURL+"=", childWork+"=build", fmt.Sprintf("%s=%d", childKillAt, at))
	var output strings.Builder
	cmd.Stderr = &output
	if err := cmd.Run(); err == nil || output.Len() > 0 {
		r.Fatalf("%s: the child ended by itself: %v %s", r.name, err, output.String())
	}
	db, err := store.Open(r.Context(), store.Location{Dir: dir}, false)
	check(r, err)
	p, err := embedded.Open(embedded.Config{DB: db})
	check(r, err)
	r.checkState(testPlatform{p, db})
	check(r, errors.Join(p.Close(), db.Close()))
}
