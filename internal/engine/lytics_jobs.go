package engine

import (
	"cmp"
	"context"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/lyticsjobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/platform/lytics"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/schedule"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// references finds what a definition refers to in the account. It refuses a
// definition that Lytics cannot execute, and fills in the default stream.
func (e *Engine) references(ctx context.Context, db *store.DB, s *jobs.JobSpec) (key string, r lyticsjobs.References, err error) {
	if _, err := e.lyticsAccount(); err != nil {
		return "", r, err
	}
	if err := s.CheckManager(); err != nil {
		return "", r, err
	}
	if s.Schedule != nil {
		if err := schedule.Validate(*s.Schedule); err != nil {
			return "", r, err
		}
	}
	if key, err = e.jobKey(ctx, db, s); err != nil {
		return "", r, err
	}
	auth, err := db.Authorization(ctx, s.AuthorizationID)
	if err != nil {
		return "", r, err
	}
	r.AuthID = auth.LyticsID
	if s.Export != nil {
		audience, err := e.platform.Audience(ctx, s.Export.AudienceID)
		if err != nil {
			return "", r, err
		}
		r.SegmentID = audience.ID
	}
	return key, r, nil
}

// pausedBy is the paused attribute of a definition; false when it says nothing.
func pausedBy(s *jobs.Schedule) bool { return pausedOr(s, false) }

// pausedOr is the paused attribute of a definition. When it says nothing, the job stays
// as an operator made it.
func pausedOr(s *jobs.Schedule, now bool) bool {
	switch {
	case s == nil:
		return false
	case s.Paused == nil:
		return now
	default:
		return *s.Paused
	}
}

// createInLytics creates a job in the account. The row is written first, so that the
// next apply recognizes what an interrupted one created.
func (e *Engine) createInLytics(ctx context.Context, db *store.DB, s jobs.JobSpec) (jobs.Job, error) {
	key, r, err := e.references(ctx, db, &s)
	if err != nil {
		return jobs.Job{}, err
	}
	if err := e.forgetKilled(ctx, db, func(j store.JobRow) bool { return j.Key == key }); err != nil {
		return jobs.Job{}, err
	}
	id, err := newJobID(ctx, db, key)
	if err != nil {
		return jobs.Job{}, err
	}
	row := store.JobRow{
		Job: jobs.Job{ID: id, JobSpec: s}, Key: key, Creator: jobs.Creator(ctx, e.instance), InLytics: &store.InLytics{},
	}
	interrupted, err := e.abandonedJob(ctx, db, row)
	if err != nil {
		return jobs.Job{}, err
	}
	if interrupted == nil {
		return e.createRowInLytics(ctx, db, row, r, nil)
	}
	if interrupted.LyticsID != "" {
		interrupted.Creator = row.Creator
		e.creates.Made(ctx, interrupted.ID)
		return e.changeInLytics(ctx, db, *interrupted, s)
	}
	row.ID = interrupted.ID
	return e.createRowInLytics(ctx, db, row, r, interrupted)
}

// createRowInLytics creates the job of a row. interrupted is the row as an earlier
// attempt left it, or nil.
func (e *Engine) createRowInLytics(ctx context.Context, db *store.DB, row store.JobRow, r lyticsjobs.References,
	interrupted *store.JobRow) (jobs.Job, error) {
	e.creates.Made(ctx, row.ID)
	if err := db.CreateJob(ctx, row, interrupted); err != nil {
		return jobs.Job{}, err
	}
	made, err := e.createAccountJob(ctx, db, row.JobSpec, r, interrupted)
	if err != nil {
		undo := abandonJob
		if interrupted == nil && !lytics.Unsure(err) {
			undo = func(ctx context.Context, db *store.DB, row store.JobRow) error { return db.DeleteJob(ctx, row.ID) }
		}
		return jobs.Job{}, cmp.Or(undo(context.WithoutCancel(ctx), db, row), err)
	}
	row.LyticsID = made.ID
	job, err := e.startCreated(ctx, db, row, made, pausedBy(row.Schedule))
	if err != nil {
		return jobs.Job{}, cmp.Or(abandonJob(context.WithoutCancel(ctx), db, row), err)
	}
	return job, nil
}

// abandonJob leaves a job that may be in Lytics to the next apply: this one fails, so
// that no state file will hold it.
func abandonJob(ctx context.Context, db *store.DB, row store.JobRow) error {
	row.Creator = ""
	return db.PutJob(ctx, row)
}

func (e *Engine) createAccountJob(ctx context.Context, db *store.DB, s jobs.JobSpec, r lyticsjobs.References,
	interrupted *store.JobRow) (lytics.AccountJob, error) {
	account, err := e.lyticsAccount()
	if err != nil {
		return lytics.AccountJob{}, err
	}
	return lyticsjobs.CreateJob(ctx, account, lyticsjobs.Define(s, r), func(j lytics.AccountJob) bool {
		_, err := db.JobByLyticsID(ctx, j.ID)
		return interrupted != nil && isAbandoned(j.Created, interrupted.CreatedAt, err)
	})
}

// startCreated records a job that was created, and starts it if it has a schedule,
// unless it is to be paused. A job without one is started by StartRun.
func (e *Engine) startCreated(ctx context.Context, db *store.DB, row store.JobRow, made lytics.AccountJob, paused bool) (jobs.Job, error) {
	ctx = context.WithoutCancel(ctx) // what was created must not be forgotten
	row.Paused = paused
	if err := db.PutJob(ctx, row); err != nil {
		return jobs.Job{}, err
	}
	if row.Schedule != nil && !row.Paused {
		if err := e.startInLytics(ctx, db, &row, made); err != nil {
			return jobs.Job{}, err
		}
	}
	return e.Job(ctx, row.ID)
}

// startInLytics runs a job of the account now.
func (e *Engine) startInLytics(ctx context.Context, db *store.DB, row *store.JobRow, j lytics.AccountJob) error {
	account, err := e.lyticsAccount()
	if err != nil {
		return err
	}
	defer e.states.forget()
	if err := lyticsjobs.Start(ctx, account, j, row.InLytics.Started); err != nil {
		return err
	}
	row.InLytics.Started, row.Paused = true, false
	return db.PutJob(ctx, *row)
}

// accountJob reads the job of a row from the account.
func (e *Engine) accountJob(ctx context.Context, row store.JobRow) (lyticsjobs.Account, lytics.AccountJob, error) {
	account, err := e.lyticsAccount()
	if err != nil {
		return nil, lytics.AccountJob{}, err
	}
	if row.LyticsID == "" {
		return nil, lytics.AccountJob{}, &jobs.Error{
			Code: jobs.CodeConflict, Summary: "Job " + row.ID + " is not in Lytics yet", Detail: "The apply that creates it did not end.",
			Next: "Apply again",
		}
	}
	j, err := account.AccountJob(ctx, row.LyticsID)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		err = notInLytics("job", row.ID, row.LyticsID)
	}
	return account, j, err
}

