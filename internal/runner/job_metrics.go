package runner

import (
	"cmp"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// MetricsConfig configures the metrics of single jobs.
type MetricsConfig struct {
	// WithoutJobs leaves them out.
	WithoutJobs bool
	// MaxJobs is the number of jobs that have metrics of their own, the oldest ones; 0
	// means DefaultMetricsJobs.
	MaxJobs int
}

// DefaultMetricsJobs bounds a scrape to about 20,000 series.
const DefaultMetricsJobs = 1000

// jobSeries are what this process counted of one job.
type jobSeries struct {
	runs          map[jobs.Status]float64
	read, written float64
	rejected      float64
	seconds       float64
	ended         uint64
}

// jobMetrics are the metrics of single jobs. What the store knows is read at each
// scrape and is the same in every runner; what this process counted is added up over
// the runners by the reader.
type jobMetrics struct {
	max int

	mu     sync.Mutex
	counts map[string]*jobSeries
}

func newJobMetrics(c MetricsConfig) *jobMetrics {
	return &jobMetrics{max: cmp.Or(c.MaxJobs, DefaultMetricsJobs), counts: map[string]*jobSeries{}}
}

func jobDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, append([]string{"job_id"}, labels...), nil)
}

var (
	jobInfo    = jobDesc("lytics_job_info", "The jobs, with the label that their definition gives them, and their kind.", "name", "kind")
	jobSuccess = jobDesc("lytics_job_last_success_timestamp_seconds", "When the newest successful run of a job ended.")
	jobUpdated = jobDesc("lytics_job_updated_timestamp_seconds", "When the definition of a job was changed, or the job was paused or resumed.")
	jobWater   = jobDesc("lytics_job_watermark_timestamp_seconds",
		"The timestamp up to which an import has sent its rows: now less this value is the freshness of the job.")
	jobInterval = jobDesc("lytics_job_schedule_interval_seconds",
		"The longest time between two planned runs of a job; only jobs with a schedule that is not paused have it.")
	jobExpected = jobDesc("lytics_job_expected_every_seconds",
		"How often a run of a job is expected to succeed, by its definition; a job that is paused has none.")
	jobLastTime = jobDesc("lytics_job_last_run_duration_seconds", "How long the newest run of a job that ended took.")
	jobLastRows = jobDesc("lytics_job_last_run_rows", "Rows that the newest run of a job that ended read and wrote.", "direction")
	jobFailures = jobDesc("lytics_job_consecutive_failures", "Failed runs of a job since its newest successful run.")
	jobRejected = jobDesc("lytics_job_quarantined_rows", "Rows of a job that the platform rejected and the quarantine holds.")
	jobRuns     = jobDesc("lytics_job_runs_total", "Runs of a job that ended in this runner, by status.", "status")
	jobRows     = jobDesc("lytics_job_rows_total", "Rows of a job that runs which ended in this runner read, wrote and put into quarantine.",
		"direction")
	jobSeconds  = jobDesc("lytics_job_run_duration_seconds", "Durations of the runs of a job that ended in this runner.")
	jobsLeftOut = prometheus.NewDesc("lytics_store_jobs_without_metrics",
		"Jobs that have no metrics of their own, because the configuration bounds their number.", nil, nil)
)

func (m *jobMetrics) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{jobInfo, jobSuccess, jobUpdated, jobWater, jobInterval, jobExpected, jobLastTime, jobLastRows, jobFailures,
		jobRejected, jobRuns, jobRows, jobSeconds, jobsLeftOut} {
		ch <- d
	}
}

// observe counts a run that ended here.
func (m *jobMetrics) observe(run jobs.Run, seconds float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.counts[run.JobID]
	if s == nil {
		// A scrape removes the jobs that are deleted, so there is room again.
		if len(m.counts) >= m.max {
			return
		}
		s = &jobSeries{runs: map[jobs.Status]float64{}}
		m.counts[run.JobID] = s
	}
	s.runs[run.Status]++
	s.read += float64(run.RowsRead)
	s.written += float64(run.RowsWritten)
	s.rejected += float64(run.RowsRejected)
	s.seconds += seconds
	s.ended++
}

// endedStatuses are the states of a run that was executed, so that a job has all of its
// counters from the beginning.
var endedStatuses = []jobs.Status{jobs.StatusSucceeded, jobs.StatusFailed, jobs.StatusCancelled}

// collect sends the metrics of the jobs. total is the number of jobs in the store.
func (m *jobMetrics) collect(ch chan<- prometheus.Metric, all []store.JobFigures, total int64) {
	left := max(0, total-int64(len(all)))
	ch <- prometheus.MustNewConstMetric(jobsLeftOut, prometheus.GaugeValue, float64(left))
	for _, f := range all {
		m.collectFigures(ch, f)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := make(map[string]*jobSeries, len(m.counts))
	for _, f := range all {
		s := m.counts[f.Job.ID]
		if s == nil {
			s = &jobSeries{}
		} else {
			kept[f.Job.ID] = s
		}
		s.collect(ch, f.Job.ID)
	}
	m.counts = kept
}

func (m *jobMetrics) collectFigures(ch chan<- prometheus.Metric, f store.JobFigures) {
	id := f.Job.ID
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, append([]string{id}, labels...)...)
	}
	gauge(jobInfo, 1, strings.ToValidUTF8(f.Job.Label, "?"), string(f.Job.Kind()))
	gauge(jobUpdated, float64(f.Job.UpdatedAt.UnixMicro())/1e6)
	if f.LastSuccess != nil {
		gauge(jobSuccess, float64(f.LastSuccess.UnixMicro())/1e6)
	}
	if f.Cursor != nil && f.Job.Import != nil {
		// A document that cannot be read is the error of the job's runs.
		if at, err := importer.WatermarkOf(f.Job.Key, f.Cursor); err == nil && at != nil {
			gauge(jobWater, float64(at.UnixMicro())/1e6)
		}
	}
	if f.Job.Schedule != nil && !f.Job.Paused {
		gauge(jobInterval, f.Job.Schedule.Period().Seconds())
	}
	if every := f.Job.ExpectedEvery(); every > 0 && !f.Job.Paused {
		gauge(jobExpected, every.Seconds())
	}
	if r := f.Ended; r != nil && r.StartedAt != nil && r.FinishedAt != nil {
		gauge(jobLastTime, max(0, r.FinishedAt.Sub(*r.StartedAt).Seconds()))
		gauge(jobLastRows, float64(r.RowsRead), "read")
		gauge(jobLastRows, float64(r.RowsWritten), "written")
	}
	gauge(jobFailures, float64(f.Failures))
	gauge(jobRejected, float64(f.Quarantined))
}

func (s *jobSeries) collect(ch chan<- prometheus.Metric, id string) {
	counter := func(d *prometheus.Desc, v float64, label string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, id, label)
	}
	for _, status := range endedStatuses {
		counter(jobRuns, s.runs[status], string(status))
	}
	counter(jobRows, s.read, "read")
	counter(jobRows, s.written, "written")
	counter(jobRows, s.rejected, "quarantined")
	ch <- prometheus.MustNewConstSummary(jobSeconds, s.ended, s.seconds, nil, id)
}
