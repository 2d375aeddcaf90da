package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

var (
	errStopping = errors.New("the process that executes the run is stopping")
	errAsked    = errors.New("the run was cancelled on request")
)

// execution is one run, executed by this process.
type execution struct {
	e   *Engine
	db  *store.DB
	job store.JobRow

	ctx    context.Context
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu    sync.Mutex
	run   jobs.Run
	claim *store.Claim
}

func newExecution(e *Engine, db *store.DB, job store.JobRow, run jobs.Run) *execution {
	// The run outlives the call that started it; Close and CancelRun end it.
	ctx, cancel := context.WithCancelCause(context.Background())
	return &execution{e: e, db: db, job: job, run: run, ctx: ctx, cancel: cancel, done: make(chan struct{})}
}

func (x *execution) now() jobs.Run {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.run
}

func (x *execution) update(f func(*jobs.Run)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	f(&x.run)
}

// execute claims the run, does its work under a heartbeat, and records its end.
func (x *execution) execute() {
	err := x.waitTurn()
	if err == nil {
		ctx, stop := context.WithCancelCause(x.ctx)
		beats := make(chan struct{})
		go func() {
			defer close(beats)
			x.beat(ctx, stop)
		}()
		err = x.work(ctx)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			err = cause
		}
		stop(nil)
		<-beats
	}
	x.finish(err)
}

// waitTurn queues until the job has no other active run and its warehouse has
// room for one more.
func (x *execution) waitTurn() error {
	for {
		claim, waiting, err := x.db.ClaimRun(x.ctx, x.run.ID, x.e.instance, runsPerAuthorization)
		if err != nil {
			if cause := context.Cause(x.ctx); cause != nil {
				return cause
			}
			return err
		}
		if claim != nil {
			x.claim = claim
			started, err := x.db.Clock(x.ctx)
			x.update(func(r *jobs.Run) { r.Status, r.Phase, r.StartedAt = jobs.StatusWaiting, "connecting", &started })
			return err
		}
		x.update(func(r *jobs.Run) { r.Phase = waiting })
		select {
		case <-x.ctx.Done():
			return context.Cause(x.ctx)
		case <-time.After(pollOther):
		}
	}
}

// beat renews the lease and shows progress to other processes. It stops the
// work when the run was cancelled, when another process took it, or when no
// renewal succeeded for as long as the lease lasts.
func (x *execution) beat(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(store.Heartbeat)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		sent := time.Now()
		asked, err := x.db.BeatRun(ctx, x.claim, x.now())
		switch {
		case err == nil:
			renewed = sent
			if asked {
				stop(errAsked)
			}
		case errors.Is(err, store.ErrFenced):
			stop(err)
		case time.Since(renewed) > store.Lease:
			stop(fmt.Errorf("the store could not be written for %s: %w", store.Lease, err))
		}
	}
}

// finishTimeout bounds the last write of a run.
const finishTimeout = 20 * time.Second

func (x *execution) finish(err error) {
	x.update(func(r *jobs.Run) {
		r.Phase = ""
		switch {
		case err == nil:
			r.Status = jobs.StatusSucceeded
		case errors.Is(err, errAsked), errors.Is(err, errStopping), errors.Is(err, context.Canceled), jobs.IsCode(err, jobs.CodeCancelled):
			r.Status, r.ErrorCode = jobs.StatusCancelled, jobs.CodeCancelled
			r.Error = "The run was cancelled: " + err.Error() + ". Run the job again: it goes on from where this run was."
		default:
			r.Status, r.ErrorCode, r.Error = jobs.StatusFailed, jobs.CodeFailed, err.Error()
			if e, ok := errors.AsType[*jobs.Error](err); ok {
				r.ErrorCode, r.ErrorAttribute = e.Code, e.Attribute
			}
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), finishTimeout)
	defer cancel()
	run := x.now()
	if err := x.db.FinishRun(ctx, x.e.instance, run); err != nil {
		x.update(func(r *jobs.Run) {
			r.Status, r.ErrorCode = jobs.StatusFailed, jobs.CodeStore
			r.Error = "The end of the run could not be recorded: " + err.Error() + ". What it moved is kept; run the job again."
		})
	}
}

// follow calls changed until the run ends. When ctx ends first, the run is
// cancelled and its end awaited: the caller may be about to exit.
func (x *execution) follow(ctx context.Context, changed func(jobs.Run)) error {
	tick := time.NewTicker(pollOwn)
	defer tick.Stop()
	var last jobs.Run
	var told time.Time
	for {
		select {
		case <-x.done:
			return nil
		case <-ctx.Done():
			x.cancel(errAsked)
			<-x.done
			if run := x.now(); run.Status == jobs.StatusSucceeded {
				return nil
			}
			return waitError(ctx, x.now())
		case <-tick.C:
		}
		run := x.now()
		if changed == nil {
			continue
		}
		moved := run.Done != last.Done && time.Since(told) >= time.Second
		if run.Status != last.Status || run.Phase != last.Phase || moved {
			changed(run)
			last, told = run, time.Now()
		}
	}
}

// fence fails inside a transaction when another process has the run.
func (x *execution) fence(tx *store.Tx) error { return store.Fence(x.ctx, tx, x.claim) }

// Phase, Advance and Count implement the movements' Progress.
func (x *execution) Phase(name string, total int64) {
	x.update(func(r *jobs.Run) { r.Phase, r.Progress = name, jobs.Progress{Total: total} })
}

// Advance implements Progress.
func (x *execution) Advance(n int64) { x.update(func(r *jobs.Run) { r.Done += n }) }

// Count implements Progress.
func (x *execution) Count(f func(*jobs.Counts)) { x.update(func(r *jobs.Run) { f(&r.Counts) }) }
