package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// FinishRun records the end of a run that its owner has claimed, or has queued for
// itself, and enqueues the runs that waited for it.
func (d *DB) FinishRun(ctx context.Context, c *Claim, r jobs.Run, log ...LogEntry) error {
	return d.releaseClaim(
		ctx,
		c,
		r,
		log,
		`status = ?, phase = ?, (`+failureColumns+`) = (?, ?, ?, ?, ?), finished_at = `+now+`, lease_until = NULL`,
		append([]any{string(r.Status), r.Phase}, failureValues(r.Failure)...)...)
}

// Requeue says how a claimed run becomes a queued one again.
type Requeue struct {
	// Phase is the reason, as text.
	Phase string
	// Wait is the time before the run can be claimed again.
	Wait time.Duration
	// Failed counts the claim as an attempt.
	Failed bool
	// WorkerLost counts a worker process that ended while it executed the run.
	WorkerLost bool
}

// RequeueRun queues a claimed shared run again, for any runner. The claim no longer
// holds afterwards.
func (d *DB) RequeueRun(ctx context.Context, c *Claim, r jobs.Run, q Requeue, log ...LogEntry) error {
	return d.releaseClaim(ctx, c, r, log, `status = 'queued', phase = ?, owner = NULL, lease_until = NULL, epoch = epoch + 1, blocked = 0,
			dispatched_at = NULL, available_at = `+now+` + ?, attempt = attempt + ?, workers_lost = workers_lost + ?`,
		q.Phase, q.Wait.Microseconds(), q.Failed, q.WorkerLost)
}

// releaseClaim updates a run, ends its claim, and requeues the runs that waited.
func (d *DB) releaseClaim(ctx context.Context, c *Claim, r jobs.Run, log []LogEntry, set string, args ...any) error {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	args = append(args, r.Done, r.Total, string(counts), c.RunID, c.Owner, c.Epoch)
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		if err := lockRun(ctx, tx, c.JobID, c.AuthorizationID); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE runs SET `+set+`, done = ?, total = ?, counts = ? WHERE `+fenced, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrFenced)
		}
		if err := AppendLog(ctx, tx, c.RunID, log...); err != nil {
			return err
		}
		return d.requeueWaiting(ctx, tx, c)
	})
}

// requeueWaiting requeues the runs that were waiting for the slot this run releases:
// the oldest of the job, the oldest of the authorization, and the run itself if it
// was queued again.
func (d *DB) requeueWaiting(ctx context.Context, tx *Tx, c *Claim) error {
	ids, err := texts(
		tx.QueryContext(ctx, `SELECT id FROM runs WHERE id = ? AND `+namedQueued+` AND shared = 1 AND available_at <= `+now, c.RunID),
	)
	if err != nil {
		return err
	}
	ofJob, err := texts(tx.QueryContext(ctx, `SELECT id FROM runs WHERE job_id = ? AND `+waiting+` ORDER BY created_at, id LIMIT 1`, c.JobID))
	if err != nil {
		return err
	}
	ofAuthorization, err := texts(tx.QueryContext(ctx, `SELECT id FROM runs WHERE authorization_id = ? AND job_id <> ? AND `+waiting+`
		AND NOT EXISTS (SELECT 1 FROM runs o WHERE o.job_id = runs.job_id AND o.status IN ('waiting_for_warehouse', 'running'))
		ORDER BY created_at, id LIMIT 1`, c.AuthorizationID, c.JobID))
	if err != nil {
		return err
	}
	return d.enqueueRuns(ctx, tx, append(append(ids, ofJob...), ofAuthorization...))
}

const waiting = `status = 'queued' AND shared = 1 AND blocked = 1`

// maxLost is the number of attempts at which a run whose runner died fails instead of
// being queued again: the run itself is the likely cause.
const maxLost = 10

// takeOver ends the claims of dead owners: shared runs are queued again, other runs
// fail. It returns the ids of the runs.
func (d *DB) takeOver(ctx context.Context, tx *Tx) ([]string, error) {
	lost, args, err := d.lostRunCondition()
	if err != nil {
		return nil, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, shared, runner, attempt, cancel_requested FROM runs
		WHERE `+lost+tx.skipLocked(), args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []lostRun
	for rows.Next() {
		var l lostRun
		if err := rows.Scan(&l.id, &l.shared, &l.runner, &l.attempt, &l.cancelled); err != nil {
			return nil, err
		}
		all = append(all, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	var again, ids []string
	for _, l := range all {
		ids = append(ids, l.id)
		entry := LogEntry{
			Level:   LogWarn,
			Message: fmt.Sprintf("Runner %s was lost; attempt %d continues where it stopped.", l.runner, l.attempt+1),
		}
		if status, failure := l.end(); !status.Active() {
			entry = LogEntry{Level: LogError, Message: failure.String()}
			err = endUnexecuted(ctx, tx, l.id, status, failure)
		} else {
			again = append(again, l.id)
			_, err = tx.ExecContext(ctx, `UPDATE runs SET status = 'queued', phase = 'queued: its runner was lost', owner = NULL, lease_until = NULL,
				epoch = epoch + 1, attempt = attempt + 1, blocked = 0, dispatched_at = NULL, available_at = 0 WHERE id = ?`, l.id)
		}
		if err == nil {
			err = AppendLog(ctx, tx, l.id, entry)
		}
		if err != nil {
			return nil, err
		}
	}
	return ids, d.enqueueRuns(ctx, tx, again)
}

// lostRun is a run whose owner is dead.
type lostRun struct {
	id, runner        string
	attempt           int
	shared, cancelled bool
}

// end returns the status with which the run leaves its dead owner, and its failure;
// StatusQueued means that another runner continues it.
func (l lostRun) end() (jobs.Status, jobs.Failure) {
	switch {
	case l.cancelled:
		return jobs.StatusCancelled, jobs.Failure{
			Code: jobs.CodeCancelled, Summary: "The run was cancelled, after the process that executed it had ended", Next: jobs.RunAgain,
		}
	case !l.shared:
		return jobs.StatusFailed, jobs.Failure{
			Code: jobs.CodeFailed, Summary: "The process that executed this run ended before it did", Next: jobs.RunAgain,
		}
	case l.attempt >= maxLost:
		return jobs.StatusFailed, jobs.Failure{
			Code: jobs.CodeFailed, Summary: fmt.Sprintf("%d runners were lost while they executed this run", maxLost),
			Detail: fmt.Sprintf("The last one was %s.", l.runner),
			Next:   "Look at that runner's log and memory use, then run the job again: it continues where this run stopped.",
		}
	}
	return jobs.StatusQueued, jobs.Failure{}
}

// endUnexecuted ends a run that no living process executes.
func endUnexecuted(ctx context.Context, tx *Tx, id string, status jobs.Status, f jobs.Failure) error {
	_, err := tx.ExecContext(ctx, `UPDATE runs SET status = ?, (`+failureColumns+`) = (?, ?, ?, ?, ?), phase = '', finished_at = `+now+`,
		lease_until = NULL, epoch = epoch + 1 WHERE id = ?`, append(append([]any{string(status)}, failureValues(f)...), id)...)
	return err
}

// RequestCancel asks a run's owner to stop the run. A run without an owner is
// cancelled at once.
func (d *DB) RequestCancel(ctx context.Context, id string) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		if err := requestCancel(ctx, tx, `id = ?`, id); err != nil {
			return err
		}
		return tx.auditRun(ctx, id)
	})
}

