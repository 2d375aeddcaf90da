package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// newJobID returns the id of a job that is created with a key: that of the job that was
// last deleted with the same key, so that a replacement keeps id and history.
func newJobID(ctx context.Context, db *store.DB, key string) (string, error) {
	id, err := db.ReleasedJob(ctx, key)
	if err != nil || id != "" {
		return id, err
	}
	return store.NewID("job"), nil
}

// CheckCreateJob implements jobs.Definitions.
func (e *Engine) CheckCreateJob(ctx context.Context, s jobs.JobSpec) error {
	if err := s.Check(); err != nil {
		return err
	}
	if _, err := e.openPlatform(ctx, readStore); err != nil {
		if noStore(err) {
			return nil
		}
		return err
	}
	key, err := e.jobKey(ctx, e.db, &s)
	if err != nil {
		return err
	}
	have, err := e.db.JobByKey(ctx, key)
	switch {
	case jobs.IsCode(err, jobs.CodeNotFound):
		return nil
	case err != nil:
		return err
	case !have.Confirmed:
		return nil // the create decides: it takes over what a dead process left
	}
	return store.JobConflict(store.JobRow{Job: jobs.Job{JobSpec: s}}, have.ID)
}
