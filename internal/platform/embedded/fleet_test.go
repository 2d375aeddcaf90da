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

// inFleet is a test in a fleet alone.
func inFleet(t *testing.T) *trial {
	t.Helper()
	return &trial{t, newFleet(t)}
}

func (t *trial) uploads(b bed) (n int) {
	t.Helper()
	check(t, b.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM segment_uploads`).Scan(&n))
	return n
}

// checklist 31: what a dead writer uploaded and did not commit is removed, once
// it is sure that the writer is dead, by whoever appends next.
func TestOrphanedObjectsAreRemoved(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	dead, b := f.open(), f.open()
	b.mustAppend(f, "s", facts(`{"a":1}`))
	check(f, embedded.UploadOnly(f.Context(), dead.Platform, "other stream", "left behind"))
	alive := f.open()
	alive.mustAppend(f, "s", facts(`{"a":2}`))
	if n := len(f.segments()); n != 3 {
		t.Errorf("%d objects while the writer may be alive, want 3", n)
	}
	f.expire()
	for range 2 {
		later := f.open()
		later.mustAppend(f, "s", facts(`{"a":3}`))
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

// checklist 37, 38: a writer that is held for dead while it uploads cannot
// commit what was given up; its events go in again, and once.
func TestAnAppendThatLosesItsLease(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	slow, other := f.open(), f.open()
	other.mustAppend(f, "s", facts(`{"a":0}`))
	var uploads atomic.Int32
	f.bucket.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && uploads.Add(1) == 1 {
			f.expire()
			third := f.open()
			third.mustAppend(f, "s", facts(`{"a":1}`))
		}
		return false
	})
	commits := 0
	_, err := slow.Append(f.Context(), "s", facts(`{"a":2}`), func(tx *store.Tx) error {
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

// A connection that breaks before the commit costs another attempt, and no event
// is lost or doubled.
func TestAnAppendWhoseConnectionBreaks(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	b := f.open()
	attempts := 0
	_, err := b.Append(f.Context(), "s", facts(`{"a":1}`), func(tx *store.Tx) error {
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

// A bucket that refuses leaves nothing behind but an error.
func TestAnAppendThatTheBucketRefuses(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	b := f.open()
	b.mustAppend(f, "s", facts(`{"a":1}`))
	f.bucket.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
		return true
	})
	_, err := b.Append(f.Context(), "s", facts(`{"a":2}`), nil)
	wantError(f, "a refused upload", err, jobs.CodeForbidden, "staging.s3.bucket", "no")
	f.bucket.Intercept(nil)
	b.mustAppend(f, "s", facts(`{"a":3}`))
	if got := b.stored(f, "s"); len(got) != 2 || len(f.segments()) != 2 {
		t.Errorf("the stream holds %v in %d objects", got, len(f.segments()))
	}
}

// checklist 38: a process that lost the right to build, and does not know it, is
// refused; whoever has it builds each event once.
func TestABuilderThatLosesItsRight(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	lost, other := f.open(), f.open()
	embedded.LimitMemory(lost.Platform, 10)
	shop(lost, f)
	var data []string
	for i := range 100 {
		data = append(data, fmt.Sprintf(`{"email":"u%d@x.io","price":1}`, i%20))
	}
	lost.mustAppend(f, "shop", facts(data...))
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
	wantError(f, "the loser", err, jobs.CodeUnreachable, "", "Another process")
	if s := lost.mustBuild(f); s.Events != 0 || s.Profiles != 20 {
		t.Errorf("the next build: %+v", s)
	}
	for _, line := range other.rows(f, "all", "orders") {
		if line != "5" {
			t.Errorf("a profile counts %s orders", line)
		}
	}
}

// Two runners that finish at once: the second waits, and finds the work done.
func TestTheSecondBuilderWaits(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	first, second := f.open(), f.open()
	shop(first, f)
	first.mustAppend(f, "shop", facts(`{"email":"a@x.io","price":1}`, `{"email":"b@x.io","price":1}`))
	began, ended := make(chan struct{}), make(chan error, 1)
	var taken int64
	once := false
	_, err := first.BuildProfiles(f.Context(), func(int64, int64) {
		if once {
			return
		}
		once = true
		go func() {
			close(began)
			s, err := second.BuildProfiles(context.WithoutCancel(f.Context()), nil)
			taken = s.Events
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
	if taken != 0 {
		t.Errorf("the second took in %d events", taken)
	}
	if got := second.rows(f, "all", "spend"); !slices.Equal(got, []string{"1", "1"}) {
		t.Errorf("profiles %v", got)
	}
}

// Without a bucket there is nowhere for events that all machines could read:
// that is said, and definitions work.
func TestAFleetNeedsABucket(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	f.s3 = nil
	b := f.open()
	b.mustField(f, jobs.Field{ID: "a", Type: "int"})
	_, err := b.Append(f.Context(), "s", facts(`{"a":1}`), nil)
	wantError(f, "without a bucket", err, jobs.CodeInvalid, "staging.s3", "database_url")
}

// What a database's index or text cannot hold is an identity all the same.
func TestUnwieldyIdentities(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *trial) {
		b := t.open()
		b.mustField(t, jobs.Field{ID: "id", Type: "string", IsIdentifier: true})
		b.mustField(t, jobs.Field{ID: "n", Type: "int", MergeOperation: "count"})
		b.mustMap(t, "s", "id", "id", "")
		b.mustMap(t, "s", "n", "id", "")
		b.mustAudience(t, "All", "*")
		long := strings.Repeat("x", 5000)
		for range 2 {
			b.mustAppend(t, "s", facts(`{"id":"`+long+`1"}`, `{"id":"`+long+`2"}`, `{"id":"nul\u0000l"}`, `{"id":"'; DROP TABLE x"}`))
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

// Erasure finds what a restore of the database left in the bucket unknown.
func TestErasureRemovesUnknownObjects(t *testing.T) {
	t.Parallel()
	f := inFleet(t)
	b := f.open()
	people(b, f)
	for key := range f.segments() {
		if strings.Contains(key, "/shop/") {
			f.bucket.Put(t, key+"x.ndjson", []byte(`{"email":"ann@x.io"}`))
		}
	}
	check(f, embedded.UploadOnly(f.Context(), f.open().Platform, "shop", `{"email":"ann@x.io"}`))
	b.mustErase(f, "email", "ann@x.io", false)
	if left := f.found(b, "ann@x.io", "555-ann"); left != nil {
		t.Errorf("still there: %v", left)
	}
}
