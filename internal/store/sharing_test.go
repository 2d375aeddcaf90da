//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// processes opens one store n times, as n processes would.
func processes(t *testing.T, at store.Location, n int) []*store.DB {
	t.Helper()
	var all []*store.DB
	for range n {
		all = append(all, openAt(t, at))
	}
	return all
}

// checklist 48 37: with any number of processes, one run of a job is active at a time,
// and two runs of an authorization.
func TestClaimsOfManyProcessesKeepTheLimits(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, at store.Location) {
		all := processes(t, at, 8)
		auth := authorization(t, all[0]).ID
		const limit = 2
		var active, most atomic.Int64
		perJob := map[string]*atomic.Int64{}
		var rows []store.JobRow
		for _, table := range []string{"a", "b", "c", "d"} {
			row := job(t, all[0], auth, table)
			rows, perJob[row.ID] = append(rows, row), &atomic.Int64{}
		}
		var finished atomic.Int64
		var wg sync.WaitGroup
		for i, db := range all {
			owner := fmt.Sprintf("in_%d", i)
			// With SQLite, a process may wait longer than a lease for its turn to write.
			if err := db.Appear(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
			mine := []jobs.Run{queue(t, db, rows[i%4], owner), queue(t, db, rows[(i+1)%4], owner)}
			wg.Go(func() {
				for len(mine) > 0 && !t.Failed() {
					run := mine[0]
					mine = mine[1:]
					c, _, err := db.ClaimRun(t.Context(), run.ID, owner, "host", limit)
					if err != nil {
						t.Errorf("claiming: %v", err)
						return
					}
					if c == nil {
						mine = append(mine, run)
						continue
					}
					now := active.Add(1)
					for old := most.Load(); now > old; old = most.Load() {
						most.CompareAndSwap(old, now)
					}
					if n := perJob[c.JobID].Add(1); now > limit || n > 1 {
						t.Errorf("%d runs of the authorization and %d of the job are active", now, n)
					}
					err = db.Write(t.Context(), func(tx *store.Tx) error { return store.Fence(t.Context(), tx, c) })
					perJob[c.JobID].Add(-1)
					active.Add(-1)
					run.Status = jobs.StatusSucceeded
					if err := errors.Join(err, db.FinishRun(t.Context(), c, run)); err != nil {
						t.Errorf("finishing: %v", err)
						return
					}
					finished.Add(1)
				}
			})
		}
		wg.Wait()
		if finished.Load() != 16 {
			t.Errorf("%d of 16 runs were executed", finished.Load())
		}
	})
}

