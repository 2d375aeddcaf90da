package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// How often WaitRun looks at a run of this process, and of another process.
const (
	pollOwn   = 100 * time.Millisecond
	pollOther = 500 * time.Millisecond
)

// StartRun implements jobs.Runs.
func (e *Engine) StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.Run{}, err
	}
	job, err := db.Job(ctx, jobID)
	if err != nil {
		return jobs.Run{}, err
	}
	if job.ManagedBy.IsLytics() {
		if err := e.startManaged(ctx, db, &job); err != nil {
			return jobs.Run{}, err
		}
	}
	// A runner on the store is the only one to execute runs.
	shared, err := db.RunnerAlive(ctx)
	if err != nil {
		return jobs.Run{}, err
	}
	n := store.NewRun{Job: job.Job, Reason: reason}
	if !shared {
		n.Owner, n.Runner = e.instance, e.options.Name
	}
	run, err := db.QueueRun(ctx, n)
	if err != nil {
		return jobs.Run{}, err
	}
	if shared {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.left[run.ID] = e.kind != store.KindRunner
		return run, nil
	}
	return run, e.executeOwn(db, job, run, &store.Claim{
		RunID: run.ID, JobID: job.ID, AuthorizationID: job.AuthorizationID, Owner: e.instance, Attempt: run.Attempt,
	})
}

// executeOwn executes a run that only this process may, in the background.
func (e *Engine) executeOwn(db *store.DB, job store.JobRow, run jobs.Run, claim *store.Claim) error {
	x := newExecution(e, db, job, run, claim)
	if err := e.addRunning(x); err != nil {
		return err
	}
	go func() {
		defer e.removeRunning(x)
		if err := x.waitTurn(); err != nil {
			x.finish(err)
			return
		}
		x.execute()
	}()
	return nil
}

func (e *Engine) addRunning(x *execution) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errStopping
	}
	e.running[x.run.ID] = x
	return nil
}

func (e *Engine) removeRunning(x *execution) {
	e.mu.Lock()
	delete(e.running, x.run.ID)
	e.mu.Unlock()
	close(x.done)
}

// WaitRun implements jobs.Runs.
func (e *Engine) WaitRun(ctx context.Context, runID string, changed func(jobs.Run)) (jobs.Run, error) {
	// Interrupted before its first look, the caller still learns of which run.
	db, err := e.open(context.WithoutCancel(ctx), readStore)
	if err != nil {
		return jobs.Run{}, err
	}
	var last jobs.Run
	for {
		e.mu.Lock()
		x, left := e.running[runID], e.left[runID]
		e.mu.Unlock()
		if x != nil && !x.shared {
			if err := x.follow(ctx, changed); err != nil {
				return x.now(), err
			}
			return db.Run(ctx, runID)
		}
		run, err := e.readRun(ctx, db, runID)
		if err == nil && !run.Status.Active() {
			return run, nil
		}
		if err == nil && left {
			err = e.adoptRun(ctx, db, run)
		}
		// A look that ctx ended is no failure of the store.
		if ctx.Err() != nil {
			if left {
				e.cancelLeft(db, runID)
			}
			if run.ID == "" {
				run = last
			}
			run.ID = runID
			return run, waitError(ctx, run)
		}
		if err != nil {
			return run, err
		}
		if changed != nil && (run.Status != last.Status || run.Phase != last.Phase || run.Done != last.Done) {
			changed(run)
		}
		last = run
		select {
		case <-ctx.Done():
		case <-time.After(pollOther):
		}
	}
}

// readRun reads a run of another process. A run whose process died, and which no
// runner may take over, is returned as failed.
func (e *Engine) readRun(ctx context.Context, db *store.DB, runID string) (jobs.Run, error) {
	run, err := db.Run(ctx, runID)
	if err != nil || !run.Status.Active() {
		return run, err
	}
	stale, err := db.Stale(ctx, runID)
	if stale {
		run.Status = jobs.StatusFailed
		run.Failure = jobs.Failure{Code: jobs.CodeFailed, Summary: "The process that executed this run ended before it did", Next: jobs.RunAgain}
	}
	return run, err
}

// adoptRun executes a run in this process that it had left to the runners, if no
// runner is alive any more.
func (e *Engine) adoptRun(ctx context.Context, db *store.DB, run jobs.Run) error {
	alive, err := db.RunnerAlive(ctx)
	if err != nil || alive {
		return err
	}
	claim, err := db.AdoptRun(ctx, run.ID, e.instance, e.options.Name)
	if err != nil || claim == nil {
		return err
	}
	job, err := db.Job(ctx, run.JobID)
	if err != nil {
		return err
	}
	return e.executeOwn(db, job, run, claim)
}

// cancelTimeout bounds the cancellation of a run whose caller has gone.
const cancelTimeout = 5 * time.Second

// cancelLeft cancels a run that this process left to the runners, and waits up to
// cancelTimeout for its end: the caller may start another run next.
func (e *Engine) cancelLeft(db *store.DB, runID string) {
	ctx, cancel := context.WithTimeout(context.Background(), cancelTimeout)
	defer cancel()
	if err := db.RequestCancel(ctx, runID); err != nil {
		return // nobody is left to tell: the caller has its own reason to end
	}
	for {
		run, err := db.Run(ctx, runID)
		if err != nil || !run.Status.Active() {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollOwn):
		}
	}
}

// CancelRun implements jobs.Runs.
func (e *Engine) CancelRun(ctx context.Context, runID string) error {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return err
	}
	if _, err := db.Run(ctx, runID); err != nil {
		return err
	}
	e.mu.Lock()
	x := e.running[runID]
	e.mu.Unlock()
	if x != nil && !x.shared {
		x.cancel(errCancelRequested)
		return nil
	}
	return db.RequestCancel(ctx, runID)
}

// Run implements jobs.Runs.
func (e *Engine) Run(ctx context.Context, runID string) (jobs.Run, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.Run{}, err
	}
	return db.Run(ctx, runID)
}

// ListRuns implements jobs.Runs.
func (e *Engine) ListRuns(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	return db.Runs(ctx, f)
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
			x.cancel(errCancelRequested)
			<-x.done
			if run := x.now(); run.Status == jobs.StatusSucceeded {
				return nil
			}
			return waitError(ctx, x.now())
		case <-tick.C:
		}
		run := x.now()
		if changed == nil || !run.Status.Active() { // until its end is recorded, it may still become a failure
			continue
		}
		moved := run.Done != last.Done && time.Since(told) >= time.Second
		if run.Status != last.Status || run.Phase != last.Phase || moved {
			changed(run)
			last, told = run, time.Now()
		}
	}
}

func waitError(ctx context.Context, run jobs.Run) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return &jobs.Error{
			Code: jobs.CodeTimeout, Attribute: "timeouts", Summary: fmt.Sprintf("Run %s did not end in time", run.ID),
			Detail: fmt.Sprintf(
				"It was %s (%s).",
				run.Status,
				run.Phase,
			), Next: "Raise the timeout and apply again: the run continues where it stopped", Err: err,
		}
	}
	return &jobs.Error{
		Code: jobs.CodeCancelled, Summary: fmt.Sprintf("Run %s was interrupted", run.ID),
		Detail: fmt.Sprintf("It was %s (%s).", run.Status, run.Phase), Next: "Apply again: the run continues where it stopped", Err: err,
	}
}
