package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Enqueue inserts runs into the queue that delivers them to runners, in the
// transaction that makes them ready.
type Enqueue func(ctx context.Context, tx *Tx, runIDs []string) error

// SetEnqueue sets how this process enqueues runs that become ready. Call it
// before any write. Without it, the runs wait for a runner's DispatchReady.
func (d *DB) SetEnqueue(e Enqueue) { d.enqueue = e }

// enqueueRuns enqueues runs that are ready.
func (d *DB) enqueueRuns(ctx context.Context, tx *Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	dispatched := `NULL`
	if d.enqueue != nil {
		dispatched = now
		if err := d.enqueue(ctx, tx, ids); err != nil {
			return err
		}
	}
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, `UPDATE runs SET blocked = 0, dispatched_at = `+dispatched+` WHERE id = ?`, id); err != nil {
			return err
		}
	}
	return nil
}

// Plan says what to do about a schedule that is due.
type Plan struct {
	// Next is the next planned time; nil means that no further run is planned.
	Next *time.Time
	// Run is the occurrence to run now; nil for none.
	Run *time.Time
	// Missed counts the earlier occurrences that this run replaces.
	Missed int
	// Note, if not empty, is the first line of the run's log.
	Note string
	// Skip are the occurrences to leave out; nil for none.
	Skip *Skip
}

// Skip are planned occurrences that are recorded as missed.
type Skip struct {
	Count       int
	First, Last time.Time
	Why         string
}

// ClaimDue claims up to limit schedules that are due, the longest due first, and
// carries out the result of plan for each. Each occurrence is claimed once, even if
// several processes call it at the same time. It returns the number of schedules it
// claimed.
func (d *DB) ClaimDue(ctx context.Context, limit int, plan func(job JobRow, due, now time.Time) Plan) (int, error) {
	var taken int
	err := d.WriteCommitted(ctx, func(tx *Tx) error {
		due, at, err := dueJobs(ctx, tx, limit)
		if err != nil {
			return err
		}
		var ready []string
		for _, job := range due {
			p := plan(job, *job.NextRunAt, at)
			res, err := tx.ExecContext(ctx, `UPDATE jobs SET next_run_at = ? WHERE id = ? AND next_run_at = ?`,
				nullMicros(p.Next), job.ID, micros(*job.NextRunAt))
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n == 0 {
				return errors.Join(err, fmt.Errorf("the schedule of %s changed while its row was locked", job.ID))
			}
			id, err := insertOccurrence(ctx, tx, job.Job, p)
			if err != nil {
				return err
			}
			if id != "" {
				ready = append(ready, id)
			}
		}
		taken = len(due)
		return d.enqueueRuns(ctx, tx, ready)
	})
	return taken, err
}

const selectDue = `SELECT ` + jobColumns + ` FROM jobs WHERE next_run_at <= ? ORDER BY next_run_at, id LIMIT ?`

// dueJobs returns up to limit jobs that are due, locked for this transaction, and
// the time by the database's clock.
func dueJobs(ctx context.Context, tx *Tx, limit int) ([]JobRow, time.Time, error) {
	var n int64
	if err := tx.QueryRowContext(ctx, `SELECT `+now).Scan(&n); err != nil {
		return nil, time.Time{}, err
	}
	due, err := scanJobs(
		tx.QueryContext(ctx, selectDue+tx.skipLocked(), n, limit),
	)
	return due, fromMicros(n), err
}

