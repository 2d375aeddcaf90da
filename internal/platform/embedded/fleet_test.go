package embedded_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/embedded"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// newFleetTest returns a deploymentTest in a fleet.
func newFleetTest(t *testing.T) *deploymentTest {
	t.Helper()
	return &deploymentTest{t, newFleet(t)}
}

func (t *deploymentTest) uploads(b testPlatform) (n int) {
	t.Helper()
	check(t, b.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM segment_uploads`).Scan(&n))
	return n
}

// checklist 31: the next append removes the uncommitted objects of a writer, once the
// writer's lease has ended.
func TestOrphanedObjectsAreRemoved(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	dead, b := f.open(), f.open()
	b.mustAppend(f, "s", secondsApart(`{"a":1}`))
	check(f, embedded.UploadOnly(f.Context(), dead.Platform, "other stream", "left behind"))
	alive := f.open()
	alive.mustAppend(f, "s", secondsApart(`{"a":2}`))
	if n := len(f.segments()); n != 3 {
		t.Errorf("%d objects while the writer may be alive, want 3", n)
	}
	f.expire()
	for range 2 {
		later := f.open()
		later.mustAppend(f, "s", secondsApart(`{"a":3}`))
	}
	for key, content := range f.segments() {
		if strings.Contains(string(content), "left behind") {
			t.Errorf("%s is still there", key)
		}
	}
	if n := f.uploads(b); n != 0 {
		t.Errorf("%d uploads are announced", n)
	}
	if got := b.stored(f, "s"); len(got) != 4 || len(f.segments()) != 4 {
		t.Errorf("%d events in %d objects, want 4 in 4", len(got), len(f.segments()))
	}
}

// checklist 37, 38: a writer whose lease ends during an upload cannot commit the
// object. It uploads its events again, and commits them once.
func TestAnAppendThatLosesItsLease(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	slow, other := f.open(), f.open()
	other.mustAppend(f, "s", secondsApart(`{"a":0}`))
	var uploads atomic.Int32
	f.bucket.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && uploads.Add(1) == 1 {
			f.expire()
			third := f.open()
			third.mustAppend(f, "s", secondsApart(`{"a":1}`))
		}
		return false
	})
	commits := 0
	_, err := slow.Append(f.Context(), "s", secondsApart(`{"a":2}`), func(tx *store.Tx, _ []jobs.RejectedEvent) error {
		commits++
		return setCursor(f.Context(), tx, 7)
	})
	check(f, err)
	if n := uploads.Load(); n != 3 || commits != 1 {
		t.Errorf("%d uploads and %d commits, want 3 and 1", n, commits)
	}
	if got := other.stored(f, "s"); len(got) != 3 || !strings.HasSuffix(got[2], `{"a":2}`) || other.cursor(f) != 7 {
		t.Errorf("the stream holds %v, the cursor is %d", got, other.cursor(f))
	}
	if n := len(f.segments()); n != 3 {
		t.Errorf("%d objects, want 3", n)
	}
}

// An append is retried when its connection breaks before the commit; no event is lost
// or duplicated.
func TestAnAppendWhoseConnectionBreaks(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	b := f.open()
	attempts := 0
	_, err := b.Append(f.Context(), "s", secondsApart(`{"a":1}`), func(tx *store.Tx, _ []jobs.RejectedEvent) error {
		if attempts++; attempts == 1 {
			_, err := tx.ExecContext(f.Context(), `SELECT pg_terminate_backend(pg_backend_pid())`)
			return err
		}
		return setCursor(f.Context(), tx, 1)
	})
	check(f, err)
	if got := b.stored(f, "s"); attempts != 2 || len(got) != 1 || b.cursor(f) != 1 || len(f.segments()) != 1 {
		t.Errorf("after %d attempts the stream holds %v in %d objects", attempts, got, len(f.segments()))
	}
}

// An append fails when the bucket refuses the upload, and leaves no event or object.
func TestAnAppendThatTheBucketRefuses(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	b := f.open()
	b.mustAppend(f, "s", secondsApart(`{"a":1}`))
	f.bucket.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
		return true
	})
	_, err := b.Append(f.Context(), "s", secondsApart(`{"a":2}`), nil)
	wantError(f, "a refused upload", err, jobs.CodeForbidden, "staging.s3.bucket", "no")
	f.bucket.Intercept(nil)
	b.mustAppend(f, "s", secondsApart(`{"a":3}`))
	if got := b.stored(f, "s"); len(got) != 2 || len(f.segments()) != 2 {
		t.Errorf("the stream holds %v in %d objects", got, len(f.segments()))
	}
}

// checklist 38: a process that lost the build lock cannot commit, even if it does not
// know. The next holder of the lock merges each event once.
func TestABuilderThatLosesItsLock(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	lost, other := f.open(), f.open()
	embedded.LimitMemory(lost.Platform, 10)
	defineShop(lost, f)
	var data []string
	for i := range 100 {
		data = append(data, fmt.Sprintf(`{"email":"u%d@x.io","price":1}`, i%20))
	}
	lost.mustAppend(f, "shop", secondsApart(data...))
	cut := false
	_, err := lost.BuildProfiles(f.Context(), func(int64, int64) {
		if cut {
			return
		}
		cut = true
		_, err := other.db.Pool().Exec(f.Context(), `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		check(f, err)
		if s := other.mustBuild(f); s.Events != 100 {
			t.Errorf("the other builds %+v", s)
		}
	})
	wantError(f, "the build without the lock", err, jobs.CodeUnreachable, "", "Another process")
	if s := lost.mustBuild(f); s.Events != 0 || s.Profiles != 20 {
		t.Errorf("the next build: %+v", s)
	}
	for _, line := range other.rows(f, "all", "orders") {
		if line != "5" {
			t.Errorf("a profile counts %s orders", line)
		}
	}
}

