package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// schedules is the part of the store that the scheduler uses.
type schedules interface {
	Due(ctx context.Context) (schedule, run *time.Duration, err error)
	ClaimDue(ctx context.Context, limit int, plan func(job store.JobRow, due, now time.Time) store.Plan) (int, error)
	DispatchReady(ctx context.Context, limit int) (int, error)
	QueueFollowers(ctx context.Context) (int, error)
}

const (
	// pollInterval is how often the scheduler checks the store for changes by
	// other processes, such as an earlier due time or a queued run.
	pollInterval = 500 * time.Millisecond
	// batch bounds the schedules claimed in one transaction, so that several
	// runners share schedules that are due at the same time.
	batch = 50
	// afterFailure is the pause after a failed read or write of the store.
	afterFailure = 2 * time.Second
)

// scheduler creates the runs of due schedules, and of jobs whose upstream jobs
// have succeeded, and passes queued runs to the queue when they are ready.
type scheduler struct {
	db      schedules
	log     *slog.Logger
	metrics *metrics
	wakeups chan struct{}
}

func newScheduler(db schedules, log *slog.Logger, m *metrics) *scheduler {
	return &scheduler{db: db, log: log, metrics: m, wakeups: make(chan struct{}, 1)}
}

// wake makes the scheduler check the store now.
func (s *scheduler) wake() {
	select {
	case s.wakeups <- struct{}{}:
	default:
	}
}

func (s *scheduler) run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wakeups:
		case <-timer.C:
		}
		wait, err := s.pass(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case store.Damaged(err):
			return err
		case err != nil:
			s.log.ErrorContext(ctx, "the scheduler could not read or write the store; it will retry", "error", err)
			s.metrics.storeErrors.Inc()
			wait = afterFailure
		}
		timer.Reset(wait)
	}
}

// pass handles everything that is due, and returns the wait until the next
// pass.
func (s *scheduler) pass(ctx context.Context) (time.Duration, error) {
	_, err := s.db.QueueFollowers(ctx)
	schedule, run, dueErr := s.db.Due(ctx)
	if err := errors.Join(err, dueErr); err != nil {
		return 0, err
	}
	if err := drain(
		ctx,
		schedule,
		func(ctx context.Context, limit int) (int, error) { return s.db.ClaimDue(ctx, limit, s.plan) },
	); err != nil {
		return 0, err
	}
	if err := drain(ctx, run, s.db.DispatchReady); err != nil {
		return 0, err
	}
	wait := pollInterval
	for _, next := range []*time.Duration{schedule, run} {
		if next != nil && *next > 0 {
			wait = min(wait, *next)
		}
	}
	return wait, nil
}

// drain repeats step until it returns less than a full batch.
func drain(ctx context.Context, due *time.Duration, step func(context.Context, int) (int, error)) error {
	for due != nil && *due <= 0 {
		n, err := step(ctx, batch)
		if err != nil || n < batch {
			return err
		}
	}
	return nil
}
