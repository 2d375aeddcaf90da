package runner_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/staging"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store/storetest"
)

// fixture is a store and the processes that a test opens on it.
type fixture struct {
	t    testing.TB
	dir  string
	url  jobs.Secret
	work func(ctx context.Context, job jobs.Job, p engine.Progress) error
	// limit is the largest number of runs of one authorization at a time.
	limit int
	made  atomic.Int64
	// platform is the customer-data side; the zero value is the embedded platform.
	platform engine.Backend
	// staging is the bucket for the events of a store in PostgreSQL.
	staging *staging.S3Config
	once    sync.Once
	db      *store.DB
}

func newFixture(tb testing.TB) *fixture {
	tb.Helper()
	return &fixture{t: tb, dir: tb.TempDir(), work: func(context.Context, jobs.Job, engine.Progress) error { return nil }}
}

// onEachDatabase runs a test on SQLite and on PostgreSQL.
func onEachDatabase(t *testing.T, f func(t *testing.T, b *fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, newFixture(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		b := newFixture(t)
		b.url = jobs.NewSecret(storetest.URL(t))
		f(t, b)
	})
}

// engine opens another process on the store.
func (b *fixture) engine() *engine.Engine {
	if b.url.Empty() {
		if err := storetest.Create(filepath.Join(b.dir, "data")); err != nil {
			b.t.Fatal(err)
		}
	}
	return engine.New(engine.Options{
		DataDir: filepath.Join(b.dir, "data"), DatabaseURL: b.url, EncryptionKeyFile: filepath.Join(b.dir, "keys", "key"), AllowPrivateHosts: true,
		Getenv: func(string) string { return "" }, Work: b.work, Platform: b.platform, Staging: b.staging, MaxRunsPerAuthorization: b.limit,
		Name: fmt.Sprintf("host-%d", b.made.Add(1)),
	})
}

// apply opens a process that stands for terraform apply, until the test ends.
func (b *fixture) apply() *engine.Engine {
	e := b.engine()
	b.t.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.t.Error(err)
		}
	})
	return e
}

// runner starts a runner. stop shuts it down and waits for its end.
func (b *fixture) runner(c runner.Config) (r *runner.Runner, stop func()) {
	b.t.Helper()
	e := b.engine()
	if c.Log == nil {
		c.Log = slog.New(failOnStoreError{b.t})
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
	eventually(b.t, "a runner that is ready", func() bool {
		return r.Ready(httptest.NewRequest(http.MethodGet, "/readyz", nil)) == nil
	})
	return r, stop
}

// failOnStoreError fails the test if the runner logs an error about its store.
type failOnStoreError struct{ t testing.TB }

func (c failOnStoreError) Enabled(_ context.Context, level slog.Level) bool {
	return level >= slog.LevelError
}

func (c failOnStoreError) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "store") {
		r.Attrs(func(a slog.Attr) bool {
			c.t.Errorf("%s: %s", r.Message, a)
			return true
		})
	}
	return nil
}

func (c failOnStoreError) WithAttrs([]slog.Attr) slog.Handler { return c }

func (c failOnStoreError) WithGroup(string) slog.Handler { return c }

func (b *fixture) authorize(e jobs.API) jobs.Authorization {
	b.t.Helper()
	token := jobs.NewSecret("dapi-1")
	a, err := e.CreateAuthorization(context.Background(), jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: "dbc-1.cloud.databricks.com", Port: 443, HTTPPath: "/sql/1.0/warehouses/a"}})
	if err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *fixture) job(e jobs.API, auth, table string, change func(*jobs.JobSpec)) jobs.Job {
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

func startImmediately(s *jobs.JobSpec) {
	s.Schedule = &jobs.Schedule{Frequency: jobs.Hourly, StartImmediately: true}
}

// eventually polls until f returns true. Only the time-out of the test binary
// bounds it, because a busy machine may be slow.
func eventually(tb testing.TB, what string, f func() bool) {
	tb.Helper()
	for !f() {
		if t, ok := tb.(interface{ Deadline() (time.Time, bool) }); ok {
			if end, bounded := t.Deadline(); bounded && time.Until(end) < 10*time.Second {
				tb.Fatalf("the test binary is about to time out while waiting for: %s", what)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// store opens the database directly, for checks and changes that the API does
// not offer.
func (b *fixture) store() *store.DB {
	b.t.Helper()
	b.once.Do(func() {
		db, err := store.Open(context.Background(), store.Location{Dir: filepath.Join(b.dir, "data"), DatabaseURL: b.url}, false)
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { _ = db.Close() })
		b.db = db
	})
	return b.db
}

// sql executes a statement on the store.
func (b *fixture) sql(query string, args ...any) {
	b.t.Helper()
	err := b.store().Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.ExecContext(context.Background(), query, args...)
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *fixture) count(query string) (n int) {
	b.t.Helper()
	if err := b.store().Read().QueryRowContext(context.Background(), query).Scan(&n); err != nil {
		b.t.Fatal(err)
	}
	return n
}

// onlyRun waits until the only run of a job has the status, and returns it.
func (b *fixture) onlyRun(e jobs.API, job string, status jobs.Status) (run jobs.Run) {
	b.t.Helper()
	eventually(b.t, "one run, "+string(status), func() bool {
		all := b.runs(e, job)
		if len(all) == 1 {
			run = all[0]
		}
		return run.Status == status
	})
	return run
}

func (b *fixture) wantLog(e jobs.API, run, text string) {
	b.t.Helper()
	lines, err := e.RunLog(context.Background(), run)
	if err != nil {
		b.t.Fatal(err)
	}
	var all strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&all, "%s %s\n", l.Level, l.Message)
	}
	if !strings.Contains(all.String(), text) {
		b.t.Errorf("the log does not contain %q:\n%s", text, all.String())
	}
}

func (b *fixture) runs(e jobs.API, job string) []jobs.Run {
	b.t.Helper()
	all, err := e.ListRuns(context.Background(), jobs.RunFilter{JobID: job, Limit: 10000})
	if err != nil {
		b.t.Fatal(err)
	}
	return all
}
