package engine_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// work stands in for what a run does.
type work = func(ctx context.Context, job jobs.Job, p engine.Progress) error

// nothing is work that succeeds at once.
func nothing(context.Context, jobs.Job, engine.Progress) error { return nil }

// blocked is work that lasts until its run is stopped, and tells started of it.
func blocked(started chan<- string) work {
	return func(ctx context.Context, job jobs.Job, _ engine.Progress) error {
		started <- job.ID
		<-ctx.Done()
		return ctx.Err()
	}
}

// process opens an engine as another process on the store of dir would, whose
// runs do w.
func process(t *testing.T, dir string, w work, set ...func(*engine.Options)) *engine.Engine {
	t.Helper()
	o := engine.Options{
		DataDir: filepath.Join(dir, "data"), EncryptionKeyFile: filepath.Join(dir, "keys", "key"), AllowPrivateHosts: true,
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

// serve opens an engine that is a runner on the store of dir, and its store.
func serve(t *testing.T, dir string, w work, set ...func(*engine.Options)) (*engine.Engine, *store.DB) {
	t.Helper()
	r := process(t, dir, w, set...)
	db, err := r.Serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r, db
}

// createJob makes an authorization and an import of a table.
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

// execute executes a shared run, which has to be executed.
func execute(t *testing.T, r *engine.Engine, runID string) jobs.Run {
	t.Helper()
	run, executed, err := r.ExecuteRun(t.Context(), runID, func(jobs.Run) {})
	if err != nil || !executed {
		t.Fatalf("executing run %s: got executed %t and error %v, want true and none", runID, executed, err)
	}
	return run
}

// eventually waits for a condition, for as long as the test binary may run.
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

// exec changes rows behind the engine's back.
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
