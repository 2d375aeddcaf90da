package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func open(t *testing.T, dir string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Location{Dir: dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func authorization(t *testing.T, db *store.DB) store.AuthorizationRow {
	t.Helper()
	row := store.AuthorizationRow{Authorization: jobs.Authorization{ID: store.NewID("auth"), AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/1", TokenVersion: 3}}, Creator: "in_a"}
	if err := db.PutAuthorization(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	return row
}

func job(t *testing.T, db *store.DB, auth, table string) store.JobRow {
	t.Helper()
	row := store.JobRow{Creator: "in_a", Job: jobs.Job{ID: store.NewID("job"), JobSpec: jobs.JobSpec{
		Label: table, AuthorizationID: auth, QueryTimeout: time.Hour, Triggers: map[string]string{"n": "1"},
		Import: &jobs.TableImport{Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts", Stream: "s"}}}}
	row.Key = jobs.Key("host", row.JobSpec)
	if err := db.PutJob(t.Context(), row); err != nil {
		t.Fatal(err)
	}
	return row
}

// checklist 58
func TestAMissingStoreIsAnErrorAndIsNotMade(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "gone")
	_, err := store.Open(t.Context(), store.Location{Dir: dir}, false)
	if !jobs.IsCode(err, jobs.CodeStore) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("looking made %s: %v", dir, err)
	}
}

// checklist 42
func TestACorruptStoreIsReportedAndKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "lytics.db")
	garbage := strings.Repeat("this is not a database ", 500)
	if err := os.WriteFile(file, []byte(garbage), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Location{Dir: dir}, true); !jobs.IsCode(err, jobs.CodeStore) {
		t.Fatalf("got %v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != garbage {
		t.Fatalf("the damaged file was changed (%v)", err)
	}
}

// checklist 53
func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	db := open(t, dir)
	authorization(t, db)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".gitignore")); err != nil {
		t.Error(err)
	}
}

// checklist 59
func TestManyOpenANewStoreAtOnceAndAgreeOnIt(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			db, err := store.Open(t.Context(), store.Location{Dir: dir}, true)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = db.ID()
			if err := db.Beat(t.Context(), store.Instance{ID: store.NewID("in"), Kind: store.KindApply}); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id == "" || id != ids[0] {
			t.Fatalf("ids differ: %q", ids)
		}
	}
}

func TestAJobComesBackAsItWas(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	row := job(t, db, authorization(t, db).ID, "customers")
	got, err := db.Job(t.Context(), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Import, row.Import) || got.QueryTimeout != time.Hour || got.Triggers["n"] != "1" || got.Key != row.Key {
		t.Fatalf("got %+v", got)
	}
	if _, err := db.Job(t.Context(), "job_none"); !jobs.IsCode(err, jobs.CodeNotFound) {
		t.Fatalf("got %v", err)
	}
}

func TestOneJobForEachKey(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	auth := authorization(t, db).ID
	first := job(t, db, auth, "customers")
	second := first
	second.ID = store.NewID("job")
	err := db.PutJob(t.Context(), second)
	if !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), first.ID) {
		t.Fatalf("got %v", err)
	}
}

func TestAnAuthorizationInUseIsNotRemovedAndNamesItsUsers(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	auth := authorization(t, db)
	j := job(t, db, auth.ID, "customers")
	err := db.DeleteAuthorization(t.Context(), auth.ID)
	if !jobs.IsCode(err, jobs.CodeInUse) || !strings.Contains(err.Error(), j.ID) {
		t.Fatalf("got %v", err)
	}
	if err := db.DeleteJob(t.Context(), j.ID); err != nil {
		t.Fatal(err)
	}
	if err := db.DeleteAuthorization(t.Context(), auth.ID); err != nil {
		t.Fatal(err)
	}
}

