package engine

import (
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// CreateJob implements jobs.Definitions.
func (e *Engine) CreateJob(ctx context.Context, s jobs.JobSpec) (jobs.Job, error) {
	if err := s.Check(); err != nil {
		return jobs.Job{}, err
	}
	db, err := e.open(ctx, createStore)
	if err != nil {
		return jobs.Job{}, err
	}
	if s.ManagedBy.IsLytics() {
		return e.createInLytics(ctx, db, s)
	}
	key, err := e.jobKey(ctx, db, &s)
	if err != nil {
		return jobs.Job{}, err
	}
	id, err := newJobID(ctx, db, key)
	if err != nil {
		return jobs.Job{}, err
	}
	row := store.JobRow{Job: jobs.Job{ID: id, JobSpec: s}, Key: key, Creator: jobs.Creator(ctx, e.instance)}
	abandoned, err := e.abandonedJob(ctx, db, row)
	if err != nil {
		return jobs.Job{}, err
	}
	if abandoned != nil {
		row.ID = abandoned.ID
	}
	if s.Schedule != nil {
		row.Paused = s.Schedule.Paused != nil && *s.Schedule.Paused
	}
	if err := checkAfter(ctx, db, row.ID, s.After); err != nil {
		return jobs.Job{}, err
	}
	if err := e.checkSource(ctx, db, nil, row); err != nil {
		return jobs.Job{}, err
	}
	if err := e.planNext(ctx, db, &row, firstRun(s.Schedule)); err != nil {
		return jobs.Job{}, err
	}
	e.creates.Made(ctx, row.ID)
	if err := db.CreateJob(ctx, row, abandoned); err != nil {
		return jobs.Job{}, err
	}
	return e.Job(ctx, row.ID)
}

// abandonedJob returns the job with this key, if a dead process created it and no
// state file is known to hold it; else nil.
func (e *Engine) abandonedJob(ctx context.Context, db *store.DB, row store.JobRow) (*store.JobRow, error) {
	wait := newWaitForDeath()
	for {
		have, err := db.JobByKey(ctx, row.Key)
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if have.Confirmed {
			return nil, nil // CreateJob of the store refuses, and says who holds the key
		}
		switch life, err := wait.look(ctx, db, have.Creator, row.Creator); {
		case err != nil:
			return nil, err
		case life == dead:
			return &have, nil
		case life == alive:
			return nil, nil
		}
	}
}

// UpdateJob implements jobs.Definitions.
func (e *Engine) UpdateJob(ctx context.Context, id string, s jobs.JobSpec) (jobs.Job, error) {
	if err := s.Check(); err != nil {
		return jobs.Job{}, err
	}
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.Job{}, err
	}
	row, err := db.Job(ctx, id)
	if err != nil {
		return jobs.Job{}, err
	}
	switch {
	case row.ManagedBy.IsLytics() && s.ManagedBy.IsLytics():
		return e.changeInLytics(ctx, db, row, s)
	case s.ManagedBy.IsLytics():
		return e.moveToLytics(ctx, db, row, s)
	case row.ManagedBy.IsLytics():
		return e.moveFromLytics(ctx, db, row, s)
	}
	saved := row.JobSpec
	row.JobSpec = s
	if row.Key, err = e.jobKey(ctx, db, &row.JobSpec); err != nil {
		return jobs.Job{}, err
	}
	if err := checkAfter(ctx, db, id, s.After); err != nil {
		return jobs.Job{}, err
	}
	if err := e.checkSource(ctx, db, &saved, row); err != nil {
		return jobs.Job{}, err
	}
	// The check may take minutes, in which the job may be paused, or its next run planned.
	now, err := db.Job(ctx, id)
	if err != nil {
		return jobs.Job{}, err
	}
	row.Paused, row.NextRunAt = now.Paused, now.NextRunAt
	switch {
	case s.Schedule != nil && s.Schedule.Paused != nil:
		row.Paused = *s.Schedule.Paused
	case s.Schedule == nil && len(s.After) == 0:
		row.Paused = false
	}
	if row.NextRunAt == nil || row.Paused || !sameTimes(saved.Schedule, s.Schedule) {
		next := bySchedule
		if saved.Schedule == nil {
			next = firstRun(s.Schedule)
		}
		err = e.planNext(ctx, db, &row, next)
	}
	if err != nil {
		return jobs.Job{}, err
	}
	return e.putJob(ctx, db, row)
}

// sameTimes reports whether two schedules are due at the same times. The planned
// next run then stays.
func sameTimes(a, b *jobs.Schedule) bool {
	if a == nil || b == nil {
		return false
	}
	return a.Frequency == b.Frequency && a.TimeOfDay == b.TimeOfDay && a.DayOfWeek == b.DayOfWeek && a.DayOfMonth == b.DayOfMonth &&
		a.Timezone == b.Timezone
}

