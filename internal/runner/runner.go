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
	// MaxRuns bounds the runs that this process executes at the same time; 0
	// means DefaultMaxRuns.
	MaxRuns int
	// Alerts configures alerts; the zero value sends none.
	Alerts AlertConfig
	// Metrics configures the metrics of single jobs.
	Metrics MetricsConfig
	// Version is the release of this build, for its metric.
	Version string
	// AllowPrivateHosts lets alerts go to private and loopback addresses.
	AllowPrivateHosts bool
	// Retention is how long ended runs are kept; 0 means DefaultRetention. The
	// latest run of each job is always kept.
	Retention time.Duration
	// AuditRetention is how long the audit log is kept; 0 means
	// DefaultAuditRetention.
	AuditRetention time.Duration
	// Services are further services, such as HTTP servers. They start after the
	// store is open, and stop first.
	Services []Service
	// Log is the runner's log; nil means slog.Default.
	Log *slog.Logger

	// clock is River's clock; tests make it wrong.
	clock rivertype.TimeGenerator
	// withoutSweeper turns the sweeper off, so that a test sees what works
	// without it.
	withoutSweeper bool
}

// The defaults of a Config.
const (
	DefaultMaxRuns   = 100
	DefaultRetention = 90 * 24 * time.Hour
	// DefaultAuditRetention is that of embedded use.
	DefaultAuditRetention = store.DefaultAuditRetention
)

// Runner plans and executes the runs of one store.
type Runner struct {
	engine  *engine.Engine
	config  Config
	log     *slog.Logger
	metrics *metrics
	sched   *scheduler
	alerts  *alerter
	// db is set while the runner serves.
	db atomic.Pointer[store.DB]
}

// New returns a Runner on an engine that was not used yet. The caller closes
// the engine after Run.
func New(e *engine.Engine, c Config) (*Runner, error) {
	c.MaxRuns = cmp.Or(c.MaxRuns, DefaultMaxRuns)
	c.Retention = cmp.Or(c.Retention, DefaultRetention)
	c.AuditRetention = cmp.Or(c.AuditRetention, DefaultAuditRetention)
	c.Log = cmp.Or(c.Log, slog.Default())
	r := &Runner{engine: e, config: c, log: slog.New(runHandler{c.Log.Handler()}).With("instance", e.Instance())}
	r.metrics = newMetrics(r)
	var err error
	if r.alerts, err = newAlerter(c.Alerts, c.AllowPrivateHosts, r.log, r.metrics); err != nil {
		return nil, err
	}
	return r, nil
}

// Run serves until ctx ends, and then hands over the runs in progress. It
// returns an error early if the store is damaged or a service fails.
func (r *Runner) Run(ctx context.Context) error {
	err := r.run(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // stopped during the start
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
		keepAudit: r.config.AuditRetention,
		keepRows:  r.engine.QuarantineKeep(),
		log:       r.log,
		metrics:   r.metrics,
	}
	r.db.Store(db)
	defer r.db.Store(nil)
	warnings, err := r.engine.Warnings(ctx)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		r.log.WarnContext(ctx, w.String())
	}
	r.log.InfoContext(ctx, "runner started", "store", db.ID(), "max_runs", r.config.MaxRuns)
	services := []Service{{Name: "queue", Run: q.run}, {Name: "scheduler", Run: r.sched.run}, {Name: "alerts", Run: r.alerts.run}}
	if !r.config.withoutSweeper {
		services = append(services, Service{Name: "sweeper", Run: sweep.run})
	}
	err = serve(ctx, r.log, append(services, r.config.Services...))
	r.log.InfoContext(context.WithoutCancel(ctx), "runner stopped", "error", errorText(err))
	return err
}

// execute executes a run that River delivered.
func (r *Runner) execute(ctx context.Context, runID string) error {
	ctx = jobs.WithRun(ctx, jobs.RunRef{RunID: runID})
	run, executed, err := r.engine.ExecuteRun(ctx, runID, func(run jobs.Run) {
		r.metrics.observeStart(run)
		r.log.InfoContext(ctx, "run started", "run", run.ID, "job", run.JobID, "reason", run.Reason, "attempt", run.Attempt)
	})
	if errors.Is(err, store.ErrFenced) {
		r.metrics.leaseLosses.Inc()
	}
	if executed {
		r.metrics.observeEnd(run)
		r.logEnd(ctx, run)
		r.sched.wake()
		r.alerts.wake()
	}
	if ctx.Err() == nil && !errors.Is(err, store.ErrFenced) {
		return err
	}
	return nil // another process executes the run, or will
}

func (r *Runner) logEnd(ctx context.Context, run jobs.Run) {
	level := slog.LevelInfo
	if run.Status == jobs.StatusFailed {
		level = slog.LevelError
	}
	r.log.Log(
		context.WithoutCancel(ctx),
		level,
		"run ended or was handed over",
		"run",
		run.ID,
		"job",
		run.JobID,
		"status",
		run.Status,
		"attempt",
		run.Attempt,
		"rows_read",
		run.RowsRead,
		"rows_written",
		run.RowsWritten,
		"error",
		run.Failure.String(),
	)
}

// API returns the jobs.API of the runner's store.
func (r *Runner) API() engine.Audited { return engine.Audited{Engine: r.engine} }

// Metrics serves the runner's metrics for Prometheus.
func (r *Runner) Metrics() http.Handler { return r.metrics.handler() }

// Registry registers further metrics, such as those of an HTTP server.
func (r *Runner) Registry() prometheus.Registerer { return r.metrics.registry }

// readyTimeout bounds the check of the store in Ready.
const readyTimeout = 5 * time.Second

// Ready returns nil if the runner serves and can write to its store; otherwise
// the error says why it cannot accept work.
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
		return errors.New("the store has no recent heartbeat of this runner: the runner cannot write to the store")
	}
	return nil
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
