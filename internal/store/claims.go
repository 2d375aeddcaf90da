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

// ErrFenced means that the run has another owner, or none: this process may no
// longer write for it.
var ErrFenced = errors.New("the run's lease was lost to another process")

// Claim is the right to execute a run, until its lease ends.
type Claim struct {
	RunID, JobID, AuthorizationID string
	Owner                         string
	// Epoch grows with every claim. It is 0 for the process that queued the run
	// for itself, before its claim succeeded.
	Epoch int64
	// Attempt counts from 1.
	Attempt int
	// WorkersLost is how many worker processes ended while they executed the run.
	WorkersLost int
	// Trace is the span of the run, for the worker process that continues its trace; empty
	// without traces. The store does not keep it.
	Trace string
}

// NewRun is a run to be queued.
type NewRun struct {
	Job    jobs.Job
	Reason jobs.Reason
	// Owner is the id of the process that will execute the run, and Runner the name
	// that people see. Without an owner, any runner of the store executes the run.
	Owner, Runner string
}

// QueueRun adds a run.
func (d *DB) QueueRun(ctx context.Context, n NewRun) (jobs.Run, error) {
	id := NewID("run")
	err := d.WriteCommitted(ctx, func(tx *Tx) error {
		if n.Owner == "" {
			if err := insertShared(ctx, tx, sharedRun{id: id, job: n.Job, reason: n.Reason}); err != nil {
				return err
			}
			return tx.auditAfter(ctx, d.enqueueRuns(ctx, tx, []string{id}), n.Job.ID, n.Job.Label, id)
		}
		_, err := tx.ExecContext(
			ctx,
			`INSERT INTO runs (id, job_id, authorization_id, status, reason, owner, runner, epoch, lease_until, phase, created_at)
			VALUES (?, ?, ?, 'queued', ?, ?, ?, 0, `+now+` + ?, 'queued', `+now+`)`,
			id,
			n.Job.ID,
			n.Job.AuthorizationID,
			string(n.Reason),
			n.Owner,
			n.Runner,
			Lease.Microseconds(),
		)
		return tx.auditAfter(ctx, err, n.Job.ID, n.Job.Label, id)
	})
	if err != nil {
		return jobs.Run{}, err
	}
	return d.Run(ctx, id)
}

// sharedRun is a run to be queued for the runners.
type sharedRun struct {
	id     string
	job    jobs.Job
	reason jobs.Reason
	// planned and missed are as in jobs.Run.
	planned *time.Time
	missed  int
}

func insertShared(ctx context.Context, tx *Tx, r sharedRun) error {
	_, err := tx.ExecContext(
		ctx,
		`INSERT INTO runs (id, job_id, authorization_id, status, reason, shared, planned_at, missed, epoch, phase, created_at)
		VALUES (?, ?, ?, 'queued', ?, 1, ?, ?, 0, 'queued', `+now+`)`,
		r.id,
		r.job.ID,
		r.job.AuthorizationID,
		string(r.reason),
		nullMicros(r.planned),
		r.missed,
	)
	return err
}

// lockRun locks the runs of the job and of the authorization until the transaction
// ends, so that no other process claims or ends one of them. Without the lock, a run
// could begin to wait after the run that it waits for has looked for waiting runs.
func lockRun(ctx context.Context, tx *Tx, jobID, authorizationID string) error {
	if err := tx.Lock(ctx, "runs of job "+jobID); err != nil {
		return err
	}
	return tx.Lock(ctx, "runs of authorization "+authorizationID)
}

