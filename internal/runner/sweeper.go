package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const (
	// takeOverInterval is how often the sweeper checks for expired leases.
	takeOverInterval = time.Second
	// requeueInterval is how often the sweeper checks for waiting and lost runs.
	requeueInterval = 5 * time.Second
	// deliveryTimeout is how long a queued run may be in River's queue before it
	// counts as lost.
	deliveryTimeout = 10 * time.Second
	// retentionInterval is how often old runs are removed.
	retentionInterval = time.Hour
)

// sweeper takes over the runs of lost processes, requeues lost runs and removes
// old ones.
type sweeper struct {
	db        *store.DB
	queue     *queue
	limit     int
	retention time.Duration
	// keepRows is how long a row stays in quarantine.
	keepRows time.Duration
	// keepAudit is how long an entry stays in the audit log.
	keepAudit time.Duration
	log       *slog.Logger
	metrics   *metrics
}

func (s *sweeper) run(ctx context.Context) error {
	tick := time.NewTicker(takeOverInterval)
	defer tick.Stop()
	var requeued, removed time.Time
	for {
		if err := s.takeOver(ctx); err != nil && ctx.Err() == nil {
			s.failed(ctx, err)
		}
		if time.Since(requeued) >= requeueInterval {
			requeued = time.Now()
			if err := s.requeueLostRuns(ctx); err != nil && ctx.Err() == nil {
				s.failed(ctx, err)
			}
		}
		if time.Since(removed) >= retentionInterval {
			removed = time.Now()
			err := errors.Join(s.queue.forgetAbandoned(ctx, s.db), s.db.ForgetRuns(ctx, s.retention), s.expireQuarantined(ctx),
				s.db.ForgetAudit(ctx, s.keepAudit))
			if err != nil && ctx.Err() == nil {
				s.failed(ctx, err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *sweeper) failed(ctx context.Context, err error) {
	s.metrics.storeErrors.Inc()
	s.log.ErrorContext(ctx, "the sweeper could not read or write the store; it will retry", "error", err)
}

func (s *sweeper) takeOver(ctx context.Context) error {
	ids, err := s.db.TakeOverLost(ctx)
	s.metrics.takeovers.Add(float64(len(ids)))
	for _, id := range ids {
		s.log.WarnContext(jobs.WithRun(ctx, jobs.RunRef{RunID: id}), "a run of a lost process was taken over")
	}
	return err
}

// requeueLostRuns queues waiting runs that are below the limit of their
// authorization, and queues runs again that never reached a worker.
func (s *sweeper) requeueLostRuns(ctx context.Context) error {
	if err := s.db.WakeWaiting(ctx, s.limit); err != nil {
		return err
	}
	oldest, err := s.queue.oldest(ctx)
	if err != nil {
		return err
	}
	lost, err := s.db.Undelivered(ctx, deliveryTimeout, oldest)
	if err != nil || len(lost) == 0 {
		return err
	}
	for _, id := range lost {
		s.log.WarnContext(jobs.WithRun(ctx, jobs.RunRef{RunID: id}), "a run did not reach a worker and was queued again")
	}
	return s.db.Redeliver(ctx, lost)
}

// expireQuarantined removes rows from quarantine that are too old.
func (s *sweeper) expireQuarantined(ctx context.Context) error {
	n, err := s.db.ExpireQuarantined(ctx, s.keepRows)
	if n > 0 {
		s.log.WarnContext(ctx, "rows in quarantine were removed because of their age", "rows", n, "keep", s.keepRows)
	}
	return err
}