// If two processes build at the same time, the second one waits, and has no events to
// merge.
func TestTheSecondBuilderWaits(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	first, second := f.open(), f.open()
	defineShop(first, f)
	first.mustAppend(f, "shop", secondsApart(`{"email":"a@x.io","price":1}`, `{"email":"b@x.io","price":1}`))
	began, ended := make(chan struct{}), make(chan error, 1)
	var merged int64
	once := false
	_, err := first.BuildProfiles(f.Context(), func(int64, int64) {
		if once {
			return
		}
		once = true
		go func() {
			close(began)
			s, err := second.BuildProfiles(context.WithoutCancel(f.Context()), nil)
			merged = s.Events
			ended <- err
		}()
		<-began
		select {
		case err := <-ended:
			t.Errorf("the second did not wait: %v", err)
		default:
		}
	})
	check(f, err)
	check(f, <-ended)
	if merged != 0 {
		t.Errorf("the second build merged %d events, want 0", merged)
	}
	if got := second.rows(f, "all", "spend"); !slices.Equal(got, []string{"1", "1"}) {
		t.Errorf("profiles %v", got)
	}
}

// Without a bucket, a fleet refuses events, because there is no storage that all
// machines can read; definitions can be used.
func TestAFleetNeedsABucket(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	f.s3 = nil
	b := f.open()
	b.mustField(f, jobs.Field{ID: "a", Type: "int"})
	_, err := b.Append(f.Context(), "s", secondsApart(`{"a":1}`), nil)
	wantError(f, "without a bucket", err, jobs.CodeInvalid, "staging.s3", "database_url")
}

// An identity may be longer than an index entry of the database, and may contain bytes
// that the database's text type refuses.
func TestIdentitiesThatADatabaseCannotIndex(t *testing.T) {
	t.Parallel()
	onEachDeployment(t, func(t *deploymentTest) {
		b := t.open()
		b.mustField(t, jobs.Field{ID: "id", Type: "string", IsIdentifier: true})
		b.mustField(t, jobs.Field{ID: "n", Type: "int", MergeOperation: "count"})
		b.mustMap(t, "s", "id", "id", "")
		b.mustMap(t, "s", "n", "id", "")
		b.mustAudience(t, "All", "*")
		long := strings.Repeat("x", 5000)
		for range 2 {
			b.mustAppend(t, "s", secondsApart(`{"id":"`+long+`1"}`, `{"id":"`+long+`2"}`, `{"id":"nul\u0000l"}`, `{"id":"'; DROP TABLE x"}`))
			b.mustBuild(t)
		}
		if got := b.rows(t, "all", "n"); !slices.Equal(got, []string{"2", "2", "2", "2"}) {
			t.Errorf("profiles count %v", got)
		}
		for _, id := range []string{long + "2", "nul\x00l"} {
			if p, err := b.Profile(t.Context(), jobs.Identity{Field: "id", Value: id}); err != nil || p["n"].Text != "2" {
				t.Errorf("by %.10q: %v, %v", id, p["n"], err)
			}
		}
	})
}

// Erasure removes objects that have no row in the store, as there are after a restore
// of the database.
func TestErasureRemovesUnknownObjects(t *testing.T) {
	t.Parallel()
	f := newFleetTest(t)
	b := f.open()
	importPeople(b, f)
	for key := range f.segments() {
		if strings.Contains(key, "/shop/") {
			f.bucket.Put(t, key+"x.ndjson", []byte(`{"email":"ann@x.io"}`))
		}
	}
	check(f, embedded.UploadOnly(f.Context(), f.open().Platform, "shop", `{"email":"ann@x.io"}`))
	b.mustErase(f, "email", "ann@x.io", false)
	if left := f.filesWith(b, "ann@x.io", "555-ann"); left != nil {
		t.Errorf("still there: %v", left)
	}
}
