package runner

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// AlertConfig configures the webhook that receives alerts.
type AlertConfig struct {
	// URL receives a POST request for each alert; if empty, there are no alerts.
	// It must be https, unless private hosts are allowed.
	URL string
	// Format is the form of the requests; empty means AlertJSON.
	Format AlertFormat
	// Secret signs each request body, so that the receiver can verify the sender. Only
	// AlertJSON needs it.
	Secret jobs.Secret
	// RoutingKey is that of a service of PagerDuty, for AlertPagerDuty.
	RoutingKey jobs.Secret
	// StalePeriods is the number of schedule periods without a success after
	// which a job is stale; 0 means DefaultStalePeriods.
	StalePeriods int
}

// DefaultStalePeriods allows one failed run before a job is stale.
const DefaultStalePeriods = 2

const (
	// alertInterval is how often a runner checks the store for failed runs and
	// undelivered alerts.
	alertInterval = 5 * time.Second
	// staleInterval is how often the runners of a store check for stale jobs.
	staleInterval = time.Minute
	// alertHold is how long an alert is reserved for the runner that delivers it.
	alertHold = time.Minute
	// maxAlertAttempts is the number of delivery attempts, over about a day.
	maxAlertAttempts = 15
)

// The results of an attempt to deliver an alert, for its metric.
const (
	alertDelivered = "delivered"
	alertFailed    = "failed"
	alertGivenUp   = "given_up"
)

// alerter delivers alerts. Alerts are kept in the store, so that any runner can
// deliver them, each is delivered once, and none is lost when a runner dies.
type alerter struct {
	config  AlertConfig
	hook    *webhook
	log     *slog.Logger
	metrics *metrics
	db      *store.DB
	wakeups chan struct{}
}

func newAlerter(c AlertConfig, allowPrivate bool, log *slog.Logger, m *metrics) (*alerter, error) {
	c.StalePeriods = cmp.Or(c.StalePeriods, DefaultStalePeriods)
	a := &alerter{config: c, log: log, metrics: m, wakeups: make(chan struct{}, 1)}
	if c.URL == "" && c.Format == AlertPagerDuty {
		c.URL = PagerDutyURL
	}
	if err := c.check(); err != nil {
		return a, err
	}
	if c.URL == "" {
		return a, nil
	}
	var err error
	a.hook, err = newWebhook(c.URL, c.Secret, allowPrivate, http.ProxyFromEnvironment)
	return a, err
}

func (a *alerter) wake() {
	select {
	case a.wakeups <- struct{}{}:
	default:
	}
}

func (a *alerter) run(ctx context.Context) error {
	if a.hook == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(alertInterval)
	defer tick.Stop()
	var looked time.Time
	for {
		if time.Since(looked) >= staleInterval {
			looked = time.Now()
			a.try(ctx, a.findStale)
		}
		a.try(ctx, a.db.AddFailureAlerts)
		a.try(ctx, a.deliverAll)
		select {
		case <-ctx.Done():
			return nil
		case <-a.wakeups:
		case <-tick.C:
		}
	}
}

func (a *alerter) try(ctx context.Context, f func(context.Context) error) {
	if err := f(ctx); err != nil && ctx.Err() == nil {
		a.metrics.storeErrors.Inc()
		a.log.ErrorContext(ctx, "the store could not be read or written for alerts; the runner will retry", "error", err)
	}
}

// mostAge is how old the last success of a job may be. What the definition expects goes
// before what follows from the schedule.
func (a *alerter) mostAge(s jobs.JobSpec) time.Duration {
	if every := s.ExpectedEvery(); every > 0 {
		return every
	}
	return time.Duration(a.config.StalePeriods) * s.Schedule.Period()
}

func (a *alerter) findStale(ctx context.Context) error {
	// One runner looks for all of a fleet. Each asks once in staleInterval, a little more or
	// less.
	claimed, err := a.db.ClaimStaleCheck(ctx, staleInterval*9/10)
	if err != nil || !claimed {
		return err
	}
	now, err := a.db.Clock(ctx)
	if err != nil {
		return err
	}
	// No schedule has a shorter period than an hourly one.
	all, err := a.db.Freshnesses(ctx, time.Duration(a.config.StalePeriods)*jobs.Schedule{Frequency: jobs.Hourly}.Period())
	if err != nil {
		return err
	}
	for _, f := range all {
		if now.Sub(f.Since) <= a.mostAge(f.Job.JobSpec) {
			continue
		}
		if err := a.db.AddStaleAlert(ctx, f.Job.ID, f.Since); err != nil {
			return err
		}
	}
	return nil
}

