package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

const activeRun = `status IN ('queued', 'waiting_for_warehouse', 'running')`

// namedActive and namedQueued are conditions on the status of one run, in a statement
// that names it. They do not have the text of an index of active or queued runs: where
// statistics were collected while few runs were active, PostgreSQL would read all
// entries of such an index in place of one entry of the primary key, for each run of the
// thousand that begin at the same minute.
const (
	namedActive = `status || '' IN ('queued', 'waiting_for_warehouse', 'running')`
	namedQueued = `status || '' = 'queued'`
)

// failureColumns are the columns of a run's jobs.Failure, in the order of
// failureValues.
const failureColumns = `error_code, error_summary, error_detail, error_next, error_attribute`

func failureValues(f jobs.Failure) []any {
	return []any{string(f.Code), f.Summary, f.Detail, f.Next, f.Attribute}
}

const runColumns = `id, job_id, status, reason, planned_at, missed, attempt, runner, phase, done, total, counts, ` + failureColumns + `,
	created_at, started_at, finished_at, CASE WHEN status = 'queued' AND blocked = 0 AND available_at > created_at THEN available_at END,
	cancel_requested`

func scanRun(scan func(...any) error) (jobs.Run, error) {
	var r jobs.Run
	var counts string
	var created int64
	var planned, started, finished, next sql.NullInt64
	if err := scan(
		&r.ID,
		&r.JobID,
		&r.Status,
		&r.Reason,
		&planned,
		&r.Missed,
		&r.Attempt,
		&r.Runner,
		&r.Phase,
		&r.Done,
		&r.Total,
		&counts,
		&r.Failure.Code,
		&r.Failure.Summary,
		&r.Failure.Detail,
		&r.Failure.Next,
		&r.Failure.Attribute,
		&created,
		&started,
		&finished,
		&next,
		&r.Cancelling,
	); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
		return r, corrupt("run "+r.ID, err)
	}
	r.Cancelling = r.Cancelling && r.Status.Active()
	r.PlannedAt, r.NextAttemptAt = fromNullMicros(planned), fromNullMicros(next)
	r.CreatedAt, r.StartedAt, r.FinishedAt = fromMicros(created), fromNullMicros(started), fromNullMicros(finished)
	return r, nil
}

// Run reads a run. A run whose owner died stays active until another process takes it
// over; Stale reports such a run.
func (d *DB) Run(ctx context.Context, id string) (jobs.Run, error) {
	r, err := scanRun(d.Read().QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("run", id)
	}
	return r, err
}

// Stale reports whether a run is active although its owner, the only process that
// may execute it, is dead. A shared run is never stale: a runner takes it over.
func (d *DB) Stale(ctx context.Context, id string) (bool, error) {
	lost, args, err := d.lostRunCondition()
	if err != nil {
		return false, err
	}
	return d.exists(ctx, `SELECT 1 FROM runs WHERE id = ? AND shared = 0 AND `+lost, append([]any{id}, args...)...)
}

// Runs lists the runs that match a filter, newest first.
func (d *DB) Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	where, args := []string{"1 = 1"}, []any{}
	if f.JobID != "" {
		where, args = append(where, `job_id = ?`), append(args, f.JobID)
	}
	if len(f.Statuses) > 0 {
		where = append(where, `status IN (?`+strings.Repeat(`, ?`, len(f.Statuses)-1)+`)`)
		for _, s := range f.Statuses {
			args = append(args, string(s))
		}
	}
	if !f.Since.IsZero() {
		where, args = append(where, `created_at >= ?`), append(args, micros(f.Since))
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	if f.After != "" {
		var created int64
		err := d.Read().QueryRowContext(ctx, `SELECT created_at FROM runs WHERE id = ?`, f.After).Scan(&created)
		if errors.Is(err, sql.ErrNoRows) {
			return nil, jobs.NoRunToGoOnAfter(f.After)
		}
		if err != nil {
			return nil, err
		}
		where, args = append(where, `(created_at < ? OR created_at = ? AND id > ?)`), append(args, created, created, f.After)
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE `+strings.Join(where, " AND ")+
		` ORDER BY created_at DESC, id LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []jobs.Run
	for rows.Next() {
		r, err := scanRun(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// LastRuns returns the newest run of every job, by the job's id.
func (d *DB) LastRuns(ctx context.Context) (map[string]*jobs.Run, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id IN (
		SELECT (SELECT r.id FROM runs r WHERE r.job_id = j.id ORDER BY r.created_at DESC, r.id LIMIT 1) FROM jobs j)`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := map[string]*jobs.Run{}
	for rows.Next() {
		r, err := scanRun(rows.Scan)
		if err != nil {
			return nil, err
		}
		out[r.JobID] = &r
	}
	return out, rows.Err()
}

// Clock reads the database's clock.
func (d *DB) Clock(ctx context.Context) (time.Time, error) {
	var n int64
	err := d.Read().QueryRowContext(ctx, `SELECT `+now).Scan(&n)
	return fromMicros(n), err
}