// insertOccurrence inserts the runs of a plan, and returns the id of the run to
// enqueue; empty for none.
func insertOccurrence(ctx context.Context, tx *Tx, job jobs.Job, p Plan) (string, error) {
	if p.Skip != nil {
		if err := insertMissed(ctx, tx, job, *p.Skip); err != nil {
			return "", err
		}
	}
	if p.Run == nil {
		return "", nil
	}
	var one int
	err := tx.QueryRowContext(ctx, `SELECT 1 FROM runs WHERE job_id = ? AND planned_at = ?`, job.ID, micros(*p.Run)).Scan(&one)
	if !errors.Is(err, sql.ErrNoRows) {
		return "", err // it ran already; a changed definition set next_run_at back
	}
	// A run that has not begun yet will read the same rows as this one would.
	err = tx.QueryRowContext(
		ctx,
		`SELECT 1 FROM runs WHERE job_id = ? AND status = 'queued' AND shared = 1 AND started_at IS NULL LIMIT 1`,
		job.ID,
	).
		Scan(
			&one,
		)
	if err == nil {
		return "", insertMissed(ctx, tx, job, Skip{Count: 1, First: *p.Run, Last: *p.Run, Why: "the run before it had not begun yet"})
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return "", err
	}
	id := NewID("run")
	if err := insertShared(ctx, tx, sharedRun{id: id, job: job, reason: jobs.ReasonSchedule, planned: p.Run, missed: p.Missed}); err != nil {
		return "", err
	}
	if err := auditScheduled(ctx, tx, job, id); err != nil || p.Note == "" {
		return id, err
	}
	return id, AppendLog(ctx, tx, id, LogEntry{Level: LogWarn, Message: p.Note})
}

// insertMissed records the occurrences left out as one run of status missed.
func insertMissed(ctx context.Context, tx *Tx, job jobs.Job, s Skip) error {
	id := NewID("run")
	text := fmt.Sprintf("The run planned for %s was left out: %s.", s.First.UTC().Format(time.RFC3339), s.Why)
	if s.Count > 1 {
		text = fmt.Sprintf(
			"%d planned runs, from %s to %s, were left out: %s.",
			s.Count,
			s.First.UTC().Format(time.RFC3339),
			s.Last.UTC().Format(time.RFC3339),
			s.Why,
		)
	}
	res, err := tx.ExecContext(
		ctx,
		`INSERT INTO runs (id, job_id, authorization_id, status, reason, shared, planned_at, missed, epoch, error_summary, created_at, finished_at)
		VALUES (?, ?, ?, 'missed', 'schedule', 1, ?, ?, 0, ?, `+now+`, `+now+`) ON CONFLICT (job_id, planned_at) DO NOTHING`,
		id,
		job.ID,
		job.AuthorizationID,
		micros(s.Last),
		s.Count,
		text,
	)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return AppendLog(ctx, tx, id, LogEntry{Level: LogWarn, Message: text})
}

// Due returns the time, by the database's clock, until the next schedule is due and
// until the next queued run can be claimed. It is 0 or less if one is due now, and nil
// if there is none.
func (d *DB) Due(ctx context.Context) (schedule, run *time.Duration, err error) {
	var at int64
	var next, ready sql.NullInt64
	err = d.Read().QueryRowContext(ctx, `SELECT `+now+`, (SELECT min(next_run_at) FROM jobs WHERE next_run_at IS NOT NULL),
		(SELECT min(available_at) FROM runs WHERE status = 'queued' AND shared = 1 AND blocked = 0 AND dispatched_at IS NULL)`).Scan(&at, &next, &ready)
	if err != nil {
		return nil, nil, err
	}
	until := func(n sql.NullInt64) *time.Duration {
		if !n.Valid {
			return nil
		}
		wait := time.Duration(n.Int64-at) * time.Microsecond
		return &wait
	}
	return until(next), until(ready), nil
}

// DispatchReady enqueues up to limit queued runs that are in no queue yet: runs that
// Terraform's processes queued, and runs whose next attempt is due. It returns their
// number.
func (d *DB) DispatchReady(ctx context.Context, limit int) (int, error) {
	var n int
	err := d.WriteCommitted(ctx, func(tx *Tx) error {
		ids, err := texts(
			tx.QueryContext(ctx, `SELECT id FROM runs WHERE status = 'queued' AND shared = 1 AND blocked = 0 AND dispatched_at IS NULL
			AND available_at <= `+now+` ORDER BY available_at, created_at, id LIMIT ?`+tx.skipLocked(), limit),
		)
		n = len(ids)
		if err != nil {
			return err
		}
		return d.enqueueRuns(ctx, tx, ids)
	})
	return n, err
}
