package runner

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// metrics are the metrics of this process and, read at each scrape, of the
// store.
type metrics struct {
	registry    *prometheus.Registry
	runs        *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	rows        *prometheus.CounterVec
	startLag    prometheus.Histogram
	scheduleLag prometheus.Histogram
	leaseLosses prometheus.Counter
	takeovers   prometheus.Counter
	storeErrors prometheus.Counter
	alerts      *prometheus.CounterVec
	// jobs is nil if the configuration leaves the metrics of single jobs out.
	jobs *jobMetrics
}

var lagBuckets = []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600}

func newMetrics(r *Runner) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lytics_runs_total",
			Help: "Runs that this runner executed, by resulting status: queued means handed over, or to be attempted again.",
		}, []string{"status", "reason"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "lytics_run_duration_seconds",
			Help:    "Time from the start of a run's first attempt to its end.",
			Buckets: prometheus.ExponentialBuckets(1, 2.5, 12),
		}, []string{"status"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lytics_rows_total", Help: "Rows that ended runs read and wrote.",
		}, []string{"direction"}),
		startLag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "lytics_run_start_lag_seconds", Help: "Time from a run's planned time to its start.", Buckets: lagBuckets,
		}),
		scheduleLag: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "lytics_schedule_lag_seconds", Help: "Time from a schedule's due time to the queueing of its run.", Buckets: lagBuckets,
		}),
		leaseLosses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lytics_lease_losses_total", Help: "Runs that this runner lost to another process while it executed them.",
		}),
		takeovers: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lytics_takeovers_total", Help: "Runs that this runner took over from lost processes.",
		}),
		storeErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "lytics_store_errors_total", Help: "Failed reads and writes of the store.",
		}),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lytics_alerts_total", Help: "Delivery attempts of alerts, by result.",
		}, []string{"result"}),
	}
	for _, result := range []string{alertDelivered, alertFailed, alertGivenUp} {
		m.alerts.WithLabelValues(result)
	}
	if !r.config.Metrics.WithoutJobs {
		m.jobs = newJobMetrics(r.config.Metrics)
	}
	m.registry.MustRegister(m.runs, m.duration, m.rows, m.startLag, m.scheduleLag, m.leaseLosses, m.takeovers, m.storeErrors, m.alerts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "lytics_runs_executing", Help: "Runs that this runner is executing.",
		}, func() float64 { return float64(r.engine.Active()) }),
		buildInfo(r.config.Version), &storeFigures{runner: r, metrics: m})
	return m
}

// buildInfo is always 1; its labels say which build this is.
func buildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "lytics_build_info", Help: "The release of this runner, and the Go version that it was built with.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	}, func() float64 { return 1 })
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

func (m *metrics) observeStart(run jobs.Run) {
	if run.PlannedAt != nil && run.StartedAt != nil && run.Attempt == 1 {
		m.startLag.Observe(max(0, run.StartedAt.Sub(*run.PlannedAt).Seconds()))
	}
}

func (m *metrics) observeEnd(run jobs.Run) {
	m.runs.WithLabelValues(string(run.Status), string(run.Reason)).Inc()
	if run.Status.Active() || run.StartedAt == nil {
		return
	}
	seconds := max(0, time.Since(*run.StartedAt).Seconds())
	m.duration.WithLabelValues(string(run.Status)).Observe(seconds)
	m.rows.WithLabelValues("read").Add(float64(run.RowsRead))
	m.rows.WithLabelValues("written").Add(float64(run.RowsWritten))
	if m.jobs != nil {
		m.jobs.observe(run, seconds)
	}
}

// storeFigures collects the metrics of the store at each scrape.
type storeFigures struct {
	runner  *Runner
	metrics *metrics
}

var (
	runsNow = prometheus.NewDesc("lytics_store_runs", "Runs of the store that have not ended, by status.", []string{"status"}, nil)
	jobsNow = prometheus.NewDesc("lytics_store_jobs", "Jobs of the store, by whether their schedule is paused.", []string{"paused"}, nil)
	lagNow  = prometheus.NewDesc(
		"lytics_store_due_lag_seconds",
		"How long the longest overdue schedule has been due; 0 if none is due.",
		nil,
		nil,
	)
	fleet = prometheus.NewDesc("lytics_store_runners", "Runners that are connected to the store.", nil, nil)
)

// Describe implements prometheus.Collector.
func (f *storeFigures) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{runsNow, jobsNow, lagNow, fleet} {
		ch <- d
	}
	if f.metrics.jobs != nil {
		f.metrics.jobs.describe(ch)
	}
}

// scrapeTimeout bounds the queries of a scrape.
const scrapeTimeout = 5 * time.Second

// Collect implements prometheus.Collector.
func (f *storeFigures) Collect(ch chan<- prometheus.Metric) {
	db := f.runner.db.Load()
	if db == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s, err := db.Figures(ctx)
	if err != nil {
		f.metrics.storeErrors.Inc()
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, status := range []jobs.Status{jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning} {
		gauge(runsNow, float64(s.Runs[status]), string(status))
	}
	gauge(jobsNow, float64(s.Jobs-s.Paused), "false")
	gauge(jobsNow, float64(s.Paused), "true")
	gauge(lagNow, s.DueLag.Seconds())
	gauge(fleet, float64(s.Runners))
	m := f.metrics
	if m.jobs == nil {
		return
	}
	all, err := db.JobFigures(ctx, m.jobs.max)
	if err != nil {
		m.storeErrors.Inc()
		return
	}
	m.jobs.collect(ch, all, s.Jobs)
}
