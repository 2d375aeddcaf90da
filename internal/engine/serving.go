package engine

import (
	"context"
	"errors"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// Serve makes this process a runner of its store, before anything else is
// asked of it: processes of Terraform leave their runs to it. The store is
// made when there is none.
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

// Active gives how many runs this process executes now.
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

// ExecuteRun executes a shared run, if it may run now; one that has to wait is
// woken by the end of what it waits for, and one that is not to be had is
// nobody's concern here. begun is told of a run that begins. When ctx ends first
// the run is handed over. It returns the run as it left it, and false when it
// did not execute it; the error is store.ErrFenced when the run was lost to
// another process.
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
	if err := e.enlist(x); err != nil {
		x.finish(err)
		return x.now(), true, nil
	}
	defer e.delist(x)
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