func queue(t *testing.T, db *store.DB, j store.JobRow, owner string) jobs.Run {
	t.Helper()
	run, err := db.QueueRun(t.Context(), store.NewRun{Job: j.Job, Reason: jobs.ReasonApply, Owner: owner})
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func claim(t *testing.T, db *store.DB, run jobs.Run, owner string) (*store.Claim, string) {
	t.Helper()
	c, wait, err := db.ClaimRun(t.Context(), run.ID, owner, "host", 2)
	if err != nil {
		t.Fatal(err)
	}
	return c, wait
}

// checklist 48 59
func TestOneRunOfAJobAndTwoOfAnAuthorizationAtATime(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	auth := authorization(t, db).ID
	a, b, c := job(t, db, auth, "a"), job(t, db, auth, "b"), job(t, db, auth, "c")
	runA := queue(t, db, a, "in_1")
	claimA, wait := claim(t, db, runA, "in_1")
	if claimA == nil {
		t.Fatal(wait)
	}
	if got, wait := claim(t, db, queue(t, db, a, "in_2"), "in_2"); got != nil || !strings.Contains(wait, "this job") {
		t.Fatalf("a second run of the job was let in (%q)", wait)
	}
	if got, wait := claim(t, db, queue(t, db, b, "in_2"), "in_2"); got == nil {
		t.Fatal(wait)
	}
	runC := queue(t, db, c, "in_2")
	if got, wait := claim(t, db, runC, "in_2"); got != nil || !strings.Contains(wait, "authorization") {
		t.Fatalf("a third run of the authorization was let in (%q)", wait)
	}
	runA.Status = jobs.StatusSucceeded
	if err := db.FinishRun(t.Context(), claimA, runA); err != nil {
		t.Fatal(err)
	}
	if got, wait := claim(t, db, runC, "in_2"); got == nil {
		t.Fatal(wait)
	}
}

// expire makes a run's lease end, as silence would.
func expire(t *testing.T, db *store.DB, run jobs.Run) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE runs SET lease_until = 1 WHERE id = ?`, run.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checklist 38 39
func TestADeadOwnersRunIsTakenOverAndItsOwnerCanNeverWriteAgain(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	j := job(t, db, authorization(t, db).ID, "a")
	dead := queue(t, db, j, "in_dead")
	held, _ := claim(t, db, dead, "in_dead")
	next := queue(t, db, j, "in_next")
	if got, _ := claim(t, db, next, "in_next"); got != nil {
		t.Fatal("a live owner's run was taken")
	}
	expire(t, db, dead)
	got, wait := claim(t, db, next, "in_next")
	if got == nil {
		t.Fatal(wait)
	}
	if _, err := db.BeatRun(t.Context(), held, dead); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the old owner beat on: %v", err)
	}
	err := db.Write(t.Context(), func(tx *store.Tx) error { return store.Fence(t.Context(), tx, held) })
	if !errors.Is(err, store.ErrFenced) {
		t.Errorf("the old owner passed the fence: %v", err)
	}
	if err := db.FinishRun(t.Context(), held, dead); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the old owner finished the run: %v", err)
	}
	was, err := db.Run(t.Context(), dead.ID)
	if err != nil || was.Status != jobs.StatusFailed || was.Error == "" {
		t.Errorf("the dead run is %+v, %v", was, err)
	}
	if err := db.Write(t.Context(), func(tx *store.Tx) error { return store.Fence(t.Context(), tx, got) }); err != nil {
		t.Errorf("the new owner is fenced: %v", err)
	}
}

func TestACancelReachesTheOwnerAtItsHeartbeat(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	run := queue(t, db, job(t, db, authorization(t, db).ID, "a"), "in_1")
	c, _ := claim(t, db, run, "in_1")
	run.Status = jobs.StatusRunning
	if asked, err := db.BeatRun(t.Context(), c, run); err != nil || asked {
		t.Fatalf("asked %v, %v", asked, err)
	}
	if err := db.RequestCancel(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if asked, err := db.BeatRun(t.Context(), c, run); err != nil || !asked {
		t.Fatalf("asked %v, %v", asked, err)
	}
}

// checklist 9
func TestACursorOfAnUnknownFormIsRefused(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	put := func(f func(tx *store.Tx) error) {
		t.Helper()
		if err := db.Write(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	mark := int64(7)
	put(func(tx *store.Tx) error {
		return store.PutCursor(t.Context(), tx, "k", store.Cursor{Generation: 1, Columns: []string{"a"}, Watermark: &mark})
	})
	got, err := db.Cursor(t.Context(), "k")
	if err != nil || got == nil || *got.Watermark != 7 {
		t.Fatalf("got %+v, %v", got, err)
	}
	put(func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE cursors SET state = replace(state, '"version":1', '"version":99')`)
		return err
	})
	if _, err := db.Cursor(t.Context(), "k"); !jobs.IsCode(err, jobs.CodeStore) {
		t.Fatalf("got %v", err)
	}
	if none, err := db.Cursor(t.Context(), "other"); err != nil || none != nil {
		t.Fatalf("got %+v, %v", none, err)
	}
}