// A process that got no turn to write on SQLite within one attempt makes another one.
func TestAWriteWaitsForABusyStore(t *testing.T) {
	t.Parallel()
	at := store.Location{Dir: t.TempDir()}
	other, db := openAt(t, at), openAt(t, at.WithBusyTimeout(10*time.Millisecond))
	writing, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- other.Write(t.Context(), func(*store.Tx) error {
			close(writing)
			<-end
			return nil
		})
	}()
	<-writing
	time.AfterFunc(300*time.Millisecond, func() { close(end) }) // many attempts of 10 ms
	err := db.Write(t.Context(), func(tx *store.Tx) error { return store.PutCursorDocument(t.Context(), tx, "k", []byte("1")) })
	if err != nil {
		t.Errorf("writing while another process writes: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A store that another process keeps locked is an error that says so.
func TestAStoreThatStaysBusyIsAnError(t *testing.T) {
	t.Parallel()
	at := store.Location{Dir: t.TempDir()}
	other, err := sql.Open("sqlite", filepath.Join(at.Dir, "lytics.db")+"?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	_, err = store.Open(t.Context(), at.WithBusyTimeout(10*time.Millisecond), true)
	if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Code != jobs.CodeStore || !strings.Contains(e.Next, "Another process") {
		t.Errorf("got %v, want that another process keeps the store busy", err)
	}
}

// Transactions that read and then write do not overwrite one another's changes.
func TestWritesOfManyProcessesAreSerializable(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, at store.Location) {
		all := processes(t, at, 6)
		const each = 10
		var wg sync.WaitGroup
		for _, db := range all {
			wg.Go(func() {
				for range each {
					err := db.Write(t.Context(), func(tx *store.Tx) error {
						var n int
						if err := tx.QueryRowContext(t.Context(), `SELECT count(*) FROM cursors`).Scan(&n); err != nil {
							return err
						}
						_, err := tx.ExecContext(t.Context(), `INSERT INTO cursors (key, state, updated_at) VALUES (?, '', 0)`, fmt.Sprint(n))
						return err
					})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		var n int
		if err := all[0].Read().QueryRowContext(t.Context(), `SELECT count(*) FROM cursors`).Scan(&n); err != nil || n != each*len(all) {
			t.Errorf("%d writes are there, %v", n, err)
		}
	})
}

// checklist 41: Write retries when the connection breaks before the commit.
func TestAWriteIsRetriedWhenItsConnectionIsCut(t *testing.T) {
	t.Parallel()
	db := openAt(t, store.Location{DatabaseURL: jobs.NewSecret(storetest.URL(t))})
	attempts := 0
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		if attempts++; attempts == 1 {
			_, err := tx.ExecContext(t.Context(), `SELECT pg_terminate_backend(pg_backend_pid())`)
			return err
		}
		return store.PutCursorDocument(t.Context(), tx, "k", []byte("1"))
	})
	if err != nil || attempts != 2 {
		t.Fatalf("after %d attempts: %v", attempts, err)
	}
	if got, err := db.CursorDocument(t.Context(), "k"); err != nil || string(got) != "1" {
		t.Fatalf("got the document %q, %v, want 1", got, err)
	}
}

// checklist 43
func TestErrorsNeverContainTheDatabasePassword(t *testing.T) {
	t.Parallel()
	good := pgtest.URL(t)
	escaped := strings.SplitN(strings.SplitN(good, "lytics:", 2)[1], "@", 2)[0]
	for name, url := range map[string]string{
		"wrong password": strings.Replace(good, escaped, escaped+"x", 1),
		"no server":      "postgres://lytics:" + escaped + "@127.0.0.1:1/x?sslmode=disable",
		"no database":    strings.Replace(good, "?", "_none?", 1),
		"no port":        "postgres://lytics:" + escaped + "@localhost:port/x",
		"not encoded":    "postgres://lytics:" + pgtest.Password + "%@localhost/x",
		"bad option":     good + "&sslmode=" + escaped,
		"not a URL":      "host=127.0.0.1 password=" + pgtest.Password,
		"another scheme": "mysql://lytics:" + escaped + "@localhost/x",
	} {
		_, err := store.Open(t.Context(), store.Location{DatabaseURL: jobs.NewSecret(url)}, true)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		texts := []string{err.Error(), fmt.Sprintf("%v", err), fmt.Sprintf("%s", err)}
		for inner := errors.Unwrap(err); inner != nil && len(texts) < 4; inner = errors.Unwrap(inner) {
			texts = append(texts, inner.Error())
		}
		for _, text := range texts {
			if strings.Contains(text, pgtest.Password) || strings.Contains(text, escaped) {
				t.Errorf("%s: %s", name, text)
			}
		}
		if !jobs.IsCode(err, jobs.CodeStore) && !jobs.IsCode(err, jobs.CodeInvalid) {
			t.Errorf("%s: %v has no code", name, err)
		}
	}
	if place := openAt(t, store.Location{DatabaseURL: jobs.NewSecret(good)}).Place(); strings.Contains(place, escaped) || !strings.Contains(place, "127.0.0.1") {
		t.Errorf("the place is %q", place)
	}
}

// setSchema changes the recorded schema number of a store, as another release would.
func setSchema(t *testing.T, db *store.DB, delta int) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		query := `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`
		if delta > 0 {
			query = `INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, is_applied FROM goose_db_version WHERE version_id > 0 GROUP BY is_applied`
		}
		_, err := tx.ExecContext(t.Context(), query)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAStoreOfANewerReleaseIsRefusedEvenByAProcessThatHasItOpen(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, at store.Location) {
		db := openAt(t, at)
		me := store.Instance{ID: "in_1", Kind: store.KindRunner}
		if err := db.Beat(t.Context(), me); err != nil {
			t.Fatal(err)
		}
		setSchema(t, db, 1)
		if _, err := store.Open(t.Context(), at, false); !jobs.IsCode(err, jobs.CodeStore) || !strings.Contains(err.Error(), "newer release") {
			t.Errorf("opened: %v", err)
		}
		if err := db.Beat(t.Context(), me); !jobs.IsCode(err, jobs.CodeStore) || !strings.Contains(err.Error(), "migrated") {
			t.Errorf("heartbeat: %v", err)
		}
	})
}

func TestNothingIsMigratedUnderALiveRunnerOfAnotherRelease(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, at store.Location) {
		db := openAt(t, at)
		if err := db.Beat(t.Context(), store.Instance{ID: "in_1", Kind: store.KindRunner, Host: "machine-7", Version: "1.2.3"}); err != nil {
			t.Fatal(err)
		}
		setSchema(t, db, -1)
		_, err := store.Open(t.Context(), at, false)
		if !jobs.IsCode(err, jobs.CodeStore) || !strings.Contains(err.Error(), "machine-7") || !strings.Contains(err.Error(), "1.2.3") {
			t.Errorf("got %v", err)
		}
	})
}

