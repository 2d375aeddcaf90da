package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Audited is a change that is made for somebody. The transaction that makes the
// change records it; Done reports that this has happened.
type Audited struct {
	Actor  jobs.Actor
	Action string
	done   atomic.Bool
}

// Done reports whether the change was recorded with the transaction that made it.
func (a *Audited) Done() bool { return a.done.Load() }

type auditedKey struct{}

// WithAudited makes the next change of the store that belongs to the action record
// it, in the transaction that makes the change.
func WithAudited(ctx context.Context, a *Audited) context.Context {
	return context.WithValue(ctx, auditedKey{}, a)
}

// audit records the change of the context, if it has one that no transaction has
// recorded yet. An empty label is read from the object.
func (t *Tx) audit(ctx context.Context, object, label, runID string) error {
	a, ok := ctx.Value(auditedKey{}).(*Audited)
	if !ok || a.Done() || t.audited == a {
		return nil
	}
	t.audited = a
	return insertAudit(ctx, t, jobs.AuditEntry{
		Actor: a.Actor.Name, Role: a.Actor.Role, Via: a.Actor.Via, Address: a.Actor.Address,
		Action: a.Action, Object: object, Label: label, RunID: runID, Result: jobs.AuditOK,
	})
}

// auditAfter is audit after a change, unless that failed.
func (t *Tx) auditAfter(ctx context.Context, err error, object, label, runID string) error {
	if err != nil {
		return err
	}
	return t.audit(ctx, object, label, runID)
}

// auditRun is audit for a change of a run.
func (t *Tx) auditRun(ctx context.Context, runID string) error {
	var job string
	err := t.QueryRowContext(ctx, `SELECT job_id FROM runs WHERE id = ?`, runID).Scan(&job)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return t.audit(ctx, job, "", runID)
}

// auditScheduled records a run that the runner starts by itself.
func auditScheduled(ctx context.Context, tx *Tx, job jobs.Job, runID string) error {
	return insertAudit(ctx, tx, jobs.AuditEntry{
		Actor: jobs.ActorSchedule, Via: jobs.ViaSchedule, Action: "start-run", Object: job.ID, Label: job.Label, RunID: runID, Result: jobs.AuditOK,
	})
}

// longestAudited bounds each text of an entry: an object's id may be any text that
// a caller sent.
const longestAudited = 200

func insertAudit(ctx context.Context, tx *Tx, e jobs.AuditEntry) error {
	args := []any{}
	for _, text := range []string{e.Actor, string(e.Role), string(e.Via), e.Address, e.Action, e.Object, e.Label, e.Object, e.Object,
		e.RunID, e.Result} {
		if len(text) > longestAudited {
			text = strings.ToValidUTF8(text[:longestAudited], "")
		}
		args = append(args, text)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (at, actor, role, via, address, action, object, label, run_id, result)
		VALUES (`+now+`, ?, ?, ?, ?, ?, ?, coalesce(nullif(?, ''), (SELECT label FROM jobs WHERE id = ?),
			(SELECT label FROM authorizations WHERE id = ?), ''), ?, ?)`, args...)
	return err
}

// AppendAudit records an entry by itself: of a change that failed, or that was made
// outside of the store.
func (d *DB) AppendAudit(ctx context.Context, e jobs.AuditEntry) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error { return insertAudit(ctx, tx, e) })
}

// DefaultAuditRetention is a year and a month, so that a yearly audit finds a whole
// year.
const DefaultAuditRetention = 400 * 24 * time.Hour

// ForgetEmbeddedAudit is ForgetAudit for a process that is no runner, on a store that
// only such processes use. Where a runner is alive, or the log has an entry made through
// one, it removes nothing: the operator of the runner says how long entries are kept.
func (d *DB) ForgetEmbeddedAudit(ctx context.Context, keep time.Duration) error {
	alive, err := d.RunnerAlive(ctx)
	if err != nil || alive {
		return err
	}
	runner, err := d.exists(ctx, `SELECT 1 FROM audit WHERE via <> ? LIMIT 1`, string(jobs.ViaEmbedded))
	if err != nil || runner {
		return err
	}
	return d.ForgetAudit(ctx, keep)
}

// ForgetAudit removes entries that are older than keep.
func (d *DB) ForgetAudit(ctx context.Context, keep time.Duration) error {
	const old = ` FROM audit WHERE at < ` + now + ` - ?`
	found, err := d.exists(ctx, `SELECT 1`+old+` LIMIT 1`, keep.Microseconds())
	if err != nil || !found {
		return err
	}
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE`+old, keep.Microseconds())
		return err
	})
}

// The page sizes of the audit log.
const (
	auditLimit = 100
	auditMost  = 1000
)

// AuditLog lists entries, the newest first.
func (d *DB) AuditLog(ctx context.Context, f jobs.AuditFilter) (jobs.AuditPage, error) {
	page := jobs.AuditPage{Entries: []jobs.AuditEntry{}}
	where, args := []string{`1 = 1`}, []any{}
	for _, c := range []struct {
		condition string
		value     string
	}{{`actor = ?`, f.Actor}, {`object = ?`, f.Object}, {`action = ?`, f.Action}} {
		if c.value != "" {
			where, args = append(where, c.condition), append(args, c.value)
		}
	}
	if !f.Since.IsZero() {
		where, args = append(where, `at >= ?`), append(args, micros(f.Since))
	}
	if f.Before > 0 {
		where, args = append(where, `id < ?`), append(args, f.Before)
	}
	if f.Limit <= 0 {
		f.Limit = auditLimit
	}
	limit := min(f.Limit, auditMost)
	rows, err := d.Read().QueryContext(ctx, `SELECT id, at, actor, role, via, address, action, object, label, run_id, result
		FROM audit WHERE `+strings.Join(where, ` AND `)+` ORDER BY id DESC LIMIT ?`, append(args, limit+1)...)
	if err != nil {
		return page, d.failed("Cannot read the audit log", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e jobs.AuditEntry
		var at int64
		if err := rows.Scan(&e.ID, &at, &e.Actor, &e.Role, &e.Via, &e.Address, &e.Action, &e.Object, &e.Label, &e.RunID, &e.Result); err != nil {
			return page, d.failed("Cannot read the audit log", err)
		}
		e.At = fromMicros(at)
		page.Entries = append(page.Entries, e)
	}
	if len(page.Entries) > limit {
		page.Entries = page.Entries[:limit]
		page.Next = page.Entries[limit-1].ID
	}
	return page, d.failed("Cannot read the audit log", rows.Err())
}