// ClaimRun claims a queued run for owner: a run that owner queued for itself, or a
// shared run. If another run of the job is active, or limit runs of the authorization
// are active, it returns nil and that reason as text; when one of them ends, a shared
// run is enqueued again. The error is ErrFenced if the run is not queued or belongs
// to another process, and context.Canceled if it was cancelled. Runs of dead owners
// are taken over first; their cursors stay.
func (d *DB) ClaimRun(ctx context.Context, runID, owner, runner string, limit int) (*Claim, string, error) {
	c := &Claim{RunID: runID, Owner: owner}
	var wait string
	err := d.WriteCommitted(ctx, func(tx *Tx) error {
		var shared bool
		err := tx.QueryRowContext(ctx, `SELECT job_id, authorization_id, shared FROM runs WHERE id = ?`, runID).
			Scan(&c.JobID, &c.AuthorizationID, &shared)
		if err != nil {
			return err
		}
		if !shared { // a runner calls TakeOverLost periodically
			if _, err := d.takeOver(ctx, tx); err != nil {
				return err
			}
		}
		if err := lockRun(ctx, tx, c.JobID, c.AuthorizationID); err != nil {
			return err
		}
		var cancelled bool
		err = tx.QueryRowContext(ctx, `SELECT cancel_requested FROM runs WHERE id = ? AND `+claimable+tx.forUpdate(), runID, owner).
			Scan(&cancelled)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrFenced
		}
		if err != nil {
			return err
		}
		if cancelled {
			return context.Canceled
		}
		if wait, err = reasonToWait(ctx, tx, c, limit); err != nil {
			return err
		}
		if wait != "" {
			_, err := tx.ExecContext(ctx, `UPDATE runs SET phase = ?, blocked = shared,
				lease_until = CASE WHEN shared = 1 THEN NULL ELSE `+now+` + ? END WHERE id = ?`, wait, Lease.Microseconds(), runID)
			return err
		}
		return tx.QueryRowContext(ctx, `UPDATE runs SET lease_until = `+now+` + ?, status = 'waiting_for_warehouse', phase = 'connecting',
			epoch = epoch + 1, owner = ?, runner = ?, blocked = 0, started_at = coalesce(started_at, `+now+`) WHERE id = ?
			RETURNING epoch, attempt, workers_lost`,
			Lease.Microseconds(), owner, runner, runID).Scan(&c.Epoch, &c.Attempt, &c.WorkersLost)
	})
	if err != nil || wait != "" {
		return nil, wait, err
	}
	return c, "", nil
}

const claimable = namedQueued + ` AND (owner = ? OR shared = 1) AND available_at <= ` + now

// reasonToWait says, as text, why a run has to wait; it is empty if the run can begin.
func reasonToWait(ctx context.Context, tx *Tx, c *Claim, limit int) (string, error) {
	var sameJob, sameAuthorization int
	err := tx.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM runs WHERE job_id = ? AND status IN ('waiting_for_warehouse', 'running')),
		(SELECT count(*) FROM runs WHERE authorization_id = ? AND status IN ('waiting_for_warehouse', 'running'))`,
		c.JobID, c.AuthorizationID).Scan(&sameJob, &sameAuthorization)
	switch {
	case err != nil:
		return "", err
	case sameJob > 0:
		return "queued: another run of this job is active", nil
	case sameAuthorization >= limit:
		return fmt.Sprintf("queued: %d runs of this authorization are active", sameAuthorization), nil
	}
	return "", nil
}

// BeatRun renews the lease, writes progress and log lines, and reports whether
// the run's cancellation was requested. The error is ErrFenced if the claim no
// longer holds.
func (d *DB) BeatRun(ctx context.Context, c *Claim, r jobs.Run, log ...LogEntry) (cancel bool, err error) {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return false, err
	}
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE runs SET lease_until = `+now+` + ?, status = ?, phase = ?, done = ?, total = ?, counts = ?
			WHERE `+fenced+` RETURNING cancel_requested`, Lease.Microseconds(), string(r.Status), r.Phase, r.Done, r.Total, string(counts),
			c.RunID, c.Owner, c.Epoch).Scan(&cancel)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrFenced
		}
		if err != nil {
			return err
		}
		return AppendLog(ctx, tx, c.RunID, log...)
	})
	return cancel, err
}

// CancelRequested reports whether a run's cancellation was requested. It costs
// less than a heartbeat.
func (d *DB) CancelRequested(ctx context.Context, runID string) (bool, error) {
	return d.exists(ctx, `SELECT 1 FROM runs WHERE id = ? AND cancel_requested = 1`, runID)
}

const fenced = `id = ? AND owner = ? AND epoch = ? AND ` + namedActive

// Fence returns ErrFenced if the claim no longer holds. Every transaction that writes
// for a run calls it.
func Fence(ctx context.Context, tx *Tx, c *Claim) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM runs WHERE `+fenced+tx.forUpdate(), c.RunID, c.Owner, c.Epoch).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrFenced
	}
	return err
}
