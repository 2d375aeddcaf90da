package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// TakeOverLost takes over the runs of dead owners, and returns their ids. It opens
// a write transaction only if there is such a run.
func (d *DB) TakeOverLost(ctx context.Context) (ids []string, err error) {
	lost, args, err := d.lostRunCondition()
	if err != nil {
		return nil, err
	}
	found, err := d.exists(ctx, `SELECT 1 FROM runs WHERE `+lost+` LIMIT 1`, args...)
	if err != nil || !found {
		return nil, err
	}
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		ids, err = d.takeOver(ctx, tx)
		return err
	})
	return ids, err
}

// unblockable is the condition of waiting runs that could be claimed now. There are
// some if a run ended without requeueing them, for example because its process died.
const unblockable = waiting + ` AND NOT EXISTS (SELECT 1 FROM runs o WHERE o.job_id = runs.job_id AND o.status IN ('waiting_for_warehouse', 'running'))
	AND (SELECT count(*) FROM runs o WHERE o.authorization_id = runs.authorization_id AND o.status IN ('waiting_for_warehouse', 'running')) < ?`

// WakeWaiting enqueues waiting runs that could be claimed now.
func (d *DB) WakeWaiting(ctx context.Context, limit int) error {
	idle, err := d.exists(ctx, `SELECT 1 FROM runs WHERE `+unblockable, limit)
	if err != nil || !idle {
		return err
	}
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		ids, err := texts(tx.QueryContext(ctx, `SELECT id FROM runs WHERE `+unblockable+` ORDER BY created_at, id`+tx.skipLocked(), limit))
		if err != nil {
			return err
		}
		return d.enqueueRuns(ctx, tx, ids)
	})
}

// Undelivered lists runs that were enqueued longer than patience ago, have not begun,
// and are no longer in the queue. oldest is the time at which the oldest entry of the
// queue was enqueued; nil means that the queue is empty.
func (d *DB) Undelivered(ctx context.Context, patience time.Duration, oldest *time.Time) ([]string, error) {
	before := int64(math.MaxInt64)
	if oldest != nil {
		before = micros(oldest.Add(-patience))
	}
	return texts(d.Read().QueryContext(ctx, `SELECT id FROM runs WHERE status = 'queued' AND shared = 1 AND blocked = 0
		AND dispatched_at < `+now+` - ? AND dispatched_at < ? ORDER BY dispatched_at, id LIMIT 500`, patience.Microseconds(), before))
}

// Redeliver enqueues runs again.
func (d *DB) Redeliver(ctx context.Context, ids []string) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		var still []string
		for _, id := range ids {
			queued, err := texts(
				tx.QueryContext(ctx, `SELECT id FROM runs WHERE id = ? AND `+namedQueued+` AND shared = 1 AND blocked = 0`+tx.skipLocked(), id),
			)
			if err != nil {
				return err
			}
			still = append(still, queued...)
		}
		return d.enqueueRuns(ctx, tx, still)
	})
}

// putUpstreamJobs replaces the rows in job_after of the jobs that a job runs after.
func putUpstreamJobs(ctx context.Context, tx *Tx, jobID string, after []string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM job_after WHERE job_id = ?`, jobID); err != nil {
		return err
	}
	for _, id := range after {
		if _, err := tx.ExecContext(ctx, `INSERT INTO job_after (job_id, after_id) VALUES (?, ?) ON CONFLICT DO NOTHING`, jobID, id); err != nil {
			return err
		}
	}
	return nil
}

// lastBegun is the time at which the last run of job j began, or at which the job was
// created if it never ran.
const lastBegun = `coalesce((SELECT max(coalesce(r.started_at, r.created_at)) FROM runs r WHERE r.job_id = j.id AND r.status <> 'missed'), j.created_at)`

// followers selects the jobs whose upstream jobs have all succeeded since the job's
// own last run began, and that have no queued run.
const followers = `SELECT j.id FROM jobs j WHERE j.paused = 0
	AND j.id IN (SELECT job_id FROM job_after)
	AND NOT EXISTS (SELECT 1 FROM job_after a WHERE a.job_id = j.id AND NOT EXISTS (
		SELECT 1 FROM runs u WHERE u.job_id = a.after_id AND u.status = 'succeeded' AND u.finished_at > ` + lastBegun + `))
	AND NOT EXISTS (SELECT 1 FROM runs q WHERE q.job_id = j.id AND q.status = 'queued')`

// QueueFollowers queues a run of each job whose upstream jobs have all succeeded,
// and returns their number.
func (d *DB) QueueFollowers(ctx context.Context) (int, error) {
	ids, err := texts(d.Read().QueryContext(ctx, followers))
	if err != nil {
		return 0, err
	}
	var n int
	for _, id := range ids {
		queued := 0
		err := d.WriteCommitted(ctx, func(tx *Tx) error {
			if err := tx.Lock(ctx, "runs of job "+id); err != nil {
				return err
			}
			job, err := scanJob(tx.QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id IN (`+followers+`) AND id = ?`, id).Scan)
			if errors.Is(err, sql.ErrNoRows) {
				return nil // another runner queued it first
			}
			if err != nil {
				return err
			}
			run := NewID("run")
			if err := insertShared(ctx, tx, sharedRun{id: run, job: job.Job, reason: jobs.ReasonAfter}); err != nil {
				return err
			}
			if err := auditScheduled(ctx, tx, job.Job, run); err != nil {
				return err
			}
			queued = 1
			return d.enqueueRuns(ctx, tx, []string{run})
		})
		n += queued
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Pause sets whether a job is paused, and its next planned run.
func (d *DB) Pause(ctx context.Context, id string, paused bool, next *time.Time) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		res, err := tx.ExecContext(
			ctx,
			`UPDATE jobs SET paused = ?, next_run_at = ?, updated_at = `+now+` WHERE id = ?`,
			paused,
			nullMicros(next),
			id,
		)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, notFound("job", id))
		}
		return tx.audit(ctx, id, "", "")
	})
}
