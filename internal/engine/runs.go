package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// How often a run is looked at: one of this process, and one of another.
const (
	pollOwn   = 100 * time.Millisecond
	pollOther = 500 * time.Millisecond
)

// StartRun implements jobs.Runs.
func (e *Engine) StartRun(ctx context.Context, jobID string, reason jobs.Reason) (jobs.Run, error) {
	db, err := e.writable(ctx, false)
	if err != nil {
		return jobs.Run{}, err
	}
	job, err := db.Job(ctx, jobID)
	if err != nil {
		return jobs.Run{}, err
	}
	run, err := db.QueueRun(ctx, job.Job, reason, e.instance)
	if err != nil {
		return jobs.Run{}, err
	}
	x := newExecution(e, db, job, run)
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return jobs.Run{}, errStopping
	}
	e.running[run.ID] = x
	e.mu.Unlock()
	go func() {
		defer func() {
			e.mu.Lock()
			delete(e.running, run.ID)
			e.mu.Unlock()
			close(x.done)
		}()
		x.execute()
	}()
	return run, nil
}

// WaitRun implements jobs.Runs.
func (e *Engine) WaitRun(ctx context.Context, runID string, changed func(jobs.Run)) (jobs.Run, error) {
	db, err := e.open(ctx, false)
	if err != nil {
		return jobs.Run{}, err
	}
	e.mu.Lock()
	x := e.running[runID]
	e.mu.Unlock()
	if x != nil {
		if err := x.follow(ctx, changed); err != nil {
			return x.now(), err
		}
		return db.Run(ctx, runID)
	}
	var last jobs.Run
	for {
		run, err := db.Run(ctx, runID)
		if err != nil {
			return run, err
		}
		if !run.Status.Active() {
			return run, nil
		}
		stale, err := db.Stale(ctx, runID)
		if err != nil {
			return run, err
		}
		if stale {
			run.Status, run.ErrorCode = jobs.StatusFailed, jobs.CodeFailed
			run.Error = "The process that executed this run ended before it did. Run the job again: it goes on from where this run was."
			return run, nil
		}
		if changed != nil && (run.Status != last.Status || run.Phase != last.Phase || run.Done != last.Done) {
			changed(run)
			last = run
		}
		select {
		case <-ctx.Done():
			return run, waitError(ctx, run)
		case <-time.After(pollOther):
		}
	}
}

// CancelRun implements jobs.Runs.
func (e *Engine) CancelRun(ctx context.Context, runID string) error {
	db, err := e.open(ctx, false)
	if err != nil {
		return err
	}
	e.mu.Lock()
	x := e.running[runID]
	e.mu.Unlock()
	if x != nil {
		x.cancel(errAsked)
		return nil
	}
	return db.RequestCancel(ctx, runID)
}

// Run implements jobs.Runs.
func (e *Engine) Run(ctx context.Context, runID string) (jobs.Run, error) {
	db, err := e.open(ctx, false)
	if err != nil {
		return jobs.Run{}, err
	}
	return db.Run(ctx, runID)
}

// ListRuns implements jobs.Runs. No store means no runs.
func (e *Engine) ListRuns(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	db, err := e.open(ctx, false)
	if noStore(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return db.Runs(ctx, f)
}

func waitError(ctx context.Context, run jobs.Run) error {
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return &jobs.Error{
			Code: jobs.CodeTimeout, Attribute: "timeouts", Summary: fmt.Sprintf("Run %s did not end in time", run.ID),
			Detail: fmt.Sprintf("It was %s (%s).", run.Status, run.Phase), Next: "Raise the timeout and apply again: the run goes on from where it was", Err: err,
		}
	}
	return &jobs.Error{
		Code: jobs.CodeCancelled, Summary: fmt.Sprintf("Run %s was interrupted", run.ID),
		Detail: fmt.Sprintf("It was %s (%s).", run.Status, run.Phase), Next: "Apply again: the run goes on from where it was", Err: err,
	}
}
