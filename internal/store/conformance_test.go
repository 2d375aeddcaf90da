//nolint:thelper // the functions given to onEachDatabase are the bodies of subtests
package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// onEachDatabase runs a test on a new store of each database.
func onEachDatabase(t *testing.T, f func(t *testing.T, db *store.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, open(t, filepath.Join(t.TempDir(), "data")))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, openAt(t, store.Location{DatabaseURL: jobs.NewSecret(storetest.URL(t))}))
	})
}

// atEachLocation runs a test with an empty location of each database.
func atEachLocation(t *testing.T, f func(t *testing.T, at store.Location)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, store.Location{Dir: filepath.Join(t.TempDir(), "data")})
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, store.Location{DatabaseURL: jobs.NewSecret(pgtest.URL(t))})
	})
}

func open(t *testing.T, dir string) *store.DB {
	t.Helper()
	return openAt(t, store.Location{Dir: dir})
}

func openAt(t *testing.T, at store.Location) *store.DB {
	t.Helper()
	db, err := storetest.Open(t.Context(), at)
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

func TestAJobIsReadBackUnchanged(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
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
	})
}

func TestOneJobForEachKey(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		auth := authorization(t, db).ID
		first := job(t, db, auth, "customers")
		second := first
		second.ID = store.NewID("job")
		err := db.PutJob(t.Context(), second)
		if !jobs.IsCode(err, jobs.CodeConflict) || !strings.Contains(err.Error(), first.ID) {
			t.Fatalf("got %v", err)
		}
	})
}

func TestAnAuthorizationInUseIsNotRemovedAndNamesItsUsers(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
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
	})
}

func TestConfirmedAuthorizationsCannotBeAdopted(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
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
	})
}

func TestACancelledContextWritesNothing(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := db.Beat(ctx, store.Instance{ID: "in_x", Kind: store.KindApply}); err == nil {
			t.Fatal("no error")
		}
		if alive, err := db.Alive(t.Context(), "in_x"); err != nil || alive {
			t.Fatalf("alive %v, %v", alive, err)
		}
	})
}

func TestACancelledWriteDoesNotBlameTheStore(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, db *store.DB) {
		ctx, cancel := context.WithCancel(t.Context())
		inside := db.Write(ctx, func(*store.Tx) error { cancel(); return nil })
		before := db.Write(ctx, func(*store.Tx) error { return nil })
		for _, err := range []error{inside, before} {
			if !errors.Is(err, context.Canceled) || jobs.IsCode(err, jobs.CodeStore) {
				t.Errorf("got %v", err)
			}
		}
	})
}

// checklist 59
func TestProcessesThatOpenANewStoreAtOnceShareIt(t *testing.T) {
	t.Parallel()
	atEachLocation(t, func(t *testing.T, at store.Location) {
		ids := make([]string, 8)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() {
				db, err := store.Open(t.Context(), at, true)
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
	})
}

// Writes through the pgx transaction belong to the transaction of Write.
func TestPostgresTransactionsAreNestedInWrite(t *testing.T) {
	t.Parallel()
	db := openAt(t, store.Location{DatabaseURL: jobs.NewSecret(storetest.URL(t))})
	ctx := t.Context()
	refused := errors.New("refused")
	for _, end := range []error{refused, nil} {
		err := db.Write(ctx, func(tx *store.Tx) error {
			for _, keep := range []bool{true, false} {
				inner, err := tx.Postgres().Begin(ctx)
				if err != nil {
					return err
				}
				if _, err := inner.Exec(ctx, `INSERT INTO cursors (key, state, updated_at) VALUES ($1, '', 0)`, map[bool]string{true: "kept", false: "dropped"}[keep]); err != nil {
					return err
				}
				if keep {
					err = inner.Commit(ctx)
				} else {
					err = inner.Rollback(ctx)
				}
				if err != nil {
					return err
				}
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Fatal(err)
		}
		var keys string
		if err := db.Read().QueryRowContext(ctx, `SELECT coalesce(string_agg(key, ','), '') FROM cursors`).Scan(&keys); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "kept", false: ""}[end == nil]; keys != want {
			t.Fatalf("after Write's function returned %v: got the keys %q, want %q", end, keys, want)
		}
	}
}