func TestTiesAddUpUntilTheWatermarkMoves(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	add := func(reset bool, sent map[string]int64) {
		t.Helper()
		if err := db.Write(t.Context(), func(tx *store.Tx) error { return store.AddTies(t.Context(), tx, "k", reset, sent) }); err != nil {
			t.Fatal(err)
		}
	}
	add(true, map[string]int64{"a": 1, "b": 2})
	add(false, map[string]int64{"b": 3, "c": 1})
	got, err := db.Ties(t.Context(), "k", "b", "c")
	if err != nil || len(got) != 2 || got["b"] != 5 || got["c"] != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
	add(true, map[string]int64{"z": 1})
	if got, err := db.Ties(t.Context(), "k", "", "zz"); err != nil || len(got) != 1 {
		t.Fatalf("got %v, %v", got, err)
	}
}

func TestConfirmedAuthorizationsAreNotUpForAdoption(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	auth := authorization(t, db)
	if all, err := db.UnconfirmedAuthorizations(t.Context()); err != nil || len(all) != 1 || all[0].TokenVersion != 3 {
		t.Fatalf("got %v, %v", all, err)
	}
	if err := db.Confirm(t.Context(), auth.ID); err != nil {
		t.Fatal(err)
	}
	if all, err := db.UnconfirmedAuthorizations(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("got %v, %v", all, err)
	}
}

func TestACancelledContextWritesNothing(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Beat(ctx, store.Instance{ID: "in_x", Kind: store.KindApply}); err == nil {
		t.Fatal("no error")
	}
	if alive, err := db.Alive(t.Context(), "in_x"); err != nil || alive {
		t.Fatalf("alive %v, %v", alive, err)
	}
}

// A directory whose name means something in a URI is a directory like others.
func TestAnyDirectoryNameWillDo(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a#b", "50%20", "what", "a b"} {
		dir := filepath.Join(t.TempDir(), name)
		id := open(t, dir).ID()
		if _, err := os.Stat(filepath.Join(dir, "lytics.db")); err != nil {
			t.Fatalf("%q: the store is elsewhere: %v", name, err)
		}
		if again := open(t, dir).ID(); again != id {
			t.Fatalf("%q: opened again it is another store", name)
		}
	}
}

func TestACancelledWriteDoesNotBlameTheStore(t *testing.T) {
	t.Parallel()
	db := open(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	inside := db.Write(ctx, func(*store.Tx) error { cancel(); return nil })
	before := db.Write(ctx, func(*store.Tx) error { return nil })
	for _, err := range []error{inside, before} {
		if !errors.Is(err, context.Canceled) || jobs.IsCode(err, jobs.CodeStore) {
			t.Errorf("got %v", err)
		}
	}
}
