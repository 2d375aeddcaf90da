package store

import (
	"context"
	"errors"
	"time"
)

// forgetBatch is the number of runs that one transaction removes.
const forgetBatch = 500

// forgettable selects the oldest runs that may be removed, of those that ended at or
// after a time. That time lets a batch begin where the one before ended: the runs that
// stay are not looked at again for each batch. The index runs_finished has the order.
const forgettable = `SELECT id, finished_at FROM runs WHERE finished_at < ` + now + ` - ? AND finished_at >= ?
	AND (NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = runs.job_id) AND NOT EXISTS (SELECT 1 FROM released_jobs j WHERE j.id = runs.job_id)
		OR EXISTS (SELECT 1 FROM runs n WHERE n.job_id = runs.job_id AND n.created_at > runs.created_at)
		AND (status <> 'succeeded' OR EXISTS (SELECT 1 FROM runs n
			WHERE n.job_id = runs.job_id AND n.status = 'succeeded' AND n.finished_at > runs.finished_at)))
	ORDER BY finished_at LIMIT ?`

// ForgetRuns removes runs that ended longer ago than keep, with their logs, and jobs
// that were released longer ago. It keeps the latest run and the latest successful run
// of each job, because QueueFollowers reads them, and of each released job, whose
// history they are.
func (d *DB) ForgetRuns(ctx context.Context, keep time.Duration) error {
	if err := d.forgetReleased(ctx, keep); err != nil {
		return err
	}
	var from int64
	for {
		ids, last, err := d.oldRuns(ctx, keep, from)
		if err != nil || len(ids) == 0 {
			return err
		}
		from = last
		err = d.WriteCommitted(ctx, func(tx *Tx) error {
			for _, id := range ids {
				for _, query := range []string{`DELETE FROM run_log WHERE run_id = ?`, `DELETE FROM runs WHERE id = ?`} {
					if _, err := tx.ExecContext(ctx, query, id); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// oldRuns returns the next runs to remove, and when the last of them ended.
func (d *DB) oldRuns(ctx context.Context, keep time.Duration, from int64) (ids []string, last int64, err error) {
	rows, err := d.Read().QueryContext(ctx, forgettable, keep.Microseconds(), from, forgetBatch)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id, &last); err != nil {
			return nil, 0, err
		}
		ids = append(ids, id)
	}
	return ids, last, errors.Join(rows.Err(), rows.Close())
}
