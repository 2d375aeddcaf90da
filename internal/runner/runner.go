package runner

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river/rivertype"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Config configures a Runner.
type Config struct {
	// MaxRuns bounds the runs that this process executes at once: DefaultMaxRuns
	// when 0.
	MaxRuns int
	// Alerts says whom to tell of failures; its zero value tells nobody.
	Alerts AlertConfig
	// AllowPrivateHosts lets alerts go to private and loopback addresses.
	AllowPrivateHosts bool
	// Retention is how long runs that ended are kept, besides each job's latest:
	// DefaultRetention when 0.
	Retention time.Duration
	// Services run beside the runner's own, such as HTTP servers; they begin
	// when the store is open, and end first.
	Services []Service
	// Log takes what happens: slog.Default when nil.
	Log *slog.Logger

	// clock is this machine's, as River reads it; tests set it wrong.
	clock rivertype.TimeGenerator
	// withoutSweeper leaves the sweeper out, so that a test sees what works
	// without it.
	withoutSweeper bool
}

// The defaults of a Config.
const (
	DefaultMaxRuns   = 100
	DefaultRetention = 90 * 24 * time.Hour
)

// Runner is the daemon on one store.
type Runner struct {
	engine  *engine.Engine
	config  Config
	log     *slog.Logger
	metrics *metrics
	sched   *scheduler
	alerts  *alerter
	// db is set once the runner serves.
	db atomic.Pointer[store.DB]
}

// New makes a Runner of an engine that nothing was asked of yet. The engine
// stays the caller's to close, after Run.
func New(e *engine.Engine, c Config) (*Runner, error) {
	c.MaxRuns = cmp.Or(c.MaxRuns, DefaultMaxRuns)
	c.Retention = cmp.Or(c.Retention, DefaultRetention)
	c.Log = cmp.Or(c.Log, slog.Default())
	r := &Runner{engine: e, config: c, log: c.Log.With("instance", e.Instance())}
	r.metrics = newMetrics(r)
	var err error
	if r.alerts, err = newAlerter(c.Alerts, c.AllowPrivateHosts, r.log, r.metrics); err != nil {
		return nil, err
	}
	return r, nil
}

// Run serves until ctx ends, and hands over what it executes then. It returns
// early, with the reason, when the store is damaged or a service fails.
func (r *Runner) Run(ctx context.Context) error {
	err := r.run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // it was stopped while it began
	}
	return err
}

func (r *Runner) run(ctx context.Context) error {
	db, err := r.engine.Serve(ctx)
	if err != nil {
		return err
	}
	q, err := newQueue(ctx, db, queueConfig{
		id: r.engine.Instance(), workers: r.config.MaxRuns, log: r.log, execute: r.execute, clock: r.config.clock,
	})
	if err != nil {
		return err
	}
	db.SetEnqueue(q.insert)
	r.sched = newScheduler(db, r.log, r.metrics)
	r.alerts.db = db
	sweep := &sweeper{
		db:        db,
		queue:     q,
		limit:     r.engine.MaxRunsPerAuthorization(),
		retention: r.config.Retention,
		log:       r.log,
		metrics:   r.metrics,
	}
	r.db.Store(db)
	defer r.db.Store(nil)
	r.log.InfoContext(ctx, "runner started", "store", db.ID(), "max_runs", r.config.MaxRuns)
	services := []Service{{Name: "queue", Run: q.run}, {Name: "scheduler", Run: r.sched.run}, {Name: "alerts", Run: r.alerts.run}}
	if !r.config.withoutSweeper {
		services = append(services, Service{Name: "sweeper", Run: sweep.run})
	}
	err = serve(ctx, r.log, append(services, r.config.Services...))
	r.log.InfoContext(context.WithoutCancel(ctx), "runner stopped", "error", errorText(err))
	return err
}

// execute is what a worker does with a run that River brings.
func (r *Runner) execute(ctx context.Context, runID string) error {
	run, executed, err := r.engine.ExecuteRun(ctx, runID, func(run jobs.Run) {
		r.metrics.begun(run)
		r.log.InfoContext(ctx, "run began", "run", run.ID, "job", run.JobID, "reason", run.Reason, "attempt", run.Attempt)
	})
	if errors.Is(err, store.ErrFenced) {
		r.metrics.leaseLosses.Inc()
	}
	if executed {
		r.metrics.ended(run)
		r.logEnd(ctx, run)
		r.sched.lookNow()
		r.alerts.lookNow()
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrFenced) {
		return err
	}
	return nil // the run goes on elsewhere
}

func (r *Runner) logEnd(ctx context.Context, run jobs.Run) {
	level := slog.LevelInfo
	if run.Status == jobs.StatusFailed {
		level = slog.LevelError
	}
	r.log.Log(context.WithoutCancel(ctx), level, "run left off", "run", run.ID, "job", run.JobID, "status", run.Status, "attempt", run.Attempt,
		"rows_read", run.RowsRead, "rows_written", run.RowsWritten, "error", run.Failure.String())
}

// API is the jobs API on the runner's store.
func (r *Runner) API() jobs.API { return r.engine }

// Metrics serves the runner's figures for Prometheus.
func (r *Runner) Metrics() http.Handler { return r.metrics.handler() }

// Registry takes further figures, such as those of an HTTP server.
func (r *Runner) Registry() prometheus.Registerer { return r.metrics.registry }

// readyTimeout bounds the question whether the store can be written.
const readyTimeout = 5 * time.Second

// Ready returns nil when the runner serves and its store can be written, and
// else the reason why it should be sent no work.
func (r *Runner) Ready(req *http.Request) error {
	db := r.db.Load()
	if db == nil {
		return errors.New("the runner is starting or stopping")
	}
	ctx, cancel := context.WithTimeout(req.Context(), readyTimeout)
	defer cancel()
	beating, err := db.Beating(ctx, r.engine.Instance())
	if err != nil {
		return err
	}
	if !beating {
		return errors.New("the store has had no heartbeat of this runner for a while: it cannot be written")
	}
	return nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
