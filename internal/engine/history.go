package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// readFromStore calls a method of the store that reads.
func readFromStore[In, Out any](ctx context.Context, e *Engine, method func(*store.DB, context.Context, In) (Out, error), in In) (Out, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		var none Out
		return none, err
	}
	return method(db, ctx, in)
}

// SearchRuns reads a page of the runs that a search selects, newest first.
func (e *Engine) SearchRuns(ctx context.Context, s jobs.RunSearch) (jobs.RunPage, error) {
	return readFromStore(ctx, e, (*store.DB).SearchRuns, s)
}

// RunGroups groups the failed runs that a search selects by their problem, the largest
// group first.
func (e *Engine) RunGroups(ctx context.Context, s jobs.RunSearch) ([]jobs.RunGroup, error) {
	return readFromStore(ctx, e, (*store.DB).RunGroups, s)
}

// RunPhases returns the phases of a run in the order in which they began.
func (e *Engine) RunPhases(ctx context.Context, runID string) ([]jobs.PhaseStart, error) {
	return readFromStore(ctx, e, (*store.DB).RunPhases, runID)
}

// JobVersions returns the definitions that a job has had, the newest first.
func (e *Engine) JobVersions(ctx context.Context, jobID string) ([]jobs.JobVersion, error) {
	return readFromStore(ctx, e, (*store.DB).JobVersions, jobID)
}
