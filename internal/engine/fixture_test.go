package engine_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// work replaces the work of a run.
type work = func(ctx context.Context, job jobs.Job, p engine.Progress) error

// succeed is work that succeeds immediately.
func succeed(context.Context, jobs.Job, engine.Progress) error { return nil }

// blocked is work that sends to started, and then blocks until its run is
// stopped.
func blocked(started chan<- string) work {
	return func(ctx context.Context, job jobs.Job, _ engine.Progress) error {
		started <- job.ID
		<-ctx.Done()
		return ctx.Err()
	}
}

// process opens an engine on the store in dir, as another process would, and
// creates the store if there is none. Its runs do w.
func process(t *testing.T, dir string, w work, set ...func(*engine.Options)) *engine.Engine {
	t.Helper()
	if err := storetest.Create(dataDir(dir)); err != nil {
		t.Fatal(err)
	}
	return processWithoutStore(t, dir, w, set...)
}

func dataDir(dir string) string { return filepath.Join(dir, "data") }

// processWithoutStore is process, but leaves it to the engine to create the store.
func processWithoutStore(t *testing.T, dir string, w work, set ...func(*engine.Options)) *engine.Engine {
	t.Helper()
	o := engine.Options{
		DataDir: dataDir(dir), EncryptionKeyFile: filepath.Join(dir, "keys", "key"), AllowPrivateHosts: true,
		Getenv: func(string) string { return "" }, Work: w, Name: "host",
	}
	for _, f := range set {
		f(&o)
	}
	e := engine.New(o)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// serve opens an engine that is a runner on the store in dir. It also returns
// the store.
func serve(t *testing.T, dir string, w work, set ...func(*engine.Options)) (*engine.Engine, *store.DB) {
	t.Helper()
	r := process(t, dir, w, set...)
	db, err := r.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r, db
}

// createJob creates an authorization and an import of a table.
func createJob(t *testing.T, e *engine.Engine, table string) jobs.Job {
	t.Helper()
	j, err := e.CreateJob(t.Context(), importSpec(authorize(t, e).ID, table))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func start(t *testing.T, e *engine.Engine, job jobs.Job, reason jobs.Reason) jobs.Run {
	t.Helper()
	run, err := e.StartRun(t.Context(), job.ID, reason)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// execute executes a shared run, and fails the test if the run was not
// executed.
func execute(t *testing.T, r *engine.Engine, runID string) jobs.Run {
	t.Helper()
	run, executed, err := r.ExecuteRun(t.Context(), runID, func(jobs.Run) {})
	if err != nil || !executed {
		t.Fatalf("executing run %s: got executed %t and error %v, want true and none", runID, executed, err)
	}
	return run
}

// eventually polls a condition until it is true. Only the time-out of the test
// binary bounds it.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		<-tick.C
	}
}

func stored(t *testing.T, db *store.DB, runID string) jobs.Run {
	t.Helper()
	run, err := db.Run(t.Context(), runID)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// exec changes the database directly.
func exec(t *testing.T, db *store.DB, query string, args ...any) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