// Text is ordered by its bytes, independent of the database's collation.
func TestTextIsComparedByItsBytes(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx := context.WithoutCancel(t.Context())
		auth := authorization(t, db).ID
		for _, label := range []string{"a", "B", "ä", "_", "Z"} {
			job(t, db, auth, label)
		}
		all, err := db.Jobs(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, j := range all {
			got = append(got, j.Label)
		}
		if strings.Join(got, "") != "BZ_aä" {
			t.Errorf("the order is %v", got)
		}
	})
}

// checklist 41: a write that failed because the disk was full succeeds when there is
// space again.
func TestAFullDiskIsReportedAndGoesAway(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	limit := func(pages string) error {
		return db.Write(t.Context(), func(tx *store.Tx) error {
			var now int64
			return tx.QueryRowContext(t.Context(), `PRAGMA max_page_count = `+pages).Scan(&now)
		})
	}
	put := func() error {
		return db.Write(t.Context(), func(tx *store.Tx) error {
			return store.PutCursorDocument(t.Context(), tx, "k", bytes.Repeat([]byte("x"), 1<<20))
		})
	}
	if err := limit("1"); err != nil { // SQLite raises this to the current number of pages
		t.Fatal(err)
	}
	err := put()
	if !jobs.IsCode(err, jobs.CodeStore) || !store.Transient(err) || !strings.Contains(err.Error(), "disk has room") {
		t.Fatalf("got %v", err)
	}
	if got, err := db.CursorDocument(t.Context(), "k"); err != nil || got != nil {
		t.Fatalf("got a document of %d bytes, %v, want none", len(got), err)
	}
	if err := errors.Join(limit("1000000"), put()); err != nil {
		t.Fatal(err)
	}
}

// checklist 41: Write waits while another process writes.
func TestWriteWaitsForAnotherWriter(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, at store.Location) {
		all := processes(t, at, 2)
		put := func(tx *store.Tx, document string) error {
			return store.PutCursorDocument(t.Context(), tx, "k", []byte(document))
		}
		var first, second sync.Once
		held, entered, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
		go func() {
			done <- all[0].Write(t.Context(), func(tx *store.Tx) error {
				if err := put(tx, "1"); err != nil {
					return err
				}
				first.Do(func() {
					close(held)
					// The second Write begins before the first one ends.
					for all[1].Writing() == 0 && t.Context().Err() == nil {
						runtime.Gosched()
					}
					if !at.DatabaseURL.Empty() {
						<-entered
					}
				})
				// On SQLite the second Write must still wait.
				select {
				case <-entered:
					if at.DatabaseURL.Empty() {
						return errors.New("two write at the same time")
					}
				default:
				}
				return put(tx, "2")
			})
		}()
		<-held
		err := all[1].Write(t.Context(), func(tx *store.Tx) error {
			second.Do(func() { close(entered) })
			return put(tx, "3")
		})
		if err := errors.Join(err, <-done); err != nil {
			t.Fatal(err)
		}
		if got, err := all[0].CursorDocument(t.Context(), "k"); err != nil || string(got) != "3" {
			t.Fatalf("got the document %q, %v, want 3", got, err)
		}
	})
}
