package embedded_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/s3test"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest/failingdisk"
)

// A crash test starts the test binary again as a child process, and kills it. These
// variables tell the child what to do, and in which data directory or fleet.
const (
	childDir  = "LYTICS_TEST_CHILD_DIR"
	childURL  = "LYTICS_TEST_CHILD_URL"
	childS3   = "LYTICS_TEST_CHILD_S3"
	childWork = "LYTICS_TEST_CHILD_WORK"
	// childKillAt is the change of its files at which the child kills itself.
	childKillAt = "LYTICS_TEST_CHILD_KILL_AT"
)

func TestMain(m *testing.M) {
	if work := os.Getenv(childWork); work != "" {
		at := deployment{dir: os.Getenv(childDir), url: os.Getenv(childURL)}
		if at.fleet() {
			config := s3test.Config(os.Getenv(childS3))
			at.s3 = &config
		}
		fmt.Fprintln(os.Stderr, runChild(at, work))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// runChild does the work of the child process. It returns only after an error.
func runChild(at deployment, work string) error {
	ctx := context.Background()
	killAt, err := strconv.Atoi(os.Getenv(childKillAt))
	if err != nil {
		killAt = 0
	}
	disk, _, err := failingdisk.Open(at.dir)
	if err != nil {
		return err
	}
	db, err := store.Open(ctx, at.location(), true)
	if err != nil {
		return err
	}
	p, err := embedded.Open(at.config(db))
	if err != nil {
		return err
	}
	b := testPlatform{p, db}
	if killAt > 0 {
		embedded.WatchSegments(p, disk, 4000)
		disk.FailAt(killAt, failingdisk.Kill)
	}
	fmt.Println("ready")
	for {
		switch work {
		case "append":
			if err := appendBatch(ctx, b, 1+rand.IntN(40)); err != nil {
				return err
			}
		case "erase":
			if err := eraseAll(ctx, b); err != nil {
				return err
			}
		case "build":
			if _, err := p.BuildProfiles(ctx, nil); err != nil {
				return err
			}
			if err := appendBatch(ctx, b, 200); err != nil {
				return err
			}
		}
	}
}

// appendBatch appends the n events after the cursor, and advances the cursor.
func appendBatch(ctx context.Context, b testPlatform, n int) error {
	from := 0
	row := b.db.Read().QueryRowContext(ctx, `SELECT n FROM test_cursor`)
	if err := row.Scan(&from); err != nil && !noTable(err) {
		return err
	}
	return appendFrom(ctx, b, from, n)
}

// appendFrom appends the n events after the cursor from, and advances the cursor.
func appendFrom(ctx context.Context, b testPlatform, from, n int) error {
	var events []jobs.Event
	for i := from; i < from+n; i++ {
		events = append(events, event(fmt.Sprintf("e%d", i), day0.Add(time.Duration(i)*time.Second), fmt.Sprintf(`{"n":%d,"user":%d,"pad":%q}`, i, i%97, strings.Repeat("p", i%300))))
	}
	_, err := b.Append(ctx, "s", events, func(tx *store.Tx, _ []jobs.RejectedEvent) error { return setCursor(ctx, tx, from+n) })
	return err
}

// kill runs a child process for a while and kills it. In a fleet, it then expires the
// child's uploads, so that the child counts as dead.
func (t *deploymentTest) kill(work string, after time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+t.dir, childURL+"="+t.url, childWork+"="+work)
	if t.fleet() {
		cmd.Env = append(cmd.Env, childS3+"="+t.s3.Endpoint)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	ready := make([]byte, 6)
	if _, err := out.Read(ready); err != nil {
		t.Fatalf("the child did not begin: %v %s", err, stderr.String())
	}
	if t.fleet() {
		after *= 4 // each call crosses a connection
	}
	timer := time.NewTimer(after)
	defer timer.Stop()
	<-timer.C
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatalf("the child failed before it was killed: %s", stderr.String())
	}
	if t.fleet() {
		t.expire()
	}
}

// expire ends the lease of all announced uploads.
func (t *deploymentTest) expire() {
	t.Helper()
	b := t.openUnmanaged()
	defer b.close(t)
	check(t, b.db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE segment_uploads SET expires_at = 0`)
		return err
	}))
}

func killRounds(t checker, few int) int {
	t.Helper()
	if n, err := strconv.Atoi(os.Getenv("LYTICS_TEST_KILLS")); err == nil {
		return n
	}
	if testing.Short() {
		return few / 4 // the rounds are random, so make test kills more often
	}
	return few
}

// verify checks that the stream contains each event before the cursor once, in order.
func verify(t checker, b testPlatform) int {
	t.Helper()
	n := 0
	for e, err := range b.Events(context.Background(), "s") {
		if jobs.IsCode(err, jobs.CodeNotFound) {
			break
		}
		check(t, err)
		if e.ID != fmt.Sprintf("e%d", n) {
			t.Fatalf("event %d is %s", n, e.ID)
		}
		n++
	}
	if c := b.cursor(t); c != n {
		t.Fatalf("%d events, and the cursor is %d", n, c)
	}
	return n
}

// checklist 2, 57: after a kill at any moment, the stream contains exactly the events
// before the cursor, and the next writer removes uncommitted bytes.
func TestKilledWhileAppending(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		for range killRounds(t, 12) {
			t.kill("append", time.Duration(rand.IntN(40_000))*time.Microsecond)
			b := t.openUnmanaged()
			n := verify(t, b)
			check(t, appendBatch(t.Context(), b, 3))
			if after := verify(t, b); after != n+3 {
				t.Fatalf("%d events after %d and 3", after, n)
			}
			if left := t.uncommittedBytes(b); left != "" {
				t.Fatalf("uncommitted bytes after a crash: %s", left)
			}
			b.close(t)
		}
	})
}

// A sweep does not truncate the file of a living writer.
func TestALiveWritersFileIsNotTruncated(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	alive, other := openPlatform(t, deployment{dir: dir}), openPlatform(t, deployment{dir: dir})
	alive.mustAppend(t, "s", secondsApart(`{"a":1}`, `{"a":2}`))
	// The first bytes of its next batch.
	files, err := filepath.Glob(filepath.Join(dir, "streams", "s", "*.ndjson"))
	check(t, err)
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0o600)
	check(t, err)
	_, err = f.WriteString("uncommitted")
	check(t, err)
	check(t, f.Close())
	other.mustAppend(t, "s", secondsApart(`{"a":3}`))
	text, err := os.ReadFile(files[0])
	check(t, err)
	if !strings.HasSuffix(string(text), "uncommitted") {
		t.Error("the uncommitted bytes of a live writer were removed")
	}
	if got := other.stored(t, "s"); len(got) != 3 {
		t.Errorf("the stream holds %v", got)
	}
}

// After a build was killed, the next build has merged each event exactly once.
func TestKilledWhileBuilding(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.openUnmanaged()
		b.mustField(t, jobs.Field{ID: "user", Type: "int", IsIdentifier: true})
		b.mustField(t, jobs.Field{ID: "events", Type: "int", MergeOperation: "count"})
		b.mustField(t, jobs.Field{ID: "total", Type: "int", MergeOperation: "sum"})
		for field, expression := range map[string]string{"user": "user", "events": "n", "total": "n"} {
			b.mustMap(t, "s", field, expression, "")
		}
		b.mustAudience(t, "All", "*")
		b.close(t)
		for range killRounds(t, 10) {
			t.kill("build", time.Duration(20_000+rand.IntN(80_000))*time.Microsecond)
			b := t.openUnmanaged()
			n := verify(t, b)
			stats := b.mustBuild(t)
			if want := min(97, n); stats.Profiles != int64(want) {
				t.Fatalf("%d profiles of %d events", stats.Profiles, n)
			}
			events, total := 0, 0
			for _, line := range b.rows(t, "all", "events", "total") {
				var e, s int
				_, err := fmt.Sscanf(line, "%d|%d", &e, &s)
				check(t, err)
				events, total = events+e, total+s
			}
			if events != n || total != n*(n-1)/2 {
				t.Fatalf("profiles count %d events of %d, sum %d", events, n, total)
			}
			b.close(t)
		}
	})
}
