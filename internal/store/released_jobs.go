package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// ReleasedJob returns the id of the job that was last deleted with this key, or "".
// CreateJob takes it back.
func (d *DB) ReleasedJob(ctx context.Context, key string) (string, error) {
	var id string
	err := d.Read().QueryRowContext(ctx, `SELECT id FROM released_jobs WHERE key = ?`, key).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, d.failed("Cannot read the store", err)
}

// takeBack inserts a job that has no row in jobs. If it was released, it keeps the time
// of its creation. Of two processes that take the same job back, the second one is
// refused.
func takeBack(ctx context.Context, tx *Tx, r JobRow) error {
	var released string
	var created int64
	err := tx.QueryRowContext(ctx, `DELETE FROM released_jobs WHERE key = ? RETURNING id, created_at`, r.Key).Scan(&released, &created)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	var one int
	err = tx.QueryRowContext(ctx, `SELECT 1 FROM jobs WHERE id = ?`, r.ID).Scan(&one)
	switch {
	case err == nil:
		return JobConflict(r, r.ID)
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	if err := putJob(ctx, tx, r); err != nil || released != r.ID {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE jobs SET created_at = ? WHERE id = ?`, created, r.ID)
	return err
}

// DeleteJob releases a job: it removes the definition and asks the active runs to stop.
// The cursor, the runs and the id stay, for the next job of the same key.
func (d *DB) DeleteJob(ctx context.Context, id string) error {
	return d.Write(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO released_jobs (key, id, created_at, released_at)
			SELECT key, id, created_at, `+now+` FROM jobs WHERE id = ?
			ON CONFLICT (key) DO UPDATE SET id = excluded.id, created_at = excluded.created_at, released_at = excluded.released_at`, id)
		if err != nil {
			return err
		}
		// The entry takes its label from the row.
		if err := tx.audit(ctx, id, "", ""); err != nil {
			return err
		}
		return forgetJob(ctx, tx, id)
	})
}

// ForgetJob is DeleteJob, except that the next job of the same key is another one. It is
// part of another change, so it makes no audit entry of its own.
func (d *DB) ForgetJob(ctx context.Context, id string) error {
	return d.Write(ctx, func(tx *Tx) error { return forgetJob(ctx, tx, id) })
}

func forgetJob(ctx context.Context, tx *Tx, id string) error {
	if err := requestCancel(ctx, tx, `job_id = ?`, id); err != nil {
		return err
	}
	if err := putUpstreamJobs(ctx, tx, id, nil); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `DELETE FROM jobs WHERE id = ?`, id)
	return err
}

// forgetReleased removes the jobs that were released longer ago than keep. ForgetRuns
// then removes their runs.
func (d *DB) forgetReleased(ctx context.Context, keep time.Duration) error {
	const old = `released_at < ` + now + ` - ?`
	found, err := d.exists(ctx, `SELECT 1 FROM released_jobs WHERE `+old, keep.Microseconds())
	if err != nil || !found {
		return err
	}
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM released_jobs WHERE `+old, keep.Microseconds()); err != nil {
			return err
		}
		// A job that was forgotten, or released again under another id, left versions too.
		_, err := tx.ExecContext(ctx, `DELETE FROM job_versions WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = job_versions.job_id)
			AND NOT EXISTS (SELECT 1 FROM released_jobs r WHERE r.id = job_versions.job_id)`)
		return err
	})
}