func requestCancel(ctx context.Context, tx *Tx, where string, args ...any) error {
	if _, err := tx.ExecContext(ctx, `UPDATE runs SET cancel_requested = 1 WHERE `+where+` AND `+activeRun, args...); err != nil {
		return err
	}
	ids, err := texts(tx.QueryContext(ctx, `SELECT id FROM runs WHERE `+where+` AND status = 'queued' AND shared = 1`+tx.forUpdate(), args...))
	if err != nil {
		return err
	}
	for _, id := range ids {
		f := jobs.Failure{Code: jobs.CodeCancelled, Summary: "The run was cancelled before it began", Next: "Run the job again."}
		if err := endUnexecuted(ctx, tx, id, jobs.StatusCancelled, f); err != nil {
			return err
		}
		if err := AppendLog(ctx, tx, id, LogEntry{Level: LogInfo, Message: f.String()}); err != nil {
			return err
		}
	}
	return nil
}

// AdoptRun turns a queued shared run into one that owner queued for itself, if no
// runner is alive on the store. Otherwise it returns nil.
func (d *DB) AdoptRun(ctx context.Context, id, owner, runner string) (*Claim, error) {
	c := &Claim{RunID: id, Owner: owner}
	err := d.WriteCommitted(ctx, func(tx *Tx) error {
		if _, err := d.takeOver(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRowContext(
			ctx,
			`UPDATE runs SET shared = 0, owner = ?, runner = ?, epoch = epoch + 1, lease_until = `+now+` + ?, blocked = 0,
				available_at = 0, dispatched_at = NULL
			WHERE id = ? AND status = 'queued' AND shared = 1 AND cancel_requested = 0
				AND NOT EXISTS (SELECT 1 FROM instances WHERE kind = 'runner' AND heartbeat_at > `+now+` - ?)
			RETURNING job_id, authorization_id, epoch, attempt`,
			owner,
			runner,
			Lease.Microseconds(),
			id,
			Lease.Microseconds(),
		).
			Scan(
				&c.JobID,
				&c.AuthorizationID,
				&c.Epoch,
				&c.Attempt,
			)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return c, err
}
