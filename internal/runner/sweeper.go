package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

const (
	// sweepEvery is how often leases are looked at that have ended.
	sweepEvery = time.Second
	// mendEvery is how often runs are looked for that nothing will wake, and
	// patience how long one may be on its way.
	mendEvery = 5 * time.Second
	patience  = 10 * time.Second
	// forgetEvery is how often old runs are removed.
	forgetEvery = time.Hour
)

// sweeper makes good what a runner that died left behind.
type sweeper struct {
	db        *store.DB
	queue     *queue
	limit     int
	retention time.Duration
	log       *slog.Logger
	metrics   *metrics
}

func (s *sweeper) run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var mended, forgot time.Time
	for {
		if err := s.takeOver(ctx); err != nil && ctx.Err() == nil {
			s.failed(ctx, err)
		}
		if time.Since(mended) >= mendEvery {
			mended = time.Now()
			if err := s.requeueLostRuns(ctx); err != nil && ctx.Err() == nil {
				s.failed(ctx, err)
			}
		}
		if time.Since(forgot) >= forgetEvery {
			forgot = time.Now()
			if err := errors.Join(s.queue.forgetAbandoned(ctx, s.db), s.db.ForgetRuns(ctx, s.retention)); err != nil && ctx.Err() == nil {
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
	s.log.ErrorContext(ctx, "the sweeper could not read or write the store; it tries again", "error", err)
}

func (s *sweeper) takeOver(ctx context.Context) error {
	n, err := s.db.TakeOverLost(ctx)
	if n > 0 {
		s.metrics.takeovers.Add(float64(n))
		s.log.WarnContext(ctx, "runs of lost processes were taken over", "runs", n)
	}
	return err
}

// requeueLostRuns wakes runs for which there is room, and sends those again that got lost
// on their way.
func (s *sweeper) requeueLostRuns(ctx context.Context) error {
	if err := s.db.WakeWaiting(ctx, s.limit); err != nil {
		return err
	}
	oldest, err := s.queue.oldest(ctx)
	if err != nil {
		return err
	}
	lost, err := s.db.Undelivered(ctx, patience, oldest)
	if err != nil || len(lost) == 0 {
		return err
	}
	s.log.WarnContext(ctx, "runs got lost on their way to a worker, and are sent again", "runs", len(lost))
	return s.db.Redeliver(ctx, lost)
}
