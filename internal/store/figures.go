package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Figures are the store's counts for the metrics.
type Figures struct {
	// Runs counts the active runs by status.
	Runs         map[jobs.Status]int64
	Jobs, Paused int64
	Runners      int64
	// DueLag is the time since the oldest due schedule became due.
	DueLag time.Duration
}

// Figures reads the counts.
func (d *DB) Figures(ctx context.Context) (Figures, error) {
	f := Figures{Runs: map[jobs.Status]int64{}}
	var at int64
	var next sql.NullInt64
	err := d.Read().QueryRowContext(ctx, `SELECT `+now+`, (SELECT min(next_run_at) FROM jobs WHERE next_run_at IS NOT NULL), j.jobs, j.paused,
		(SELECT count(*) FROM instances WHERE kind = 'runner' AND heartbeat_at > `+now+` - ?)
		FROM (SELECT count(*) AS jobs, coalesce(CAST(sum(paused) AS BIGINT), 0) AS paused FROM jobs) AS j`, Lease.Microseconds()).
		Scan(&at, &next, &f.Jobs, &f.Paused, &f.Runners)
	if err != nil {
		return f, err
	}
	if next.Valid {
		f.DueLag = max(0, time.Duration(at-next.Int64)*time.Microsecond)
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT status, count(*) FROM runs WHERE `+activeRun+` GROUP BY status`)
	if err != nil {
		return f, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var status jobs.Status
		var n int64
		if err := rows.Scan(&status, &n); err != nil {
			return f, err
		}
		f.Runs[status] = n
	}
	return f, rows.Err()
}