// changeInLytics replaces a job of the account with a definition.
func (e *Engine) changeInLytics(ctx context.Context, db *store.DB, row store.JobRow, s jobs.JobSpec) (jobs.Job, error) {
	defer e.states.forget()
	key, r, err := e.references(ctx, db, &s)
	if err != nil {
		return jobs.Job{}, err
	}
	if row.LyticsID == "" {
		interrupted := row
		row.JobSpec, row.Key = s, key
		return e.createRowInLytics(ctx, db, row, r, &interrupted)
	}
	account, was, err := e.accountJob(ctx, row)
	if err != nil {
		return jobs.Job{}, err
	}
	if s.Import != nil && row.Import != nil && !sameTime(s.Import.Since, row.Import.Since) {
		row.InLytics.Since = nil // the definition has a new one
	}
	r.Since = row.InLytics.Since
	before := row.Schedule
	row.JobSpec, row.Key = s, key
	if err := db.PutJob(ctx, row); err != nil { // it refuses another job's key
		return jobs.Job{}, err
	}
	if d := lyticsjobs.Define(s, r); !lyticsjobs.Matches(was, d) {
		if _, err := account.ReplaceAccountJob(ctx, was, d); err != nil {
			return jobs.Job{}, err
		}
	}
	paused := lyticsjobs.Paused(was.Status) || before != nil && !row.InLytics.Started
	if s.Schedule == nil || s.Schedule.Paused != nil {
		paused = pausedBy(s.Schedule)
	}
	// Whether the change started the job again is not documented.
	_, now, err := e.accountJob(ctx, row)
	if err != nil {
		return jobs.Job{}, err
	}
	row.Paused = paused
	switch idle := lyticsjobs.Paused(now.Status); {
	case paused && !idle && row.InLytics.Started:
		err = account.SteerAccountJob(ctx, row.LyticsID, lytics.ActionPause)
	case !paused && s.Schedule != nil && (idle || !row.InLytics.Started || before == nil):
		err = e.startInLytics(ctx, db, &row, now)
	}
	if err != nil {
		return jobs.Job{}, err
	}
	return e.putJob(ctx, db, row)
}

