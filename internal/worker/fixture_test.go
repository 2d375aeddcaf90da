package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// canary is a secret that no file of the operating system and no record may show.
const canary = "canary-token-9f31c7"

// fixture is a store with a runner and its workers.
type fixture struct {
	t *testing.T
	settings
	apply *engine.Engine
	pool  *worker.Pool
	// served is what the runner's API serves.
	served jobs.API
	auth   jobs.Authorization
	pids   pids
	// stop stops the runner, and then its workers.
	stop func()
}

// newFixture starts a runner on SQLite. A warehouse is needed where the runs are really
// executed.
func newFixture(t *testing.T, warehouse *sandboxtest.Sandbox, change ...func(*worker.Config)) *fixture {
	t.Helper()
	s := settings{Dir: t.TempDir(), Work: warehouse == nil}
	if err := storetest.Create(filepath.Join(s.Dir, "data")); err != nil {
		t.Fatal(err)
	}
	return newFixtureOn(t, s, warehouse, change...)
}

// newFixtureOn starts a runner on a store.
func newFixtureOn(t *testing.T, s settings, warehouse *sandboxtest.Sandbox, change ...func(*worker.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, settings: s}
	f.apply = engine.New(f.options())
	t.Cleanup(func() {
		if err := f.apply.Close(); err != nil {
			t.Error(err)
		}
	})
	f.authorize(warehouse)
	c := poolConfig(t, s)
	c.Log = slog.New(&f.pids)
	for _, set := range change {
		set(&c)
	}
	f.pool = worker.NewPool(c)
	o := f.options()
	o.Workers = f.pool
	e := engine.New(o)
	r, err := runner.New(e, runner.Config{MaxRuns: 8, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	f.served = r.API()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- errors.Join(r.Run(ctx), e.Close(), f.pool.Close()) }()
	f.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(f.stop)
	eventually(t, "a runner that is ready", func() bool { return r.Ready(httptest.NewRequest(http.MethodGet, "/readyz", nil)) == nil })
	return f
}

func poolConfig(t *testing.T, s settings) worker.Config {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return worker.Config{
		Command: worker.Command(os.Executable, workerArgument), Version: version,
		Setup: worker.Setup{Settings: text, Environment: os.Environ(), MemoryMB: 512},
	}
}

func (f *fixture) authorize(warehouse *sandboxtest.Sandbox) {
	f.t.Helper()
	spec := jobs.AuthorizationSpec{Label: "warehouse", Host: "http://127.0.0.1", Port: 1, HTTPPath: "/sql/1.0/warehouses/a"}
	token := jobs.NewSecret(canary)
	if warehouse != nil {
		spec.Host, spec.Port, spec.HTTPPath = warehouse.Host, warehouse.Port, warehouse.HTTPPath
		token = jobs.NewSecret(warehouse.Token)
	}
	var err error
	f.auth, err = f.apply.CreateAuthorization(f.t.Context(), jobs.AuthorizationChange{Token: &token, AuthorizationSpec: spec})
	if err != nil {
		f.t.Fatal(err)
	}
}

// start creates an import of a table into a stream of the same name, and asks for a run.
func (f *fixture) start(table string) jobs.Run {
	f.t.Helper()
	j, err := f.apply.CreateJob(f.t.Context(), jobs.JobSpec{Label: table, AuthorizationID: f.auth.ID, QueryTimeout: time.Hour, Import: &jobs.TableImport{
		Catalog: "main", Database: "sales", Table: table, TimestampColumn: "ts", Stream: table, BatchSize: 1000}})
	if err != nil {
		f.t.Fatal(err)
	}
	run, err := f.apply.StartRun(f.t.Context(), j.ID, jobs.ReasonApply)
	if err != nil {
		f.t.Fatal(err)
	}
	return run
}

// ended waits for the end of a run.
func (f *fixture) ended(id string) jobs.Run {
	f.t.Helper()
	run, err := f.apply.WaitRun(context.WithoutCancel(f.t.Context()), id, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return run
}

// running waits until the work of a run has begun in a worker.
func (f *fixture) running(id string) jobs.Run {
	f.t.Helper()
	var run jobs.Run
	eventually(f.t, "a run that works", func() bool {
		var err error
		if run, err = f.apply.Run(f.t.Context(), id); err != nil || !run.Status.Active() {
			f.t.Fatalf("%+v, %v", run, err)
		}
		return run.Status == jobs.StatusRunning
	})
	return run
}

func (f *fixture) log(id string) string {
	f.t.Helper()
	lines, err := f.apply.RunLog(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	var all strings.Builder
	for _, l := range lines {
		all.WriteString(l.Level + " " + l.Message + "\n")
	}
	return all.String()
}

func (f *fixture) wantLog(id string, texts ...string) {
	f.t.Helper()
	log := f.log(id)
	for _, text := range texts {
		if !strings.Contains(log, text) {
			f.t.Errorf("the log does not contain %q:\n%s", text, log)
		}
	}
}

// pids collects the process ids of the workers from the log of their pool.
type pids struct {
	mu  sync.Mutex
	all []int
}

func (p *pids) Enabled(context.Context, slog.Level) bool { return true }
func (p *pids) WithAttrs([]slog.Attr) slog.Handler       { return p }
func (p *pids) WithGroup(string) slog.Handler            { return p }
func (p *pids) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "started a worker process" {
		r.Attrs(func(a slog.Attr) bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.all = append(p.all, int(a.Value.Int64()))
			return true
		})
	}
	return nil
}

// last returns the process id of the worker that was started last.
func (p *pids) last() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[len(p.all)-1]
}

func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
}
