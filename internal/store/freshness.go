package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// lastSuccess is the end of the newest successful run of the job j; NULL if there is none.
const lastSuccess = `(SELECT max(r.finished_at) FROM runs r WHERE r.job_id = j.id AND r.status = 'succeeded')`

// LastSuccess returns the end of the newest successful run of a job; nil if there is none.
func (d *DB) LastSuccess(ctx context.Context, jobID string) (*time.Time, error) {
	var at sql.NullInt64
	err := d.Read().QueryRowContext(ctx, `SELECT max(finished_at) FROM runs WHERE job_id = ? AND status = 'succeeded'`, jobID).Scan(&at)
	return fromNullMicros(at), d.failed("Cannot read the store", err)
}

// LastSuccesses returns the end of the newest successful run of every job that has one,
// by the job's id.
func (d *DB) LastSuccesses(ctx context.Context) (map[string]*time.Time, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT j.id, `+lastSuccess+` FROM jobs j`)
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]*time.Time{}
	for rows.Next() {
		var id string
		var at sql.NullInt64
		if err := rows.Scan(&id, &at); err != nil {
			return nil, d.failed("Cannot read the store", err)
		}
		if at.Valid {
			out[id] = fromNullMicros(at)
		}
	}
	return out, d.failed("Cannot read the store", rows.Err())
}

// Freshness is a job that is expected to succeed: by its definition, or by its schedule.
type Freshness struct {
	// Job has LastSuccessAt.
	Job JobRow
	// Since is the time from which the expectation counts. For one of the definition it
	// is jobs.Job.FreshSince, for one of the schedule the later of the last success and
	// the last change of the definition.
	Since time.Time
}

// Freshnesses lists the jobs that are not paused and that have expected_every or a
// schedule, in no order. It may leave out jobs without expected_every that have
// succeeded within the last time: it is called each minute, and most jobs have.
func (d *DB) Freshnesses(ctx context.Context, within time.Duration) ([]Freshness, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT `+lastSuccess+`, `+jobColumns+` FROM jobs j WHERE paused = 0
		AND (spec LIKE '%"expected_every_seconds":%' OR coalesce(`+lastSuccess+`, 0) <= `+now+` - ?)`, within.Microseconds())
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Freshness
	for rows.Next() {
		var last sql.NullInt64
		j, err := scanJob(func(columns ...any) error { return rows.Scan(append([]any{&last}, columns...)...) })
		if err != nil {
			return nil, err
		}
		if j.Schedule == nil && j.ExpectedEverySeconds == 0 {
			continue
		}
		j.LastSuccessAt = fromNullMicros(last)
		f := Freshness{Job: j, Since: j.FreshSince()}
		if j.ExpectedEverySeconds == 0 && (j.LastSuccessAt == nil || j.UpdatedAt.After(f.Since)) {
			f.Since = j.UpdatedAt
		}
		out = append(out, f)
	}
	return out, d.failed("Cannot read the store", errors.Join(rows.Err(), rows.Close()))
}

// ClaimStaleCheck reports whether this process is the one to look for late jobs now: it
// is false within a time after another process, or this one, was told so.
func (d *DB) ClaimStaleCheck(ctx context.Context, every time.Duration) (claimed bool, err error) {
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE store SET stale_checked_at = `+now+` WHERE stale_checked_at <= `+now+` - ?`, every.Microseconds())
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		claimed = n > 0
		return err
	})
	return claimed, err
}
