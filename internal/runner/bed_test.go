package runner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// bed is one store that processes come to and go from.
type bed struct {
	t    testing.TB
	dir  string
	work func(ctx context.Context, job jobs.Job, p engine.Progress) error
	// limit is max_runs_per_authorization.
	limit int
	made  atomic.Int64
}

func newBed(t testing.TB) *bed {
	t.Helper()
	return &bed{t: t, dir: t.TempDir(), work: func(context.Context, jobs.Job, engine.Progress) error { return nil }}
}

// engine is another process on the store.
func (b *bed) engine() *engine.Engine {
	return engine.New(engine.Options{
		DataDir: filepath.Join(b.dir, "data"), EncryptionKeyFile: filepath.Join(b.dir, "keys", "key"), AllowPrivateHosts: true,
		Getenv: func(string) string { return "" }, Work: b.work, MaxRunsPerAuthorization: b.limit,
		Name: fmt.Sprintf("host-%d", b.made.Add(1)),
	})
}

// apply is a process of Terraform, until the test ends.
func (b *bed) apply() *engine.Engine {
	e := b.engine()
	b.t.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return e
}

// runner begins a runner, and gives what stops it in good order.
func (b *bed) runner(c runner.Config) (r *runner.Runner, stop func()) {
	b.t.Helper()
	e := b.engine()
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r, err := runner.New(e, c)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(r.Run(ctx), e.Close()) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
	b.t.Cleanup(stop)
	return r, stop
}

func (b *bed) authorize(e jobs.API) jobs.Authorization {
	b.t.Helper()
	token := jobs.NewSecret("dapi-1")
	a, err := e.CreateAuthorization(context.Background(), jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/a"}})
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *bed) job(e jobs.API, auth, table string, change func(*jobs.JobSpec)) jobs.Job {
	b.t.Helper()
	s := jobs.JobSpec{Label: table, AuthorizationID: auth, QueryTimeout: time.Minute, Import: &jobs.TableImport{
		Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts"}}
	if change != nil {
		change(&s)
	}
	j, err := e.CreateJob(context.Background(), s)
	if err != nil {
		b.t.Fatal(err)
	}
	return j
}

func atOnce(s *jobs.JobSpec) {
	s.Schedule = &jobs.Schedule{Frequency: jobs.Hourly, StartImmediately: true}
}

// eventually waits for something that other processes do.
func eventually(t testing.TB, what string, limit time.Duration, f func() bool) {
	t.Helper()
	for begun := time.Now(); !f(); {
		if time.Since(begun) > limit {
			t.Fatalf("not within %s: %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *bed) runs(e jobs.API, job string) []jobs.Run {
	b.t.Helper()
	all, err := e.ListRuns(context.Background(), jobs.RunFilter{JobID: job, Limit: 10000})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}
