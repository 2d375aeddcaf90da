package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// moveToLytics makes Lytics the executor of a job. The job keeps its id and its runs.
// An import continues at the second of its watermark.
func (e *Engine) moveToLytics(ctx context.Context, db *store.DB, row store.JobRow, s jobs.JobSpec) (jobs.Job, error) {
	key, r, err := e.references(ctx, db, &s)
	if err != nil {
		return jobs.Job{}, err
	}
	if err := refuseFollowers(ctx, db, row.ID); err != nil {
		return jobs.Job{}, err
	}
	// No run is planned any more, and none is under way: the watermark stays.
	interrupted := row
	resumed := row.InLytics != nil && row.InLytics.Creating
	row.NextRunAt, row.InLytics = nil, &store.InLytics{Creating: true}
	if err := db.PutJob(ctx, row); err != nil {
		return jobs.Job{}, err
	}
	back := func(err error) (jobs.Job, error) {
		row.InLytics = nil
		if planErr := e.planNext(ctx, db, &row, bySchedule); planErr != nil {
			return jobs.Job{}, planErr
		}
		if putErr := db.PutJob(context.WithoutCancel(ctx), row); putErr != nil {
			return jobs.Job{}, putErr
		}
		return jobs.Job{}, err
	}
	if err := refuseActiveRun(ctx, db, row.ID); err != nil {
		return back(err)
	}
	if row.Import != nil {
		cursor, err := e.cursorKey(ctx, db, row)
		if err != nil {
			return back(err)
		}
		w, err := importer.Watermark(ctx, db, cursor)
		if err != nil {
			return back(err)
		}
		if w != nil {
			second := w.Truncate(time.Second)
			r.Since = &second
		}
	}
	from := &interrupted
	if !resumed {
		from = nil
	}
	made, err := e.createAccountJob(ctx, db, s, r, from)
	switch {
	case err != nil && lytics.Unsure(err):
		return jobs.Job{}, err // the next apply looks for it
	case err != nil:
		return back(err)
	}
	row.JobSpec, row.Key, row.LyticsID = s, key, made.ID
	row.InLytics = &store.InLytics{Since: r.Since}
	return e.startCreated(ctx, db, row, made, pausedOr(s.Schedule, row.Paused))
}

// moveFromLytics makes this provider the executor of a job, and kills it in Lytics.
// Where Lytics stopped is not known, so that an import begins at the since_timestamp
// of the definition, which has to be given.
func (e *Engine) moveFromLytics(ctx context.Context, db *store.DB, row store.JobRow, s jobs.JobSpec) (jobs.Job, error) {
	if s.Import != nil && s.Import.Since == nil {
		return jobs.Job{}, noSince()
	}
	key, err := e.jobKey(ctx, db, &s)
	if err != nil {
		return jobs.Job{}, err
	}
	if err := checkAfter(ctx, db, row.ID, s.After); err != nil {
		return jobs.Job{}, err
	}
	moved := row
	moved.JobSpec, moved.Key = s, key
	if err := e.checkSource(ctx, db, nil, moved); err != nil {
		return jobs.Job{}, err
	}
	kill, paused := row, row.Paused
	_, j, err := e.accountJob(ctx, row)
	switch {
	case err == nil:
		paused = lyticsjobs.Paused(j.Status) || !row.InLytics.Started && row.Schedule != nil
	case !jobs.IsCode(err, jobs.CodeNotFound):
		return jobs.Job{}, err
	}
	row.JobSpec, row.Key, row.LyticsID, row.InLytics, row.Paused = s, key, "", nil, pausedOr(s.Schedule, paused)
	if err := e.planNext(ctx, db, &row, firstRun(s.Schedule)); err != nil {
		return jobs.Job{}, err
	}
	if have, err := db.JobByKey(ctx, key); err == nil && have.ID != row.ID {
		return jobs.Job{}, db.PutJob(ctx, row) // it refuses, and names the holder
	}
	if err := e.killInLytics(ctx, kill); err != nil {
		return jobs.Job{}, err
	}
	if s.Import != nil {
		cursor, err := e.cursorKey(ctx, db, row)
		if err != nil {
			return jobs.Job{}, err
		}
		if err := importer.RestartAfter(ctx, db, cursor, s.Import.FullRefresh, *s.Import.Since); err != nil {
			return jobs.Job{}, err
		}
	}
	return e.putJob(ctx, db, row)
}

// noSince is the error of an import that moves from Lytics to this provider without
// saying where to continue.
func noSince() error {
	return jobs.Invalid("since_timestamp", "since_timestamp is missing for the move from Lytics",
		"Lytics does not tell up to which row it has imported.",
		"Set since_timestamp to a time up to which all rows have arrived: the rows after it are read, again where Lytics has read them")
}

// refuseActiveRun fails while a run of a job is active.
func refuseActiveRun(ctx context.Context, db *store.DB, id string) error {
	active, err := db.Runs(ctx, jobs.RunFilter{
		JobID: id, Statuses: []jobs.Status{jobs.StatusQueued, jobs.StatusWaiting, jobs.StatusRunning}, Limit: 1,
	})
	if err != nil || len(active) == 0 {
		return err
	}
	return &jobs.Error{
		Code: jobs.CodeInUse, Attribute: "managed_by", Summary: fmt.Sprintf("Run %s of the job is %s", active[0].ID, active[0].Status),
		Detail: "Until it ends, it is not known where Lytics has to continue.", Next: "Wait for its end or cancel it, then apply again",
	}
}

// refuseFollowers fails when other jobs run after a job. The end of its work in
// Lytics would start nothing.
func refuseFollowers(ctx context.Context, db *store.DB, id string) error {
	all, err := db.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, j := range all {
		if slices.Contains(j.After, id) {
			return &jobs.Error{
				Code: jobs.CodeInUse, Attribute: "managed_by", Summary: fmt.Sprintf("Job %q runs after this one", j.Label),
				Detail: "What Lytics executes starts no other job.", Next: "Remove this job from the after attribute of that one first",
			}
		}
	}
	return nil
}
