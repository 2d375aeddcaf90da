package runner

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// schedules is what the scheduler needs of the store.
type schedules interface {
	Due(ctx context.Context) (schedule, run *time.Duration, err error)
	ClaimDue(ctx context.Context, limit int, plan func(job store.JobRow, due, now time.Time) store.Plan) (int, error)
	DispatchReady(ctx context.Context, limit int) (int, error)
	QueueFollowers(ctx context.Context) (int, error)
}

const (
	// lookEvery is how often the scheduler looks for what other processes
	// changed: a schedule that is due sooner, a run that they left to runners.
	lookEvery = 500 * time.Millisecond
	// batch bounds the schedules taken in one transaction, so that runners
	// share out what is due together.
	batch = 50
	// afterFailure is the wait when the store did not answer.
	afterFailure = 2 * time.Second
)

// scheduler makes runs of schedules that are due, and of jobs whose upstream
// jobs have succeeded, and hands over queued runs whose time has come.
type scheduler struct {
	db      schedules
	log     *slog.Logger
	metrics *metrics
	poked   chan struct{}
}

func newScheduler(db schedules, log *slog.Logger, m *metrics) *scheduler {
	return &scheduler{db: db, log: log, metrics: m, poked: make(chan struct{}, 1)}
}

// lookNow has the scheduler look now.
func (s *scheduler) lookNow() {
	select {
	case s.poked <- struct{}{}:
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
		case <-s.poked:
		case <-timer.C:
		}
		wait, err := s.pass(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case store.Damaged(err):
			return err
		case err != nil:
			s.log.ErrorContext(ctx, "the scheduler could not read or write the store; it tries again", "error", err)
			s.metrics.storeErrors.Inc()
			wait = afterFailure
		}
		timer.Reset(wait)
	}
}

// pass does what is due, and tells how long there is nothing to do.
func (s *scheduler) pass(ctx context.Context) (time.Duration, error) {
	_, err := s.db.QueueFollowers(ctx)
	schedule, run, dueErr := s.db.Due(ctx)
	if err := errors.Join(err, dueErr); err != nil {
		return 0, err
	}
	if err := drain(ctx, schedule, func(ctx context.Context, limit int) (int, error) { return s.db.ClaimDue(ctx, limit, s.plan) }); err != nil {
		return 0, err
	}
	if err := drain(ctx, run, s.db.DispatchReady); err != nil {
		return 0, err
	}
	wait := lookEvery
	for _, next := range []*time.Duration{schedule, run} {
		if next != nil && *next > 0 {
			wait = min(wait, *next)
		}
	}
	return wait, nil
}

// drain repeats a step until it found less than it could take.
func drain(ctx context.Context, due *time.Duration, step func(context.Context, int) (int, error)) error {
	for due != nil && *due <= 0 {
		n, err := step(ctx, batch)
		if err != nil || n < batch {
			return err
		}
	}
	return nil
}