// pauseInLytics pauses or resumes a job in the account.
func (e *Engine) pauseInLytics(ctx context.Context, db *store.DB, row store.JobRow, paused bool) (jobs.Job, error) {
	defer e.states.forget()
	account, j, err := e.accountJob(ctx, row)
	if err != nil {
		return jobs.Job{}, err
	}
	switch idle := lyticsjobs.Paused(j.Status); {
	case paused && !idle:
		err = account.SteerAccountJob(ctx, j.ID, lytics.ActionPause)
	case !paused && (idle || !row.InLytics.Started):
		err = e.startInLytics(ctx, db, &row, j)
	}
	if err != nil {
		return jobs.Job{}, err
	}
	row.Paused = paused
	return e.putJob(ctx, db, row)
}

// killInLytics kills the job of a row in the account.
func (e *Engine) killInLytics(ctx context.Context, row store.JobRow) error {
	if row.LyticsID == "" {
		return nil
	}
	account, err := e.lyticsAccount()
	if err != nil {
		return err
	}
	defer e.states.forget()
	// A job that was killed before is answered with 404, or as deleted.
	if _, err := account.AccountJob(ctx, row.LyticsID); err != nil {
		if jobs.IsCode(err, jobs.CodeNotFound) {
			return nil
		}
		return err
	}
	err = account.SteerAccountJob(ctx, row.LyticsID, lytics.ActionKill)
	if jobs.IsCode(err, jobs.CodeNotFound) {
		return nil
	}
	return err
}

// adoptJob returns the row that stands for a job of the account, and makes one where
// there is none.
func (e *Engine) adoptJob(ctx context.Context, id string) (store.JobRow, error) {
	db, err := e.open(ctx, createStore)
	if err != nil {
		return store.JobRow{}, err
	}
	row, err := db.JobByLyticsID(ctx, id)
	if !jobs.IsCode(err, jobs.CodeNotFound) {
		return row, err
	}
	account, err := e.lyticsAccount()
	if err != nil {
		return row, err
	}
	j, err := account.AccountJob(ctx, id)
	if err != nil {
		return row, err
	}
	if !j.Is(lytics.WorkflowImport) && !j.Is(lytics.WorkflowExport) || len(j.AuthIDs) == 0 {
		return row, jobs.Invalid("id", "Lytics job "+id+" is neither an import from Databricks nor an export to it",
			"Its workflow is "+j.Workflow+".", "Give the id of such a job")
	}
	auth, err := e.adoptAuthorization(ctx, j.AuthIDs[0])
	if err != nil {
		return row, err
	}
	s := lyticsjobs.Adopt(j)
	s.AuthorizationID = auth.ID
	row = store.JobRow{
		Job: jobs.Job{ID: store.NewID("job"), JobSpec: s, Paused: lyticsjobs.Paused(j.Status)}, Key: jobs.Key(auth.Host, s), LyticsID: id,
		Creator: jobs.Creator(ctx, e.instance), InLytics: &store.InLytics{Started: lyticsjobs.Started(j)},
	}
	if err := db.PutJob(ctx, row); err != nil {
		return row, err
	}
	return db.Job(ctx, row.ID)
}

// JobLog implements jobs.Definitions.
func (e *Engine) JobLog(ctx context.Context, id string) ([]jobs.LogLine, error) {
	db, err := e.open(ctx, readStore)
	if err != nil {
		return nil, err
	}
	row, err := db.Job(ctx, id)
	if err != nil {
		return nil, err
	}
	if !row.ManagedBy.IsLytics() {
		return nil, jobs.Invalid("", "Job "+id+" has no log of its own", "This provider executes it, and each of its runs has a log.",
			"List its runs with the command runs")
	}
	account, j, err := e.accountJob(ctx, row)
	if err != nil {
		return nil, err
	}
	lines, err := account.AccountJobLog(ctx, j.ID)
	for i := range lines {
		lines[i].Message = redact.Text(lines[i].Message)
	}
	return lines, err
}
