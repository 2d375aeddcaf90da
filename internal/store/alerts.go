package store

import (
	"context"
	"strconv"
	"time"
)

// The kinds of alert.
const (
	AlertFailure = "failure"
	AlertStale   = "stale"
)

// Alert is a message for the configured webhook.
type Alert struct {
	// ID is the same at every attempt to deliver it.
	ID    string
	Kind  string
	JobID string
	// RunID is the run that failed; empty for a stale job.
	RunID     string
	CreatedAt time.Time
	// Attempts counts the attempts to deliver it, including the current one.
	Attempts int
}

// alertWindow is the maximum age of a failure that is still reported, if no runner was
// alive when it happened.
const alertWindow = time.Hour

// AddFailureAlerts adds an alert for each run that failed within alertWindow and
// has none.
func (d *DB) AddFailureAlerts(ctx context.Context) error {
	const failed = `FROM runs WHERE status = 'failed' AND finished_at > ` + now + ` - ? AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.id = 'failure:' || runs.id)`
	found, err := d.exists(ctx, `SELECT 1 `+failed+` LIMIT 1`, alertWindow.Microseconds())
	if err != nil || !found {
		return err
	}
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO alerts (id, kind, job_id, run_id, created_at, attempts, next_at)
			SELECT 'failure:' || runs.id, 'failure', runs.job_id, runs.id, `+now+`, 0, `+now+` `+failed+` ON CONFLICT DO NOTHING`, alertWindow.Microseconds())
		return err
	})
}

// AddStaleAlert adds an alert for a job whose last success was at since, unless
// there is one for that job and time.
func (d *DB) AddStaleAlert(ctx context.Context, jobID string, since time.Time) error {
	id := "stale:" + jobID + ":" + strconv.FormatInt(micros(since), 10)
	known, err := d.exists(ctx, `SELECT 1 FROM alerts WHERE id = ?`, id)
	if err != nil || known {
		return err
	}
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO alerts (id, kind, job_id, run_id, created_at, attempts, next_at)
			VALUES (?, 'stale', ?, '', `+now+`, 0, `+now+`) ON CONFLICT DO NOTHING`, id, jobID)
		return err
	})
}

// NextAlert claims an alert for delivery: no other runner receives it before hold has
// passed. It returns nil if no alert is due.
func (d *DB) NextAlert(ctx context.Context, hold time.Duration) (*Alert, error) {
	open, err := d.exists(ctx, `SELECT 1 FROM alerts WHERE done_at IS NULL AND next_at <= `+now+` LIMIT 1`)
	if err != nil || !open {
		return nil, err
	}
	var got *Alert
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		got = nil
		ids, err := texts(
			tx.QueryContext(
				ctx,
				`SELECT id FROM alerts WHERE done_at IS NULL AND next_at <= `+now+` ORDER BY created_at, id LIMIT 1`+tx.skipLocked(),
			),
		)
		if err != nil || len(ids) == 0 {
			return err
		}
		var a Alert
		var created int64
		err = tx.QueryRowContext(ctx, `UPDATE alerts SET attempts = attempts + 1, next_at = `+now+` + ? WHERE id = ?
			RETURNING id, kind, job_id, run_id, created_at, attempts`, hold.Microseconds(), ids[0]).
			Scan(&a.ID, &a.Kind, &a.JobID, &a.RunID, &created, &a.Attempts)
		a.CreatedAt = fromMicros(created)
		got = &a
		return err
	})
	return got, err
}

// DoneAlert records that an alert was delivered or given up.
func (d *DB) DoneAlert(ctx context.Context, id string) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET done_at = `+now+` WHERE id = ?`, id)
		return err
	})
}

// LaterAlert postpones the next attempt to deliver an alert by wait.
func (d *DB) LaterAlert(ctx context.Context, id string, wait time.Duration) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE alerts SET next_at = `+now+` + ? WHERE id = ?`, wait.Microseconds(), id)
		return err
	})
}
