package engine

import (
	"context"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Serve makes this process a runner on its store: Terraform's processes leave
// their runs to it. Call it before any other method that writes. It creates the
// store where there is none.
func (e *Engine) Serve(ctx context.Context) (*store.DB, error) {
	e.mu.Lock()
	if e.stop != nil {
		e.mu.Unlock()
		return nil, errors.New("an engine that has written already cannot become a runner's")
	}
	e.kind = store.KindRunner
	e.mu.Unlock()
	return e.open(ctx, createStore)
}

// Instance is this process's id among those on the store.
func (e *Engine) Instance() string { return e.instance }

// MaxRunsPerAuthorization is the limit in force.
func (e *Engine) MaxRunsPerAuthorization() int { return e.options.MaxRunsPerAuthorization }

// QuarantineKeep is how long a row stays in quarantine.
func (e *Engine) QuarantineKeep() time.Duration { return e.options.Quarantine.keep() }

// Active is the number of runs that this process executes now.
func (e *Engine) Active() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.running)
}

func (e *Engine) claim(ctx context.Context, db *store.DB, runID string) (*store.Claim, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case e.claims <- struct{}{}:
	}
	defer func() { <-e.claims }()
	claim, _, err := db.ClaimRun(ctx, runID, e.instance, e.options.Name, e.options.MaxRunsPerAuthorization)
	return claim, err
}

// ExecuteRun claims and executes a shared run. It returns the run as it ended or
// was requeued, and true.
//
// If another process already claimed the run, or the run was cancelled, it
// returns false and no error. If the run has to wait for another run, it also
// returns false: the end of that run enqueues it again. It calls begun when the
// run begins. When ctx ends first, the run is requeued for another runner. The
// error is store.ErrFenced if another process took the run over meanwhile.
func (e *Engine) ExecuteRun(ctx context.Context, runID string, begun func(jobs.Run)) (jobs.Run, bool, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.Run{}, false, err
	}
	claim, err := e.claim(ctx, db, runID)
	if errors.Is(err, store.ErrFenced) || errors.Is(err, context.Canceled) && ctx.Err() == nil {
		return jobs.Run{}, false, nil
	}
	if err != nil || claim == nil {
		return jobs.Run{}, false, err
	}
	run, err := db.Run(context.WithoutCancel(ctx), runID)
	if err != nil {
		return jobs.Run{}, false, err
	}
	job, err := db.Job(context.WithoutCancel(ctx), claim.JobID)
	x := newExecution(e, db, job, run, claim)
	x.shared = true
	if err != nil { // deleted meanwhile, or not to be read
		x.finish(err)
		return x.now(), true, nil
	}
	if err := e.addRunning(x); err != nil {
		x.finish(err)
		return x.now(), true, nil
	}
	defer e.removeRunning(x)
	defer context.AfterFunc(ctx, func() { x.cancel(errStopping) })()
	if err := x.begin(); err != nil {
		x.finish(errStopping)
		return x.now(), true, nil
	}
	begun(x.now())
	x.execute()
	if x.lost {
		return x.now(), true, store.ErrFenced
	}
	return x.now(), true, nil
}
