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

const activeRun = `status IN ('queued', 'waiting_for_warehouse', 'running')`

const runColumns = `id, job_id, status, reason, phase, done, total, counts, error, error_code, error_attribute, created_at, started_at, finished_at`

// ErrFenced means that the run has another owner, or none: this process may
// not write for it any more.
var ErrFenced = errors.New("the run's lease was lost to another process")

// Claim is the right to execute a run, until its lease ends.
type Claim struct {
	RunID, JobID, Owner string
	Epoch               int64
}

// QueueRun adds a run that owner will execute.
func (d *DB) QueueRun(ctx context.Context, job jobs.Job, reason jobs.Reason, owner string) (jobs.Run, error) {
	id := NewID("run")
	err := d.Write(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO runs (id, job_id, authorization_id, status, reason, owner, epoch, lease_until, phase, created_at)
			VALUES (?, ?, ?, 'queued', ?, ?, 0, `+now+` + ?, 'queued', `+now+`)`,
			id, job.ID, job.AuthorizationID, reason, owner, Lease.Microseconds())
		return err
	})
	if err != nil {
		return jobs.Run{}, err
	}
	return d.Run(ctx, id)
}

// ClaimRun tries to move a queued run of owner to execution. It returns nil
// and the reason in words while another run of the job is active, or while
// limit runs of the same authorization are. Runs whose owner is dead are
// marked failed on the way; their cursors stand.
func (d *DB) ClaimRun(ctx context.Context, runID, owner string, limit int) (*Claim, string, error) {
	c := &Claim{RunID: runID, Owner: owner}
	var wait string
	err := d.Write(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE runs SET status = 'failed', finished_at = `+now+`, error_code = 'failed',
			error = 'The process that executed this run ended before it did. Run the job again: it goes on from where this run was.'
			WHERE `+activeRun+` AND lease_until < `+now); err != nil {
			return err
		}
		var auth, status string
		var cancelled bool
		if err := tx.QueryRowContext(ctx, `SELECT job_id, authorization_id, status, cancel_requested, epoch FROM runs WHERE id = ? AND owner = ?`, runID, owner).
			Scan(&c.JobID, &auth, &status, &cancelled, &c.Epoch); err != nil {
			return err
		}
		if status != string(jobs.StatusQueued) {
			return ErrFenced
		}
		if cancelled {
			return context.Canceled
		}
		var sameJob, sameAuthorization int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FILTER (WHERE job_id = ?), count(*) FILTER (WHERE authorization_id = ?)
			FROM runs WHERE status IN ('waiting_for_warehouse', 'running')`, c.JobID, auth).Scan(&sameJob, &sameAuthorization); err != nil {
			return err
		}
		switch {
		case sameJob > 0:
			wait = "queued: another run of this job is active"
		case sameAuthorization >= limit:
			wait = fmt.Sprintf("queued: %d runs of this authorization are active", sameAuthorization)
		}
		c.Epoch++
		query := `UPDATE runs SET lease_until = ` + now + ` + ?, status = 'waiting_for_warehouse', phase = 'connecting', epoch = ?, started_at = ` + now + ` WHERE id = ?`
		args := []any{Lease.Microseconds(), c.Epoch, runID}
		if wait != "" {
			query, args = `UPDATE runs SET lease_until = `+now+` + ?, phase = ? WHERE id = ?`, []any{Lease.Microseconds(), wait, runID}
		}
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
	if err != nil || wait != "" {
		return nil, wait, err
	}
	return c, "", nil
}

// BeatRun renews the lease, records progress, and reports whether the run was
// asked to stop. ErrFenced when it is no longer this owner's.
func (d *DB) BeatRun(ctx context.Context, c *Claim, r jobs.Run) (cancel bool, err error) {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return false, err
	}
	err = d.Write(ctx, func(tx *Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE runs SET lease_until = `+now+` + ?, status = ?, phase = ?, done = ?, total = ?, counts = ?
			WHERE `+fenced+` RETURNING cancel_requested`, Lease.Microseconds(), r.Status, r.Phase, r.Done, r.Total, string(counts),
			c.RunID, c.Owner, c.Epoch).Scan(&cancel)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrFenced
		}
		return err
	})
	return cancel, err
}

const fenced = `id = ? AND owner = ? AND epoch = ? AND ` + activeRun

// Fence fails with ErrFenced, inside a transaction that writes for a run, when
// the run is no longer this owner's.
func Fence(ctx context.Context, tx *Tx, c *Claim) error {
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM runs WHERE `+fenced, c.RunID, c.Owner, c.Epoch).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return ErrFenced
	}
	return err
}

// FinishRun records the end of a run that this owner holds or still queues.
func (d *DB) FinishRun(ctx context.Context, owner string, r jobs.Run) error {
	counts, err := json.Marshal(r.Counts)
	if err != nil {
		return err
	}
	return d.Write(ctx, func(tx *Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE runs SET status = ?, phase = ?, done = ?, total = ?, counts = ?, error = ?, error_code = ?,
			error_attribute = ?, finished_at = `+now+`, lease_until = NULL WHERE id = ? AND owner = ? AND `+activeRun,
			r.Status, r.Phase, r.Done, r.Total, string(counts), r.Error, r.ErrorCode, r.ErrorAttribute, r.ID, owner)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrFenced)
		}
		return nil
	})
}

// RequestCancel asks a run's owner to stop it, at its next heartbeat.
func (d *DB) RequestCancel(ctx context.Context, id string) error {
	return d.Write(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET cancel_requested = 1 WHERE id = ? AND `+activeRun, id)
		return err
	})
}

func scanRun(scan func(...any) error) (jobs.Run, error) {
	var r jobs.Run
	var counts string
	var created int64
	var started, finished sql.NullInt64
	if err := scan(&r.ID, &r.JobID, &r.Status, &r.Reason, &r.Phase, &r.Done, &r.Total, &counts, &r.Error, &r.ErrorCode, &r.ErrorAttribute, &created, &started, &finished); err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(counts), &r.Counts); err != nil {
		return r, corrupt("run "+r.ID, err)
	}
	r.CreatedAt, r.StartedAt, r.FinishedAt = fromMicros(created), fromNullMicros(started), fromNullMicros(finished)
	return r, nil
}

// Run reads one. A run whose owner died shows as active until its job is run
// again; Stale tells.
func (d *DB) Run(ctx context.Context, id string) (jobs.Run, error) {
	r, err := scanRun(d.Read().QueryRowContext(ctx, `SELECT `+runColumns+` FROM runs WHERE id = ?`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, notFound("run", id)
	}
	return r, err
}

// Stale reports whether a run is marked active though its lease has ended.
func (d *DB) Stale(ctx context.Context, id string) (bool, error) {
	return d.exists(ctx, `SELECT 1 FROM runs WHERE id = ? AND `+activeRun+` AND lease_until < `+now, id)
}

// Runs lists the newest first.
func (d *DB) Runs(ctx context.Context, f jobs.RunFilter) ([]jobs.Run, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT `+runColumns+` FROM runs WHERE (? = '' OR job_id = ?) ORDER BY created_at DESC, id LIMIT ?`, f.JobID, f.JobID, f.Limit)
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

// Clock reads the database's clock.
func (d *DB) Clock(ctx context.Context) (time.Time, error) {
	var n int64
	err := d.Read().QueryRowContext(ctx, `SELECT `+now).Scan(&n)
	return fromMicros(n), err
}