// PauseJob implements jobs.Definitions.
func (e *Engine) PauseJob(ctx context.Context, id string, paused bool) (jobs.Job, error) {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return jobs.Job{}, err
	}
	row, err := db.Job(ctx, id)
	if err != nil {
		return jobs.Job{}, err
	}
	if row.ManagedBy.IsLytics() {
		return e.pauseInLytics(ctx, db, row, paused)
	}
	if row.Schedule == nil && len(row.After) == 0 {
		return jobs.Job{}, jobs.Invalid("schedule", "Job "+id+" has nothing to pause",
			"It has no schedule and runs after no other job: it runs only when it is asked to.", "Give it a schedule first")
	}
	if row.Paused == paused {
		return e.Job(ctx, id)
	}
	row.Paused = paused
	if err := e.planNext(ctx, db, &row, bySchedule); err != nil {
		return jobs.Job{}, err
	}
	if err := db.Pause(ctx, id, paused, row.NextRunAt); err != nil {
		return jobs.Job{}, err
	}
	return e.Job(ctx, id)
}

// due says when a job's next run is planned for.
type due int

const (
	bySchedule due = iota
	immediately
)

// firstRun says when a job that gets a schedule runs first.
func firstRun(s *jobs.Schedule) due {
	if s != nil && s.StartImmediately {
		return immediately
	}
	return bySchedule
}

// planNext sets the time of the next planned run; nil without a schedule, and
// while the job is paused.
func (e *Engine) planNext(ctx context.Context, db *store.DB, row *store.JobRow, when due) error {
	row.NextRunAt = nil
	if row.Schedule == nil {
		return nil
	}
	if err := schedule.Validate(*row.Schedule); err != nil || row.Paused {
		return err
	}
	now, err := db.Clock(ctx)
	if err != nil {
		return err
	}
	next := now
	if when == bySchedule {
		if next, err = schedule.Next(*row.Schedule, now); err != nil {
			return err
		}
	}
	next = next.UTC()
	row.NextRunAt = &next
	return nil
}

func (e *Engine) putJob(ctx context.Context, db *store.DB, row store.JobRow) (jobs.Job, error) {
	if err := db.PutJob(ctx, row); err != nil {
		return jobs.Job{}, err
	}
	return e.Job(ctx, row.ID)
}

// Job implements jobs.Definitions.
func (e *Engine) Job(ctx context.Context, id string) (jobs.Job, error) {
	if id, ok := lyticsID(id); ok {
		row, err := e.adoptJob(ctx, id)
		if err != nil {
			return jobs.Job{}, err
		}
		return e.Job(ctx, row.ID)
	}
	db, err := e.open(ctx, readStore)
	if err != nil {
		return jobs.Job{}, err
	}
	row, err := db.Job(ctx, id)
	if err != nil {
		return jobs.Job{}, err
	}
	if row, err = e.showJob(ctx, db, row); err != nil {
		return jobs.Job{}, err
	}
	return e.withLastRun(ctx, db, row)
}

func (e *Engine) withLastRun(ctx context.Context, db *store.DB, row store.JobRow) (jobs.Job, error) {
	runs, err := db.Runs(ctx, jobs.RunFilter{JobID: row.ID, Limit: 1})
	if err != nil || len(runs) == 0 {
		return row.Job, err
	}
	row.LastRun = &runs[0]
	row.LastSuccessAt, err = db.LastSuccess(ctx, row.ID)
	return row.Job, err
}

// Jobs implements jobs.Definitions.
func (e *Engine) Jobs(ctx context.Context) ([]jobs.Job, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	rows, err := db.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	last, err := db.LastRuns(ctx)
	if err != nil {
		return nil, err
	}
	success, err := db.LastSuccesses(ctx)
	if err != nil {
		return nil, err
	}
	e.showStates(ctx, rows)
	all := make([]jobs.Job, 0, len(rows))
	for _, r := range rows {
		r.LastRun, r.LastSuccessAt = last[r.ID], success[r.ID]
		all = append(all, r.Job)
	}
	return all, nil
}

// DeleteJob implements jobs.Definitions.
func (e *Engine) DeleteJob(ctx context.Context, id string) error {
	db, err := e.open(ctx, writeStore)
	if err != nil {
		return err
	}
	row, err := db.Job(ctx, id)
	if err == nil && row.ManagedBy.IsLytics() {
		err = e.killInLytics(ctx, row)
	}
	if err != nil && !jobs.IsCode(err, jobs.CodeNotFound) {
		return err
	}
	if err := db.DeleteJob(ctx, id); err != nil {
		return err
	}
	runs, err := db.Runs(ctx, jobs.RunFilter{JobID: id, Limit: 10})
	if err != nil {
		return err
	}
	for _, r := range runs {
		if !r.Status.Active() {
			continue
		}
		// The run stops at its next heartbeat; a new job of the same key must
		// not begin beside it.
		if _, err := e.WaitRun(ctx, r.ID, nil); err != nil {
			return err
		}
	}
	return nil
}

// Confirm implements jobs.Definitions.
func (e *Engine) Confirm(ctx context.Context, id string) error {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return err
	}
	return db.Confirm(ctx, id)
}
