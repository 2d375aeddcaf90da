package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
)

// Lease is how long a process counts as alive after its last heartbeat. Heartbeat
// is the time between two heartbeats.
const (
	Lease     = 6 * time.Second
	Heartbeat = 2 * time.Second
)

// The kinds of process on a store.
const (
	KindApply  = "apply"
	KindRunner = "runner"
)

// Instance is a process that has the store open.
type Instance struct {
	ID string
	// Kind is KindApply or KindRunner.
	Kind string
	// Host and Version are for display.
	Host, Version string
	// KeyID is the id of the encryption key that the process has; empty if it has
	// none.
	KeyID string
}

// Beat records a heartbeat of an instance, and registers the instance at the first
// one. Instances without a heartbeat for an hour are removed.
func (d *DB) Beat(ctx context.Context, i Instance) error {
	ctx, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		if err := d.refuseOtherSchema(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM instances WHERE heartbeat_at < `+now+` - 3600000000`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO instances (id, kind, host, version, key_id, heartbeat_at) VALUES (?, ?, ?, ?, ?, `+now+`)
			ON CONFLICT (id) DO UPDATE SET heartbeat_at = excluded.heartbeat_at, key_id = excluded.key_id`, i.ID, i.Kind, i.Host, i.Version, i.KeyID)
		return err
	})
}

// Runners lists the runners that are alive, by id.
func (d *DB) Runners(ctx context.Context) ([]Instance, error) {
	all, err := d.Instances(ctx)
	return slices.DeleteFunc(all, func(i Instance) bool { return i.Kind != KindRunner }), err
}

// Instances lists the processes that are alive on the store, runners first.
func (d *DB) Instances(ctx context.Context) ([]Instance, error) {
	all, err := aliveIn(ctx, d.Read(), `host, version`)
	return all, d.failed("Cannot read the store", err)
}

// aliveIn reads the instances within their lease. hostVersion are two columns or
// expressions, because earlier schemas have no columns host and version.
func aliveIn(ctx context.Context, q Querier, hostVersion string) ([]Instance, error) {
	rows, err := q.QueryContext(
		ctx,
		`SELECT id, kind, `+hostVersion+` FROM instances WHERE heartbeat_at > `+now+` - ? ORDER BY kind DESC, id`,
		Lease.Microseconds(),
	)
	if err != nil {
		return nil, err
	}
	return scanInstances(rows)
}

// scanInstances reads rows of id, kind, host and version, and closes them.
func scanInstances(rows *sql.Rows) ([]Instance, error) {
	defer func() { _ = rows.Close() }()
	var all []Instance
	for rows.Next() {
		var i Instance
		if err := rows.Scan(&i.ID, &i.Kind, &i.Host, &i.Version); err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, rows.Err()
}

// creations are the tables of objects that a process creates, with the name of an
// object as jobs.Creates has it.
var creations = []struct{ table, object string }{
	{"authorizations", `id`}, {"jobs", `id`}, {"platform_owners", `kind || '/' || object`},
}

// Retire removes an instance whose process ends normally, and confirms the objects
// it created, except unanswered: Terraform received the responses, so its state holds
// the objects. Only objects of a process that died, or that are unanswered, can be
// adopted.
func (d *DB) Retire(ctx context.Context, id string, unanswered []string) error {
	args := []any{id}
	for _, object := range unanswered {
		args = append(args, object)
	}
	err := d.WriteCommitted(ctx, func(tx *Tx) error {
		for _, c := range creations {
			update := `UPDATE ` + c.table + ` SET confirmed = 1 WHERE creator = ? AND confirmed = 0`
			if len(unanswered) > 0 {
				update += ` AND ` + c.object + ` NOT IN (?` + strings.Repeat(`, ?`, len(unanswered)-1) + `)`
			}
			if _, err := tx.ExecContext(ctx, update, args...); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM instances WHERE id = ?`, id)
		return err
	})
	return errors.Join(err, d.disappear(id))
}

// Alive reports whether an instance had a heartbeat within its lease, or its
// process is alive on this machine.
func (d *DB) Alive(ctx context.Context, id string) (bool, error) {
	if alive, err := d.AliveHere(id); err != nil || alive {
		return alive, err
	}
	return d.Beating(ctx, id)
}

// AliveHere reports whether an instance is a living process of this machine with the
// store's data directory open, which is certain. It is false on PostgreSQL.
func (d *DB) AliveHere(id string) (bool, error) {
	alive, err := d.livingInstances()
	return slices.Contains(alive, id), d.failed("Cannot tell which processes are alive", err)
}

// Beating reports whether an instance had a heartbeat within its lease, which shows
// that it can write to the store.
func (d *DB) Beating(ctx context.Context, id string) (bool, error) {
	return d.exists(ctx, `SELECT 1 FROM instances WHERE id = ? AND heartbeat_at > `+now+` - ?`, id, Lease.Microseconds())
}

// RunnerAlive reports whether a runner is alive on the store.
func (d *DB) RunnerAlive(ctx context.Context) (bool, error) {
	return d.exists(ctx, `SELECT 1 FROM instances WHERE kind = 'runner' AND heartbeat_at > `+now+` - ?`, Lease.Microseconds())
}

func (d *DB) exists(ctx context.Context, query string, args ...any) (bool, error) {
	var one int
	err := d.Read().QueryRowContext(ctx, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, d.failed("Cannot read the store", err)
}

func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

func fromNullMicros(n sql.NullInt64) *time.Time {
	if !n.Valid {
		return nil
	}
	t := fromMicros(n.Int64)
	return &t
}

func nullMicros(t *time.Time) any {
	if t == nil {
		return nil
	}
	return micros(*t)
}