func (a *alerter) deliverAll(ctx context.Context) error {
	for {
		alert, err := a.db.NextAlert(ctx, alertHold)
		if err != nil || alert == nil {
			return err
		}
		if err := a.deliver(ctx, *alert); err != nil {
			return err
		}
	}
}

func (a *alerter) deliver(ctx context.Context, alert store.Alert) error {
	m, err := a.message(ctx, alert)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return a.db.DoneAlert(ctx, alert.ID) // the job was deleted
	}
	if err != nil {
		return err
	}
	body, err := a.config.encode(m)
	if err != nil {
		return err
	}
	err = a.hook.send(ctx, body)
	switch {
	case err == nil:
		a.metrics.alerts.WithLabelValues(alertDelivered).Inc()
		return a.db.DoneAlert(ctx, alert.ID)
	case ctx.Err() != nil:
		return a.db.LaterAlert(context.WithoutCancel(ctx), alert.ID, 0)
	case alert.Attempts >= maxAlertAttempts:
		a.metrics.alerts.WithLabelValues(alertGivenUp).Inc()
		a.log.ErrorContext(
			ctx,
			"an alert could not be delivered; there will be no further attempt",
			"alert",
			alert.ID,
			runAttribute,
			alert.RunID,
			jobAttribute,
			alert.JobID,
			"attempts",
			alert.Attempts,
			"error",
			err,
		)
		return a.db.DoneAlert(ctx, alert.ID)
	default:
		wait := alertPauses.Pause(alert.Attempts)
		a.metrics.alerts.WithLabelValues(alertFailed).Inc()
		a.log.WarnContext(
			ctx,
			"an alert could not be delivered; the runner will retry",
			"alert",
			alert.ID,
			runAttribute,
			alert.RunID,
			jobAttribute,
			alert.JobID,
			"attempt",
			alert.Attempts,
			"wait",
			wait,
			"error",
			err,
		)
		return a.db.LaterAlert(ctx, alert.ID, wait)
	}
}

// alertPauses are the pauses between attempts to deliver an alert.
var alertPauses = retry.Policy{First: 5 * time.Second, Longest: 3 * time.Hour}

// message is the JSON body of an alert.
type message struct {
	// ID is the same in every attempt, so that the receiver can discard
	// duplicates.
	ID    string    `json:"id"`
	Kind  string    `json:"kind"`
	At    time.Time `json:"at"`
	Store string    `json:"store"`
	Text  string    `json:"text"`
	Job   struct {
		ID    string    `json:"id"`
		Label string    `json:"label"`
		Kind  jobs.Kind `json:"kind"`
	} `json:"job"`
	Run *jobs.Run `json:"run,omitempty"`
}

func (a *alerter) message(ctx context.Context, alert store.Alert) (message, error) {
	m := message{ID: alert.ID, Kind: alert.Kind, At: alert.CreatedAt, Store: a.db.ID()}
	job, err := a.db.Job(ctx, alert.JobID)
	if err != nil {
		return m, err
	}
	m.Job.ID, m.Job.Label, m.Job.Kind = job.ID, job.Label, job.Kind()
	if alert.RunID == "" {
		job.LastSuccessAt, err = a.db.LastSuccess(ctx, job.ID)
		m.Text = a.staleText(job.Job)
		return m, err
	}
	run, err := a.db.Run(ctx, alert.RunID)
	if err != nil {
		return m, err
	}
	run.Failure = run.Failure.Redacted()
	m.Run, m.Text = &run, fmt.Sprintf("Run %s of job %s (%s) failed: %s", run.ID, job.Label, job.ID, run.Failure)
	return m, nil
}

// staleText says what a job was expected to do.
func (a *alerter) staleText(j jobs.Job) string {
	if j.ExpectedEverySeconds == 0 {
		return fmt.Sprintf("Job %s (%s) has had no success for %d periods of its schedule.", j.Label, j.ID, a.config.StalePeriods)
	}
	success := "it never succeeded since it was created at "
	if j.LastSuccessAt != nil {
		success = "its last success was at "
	}
	return fmt.Sprintf("Job %s (%s) is late: a run is expected to succeed every %s (expected_every), and %s%s.", j.Label, j.ID,
		jobs.ShortDuration(j.ExpectedEvery()), success, j.FreshSince().UTC().Format(time.RFC3339))
}
