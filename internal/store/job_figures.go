package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// JobFigures are what the metrics show of one job.
type JobFigures struct {
	Job JobRow
	// LastSuccess is the end of the newest successful run; nil if there is none.
	LastSuccess *time.Time
	// Ended is the newest run that was executed and has ended: its times and counts
	// alone. It is nil if there is none.
	Ended *jobs.Run
	// Failures counts the failed runs since the newest successful one.
	Failures int64
	// Quarantined counts the rejected rows that the quarantine holds for the job.
	Quarantined int64
	// Cursor is the document of the job's cursor; nil if there is none.
	Cursor []byte
}

// jobFigures selects the figures of the oldest jobs. Each subquery reads a few entries
// of an index, so that the cost does not grow with the history of a job. A cursor has
// the key of its job, or that key, a bar and the platform: these keys lie between the
// key with a bar and the key with the next character.
const jobFigures = `SELECT j.id, s.finished_at, e.started_at, e.finished_at, e.counts,
	(SELECT count(*) FROM runs r WHERE r.job_id = j.id AND r.status = 'failed' AND r.created_at > coalesce(s.created_at, 0)),
	(SELECT coalesce(sum(q.rejected), 0) FROM quarantine q WHERE q.job_id = j.id),
	(SELECT c.state FROM cursors c WHERE c.key = j.key OR (c.key >= j.key || '|' AND c.key < j.key || '}')
		ORDER BY c.updated_at DESC LIMIT 1)
	FROM (SELECT id, key, created_at FROM jobs ORDER BY created_at, id LIMIT ?) j
	LEFT JOIN runs s ON s.id = (SELECT r.id FROM runs r WHERE r.job_id = j.id AND r.status = 'succeeded'
		ORDER BY r.finished_at DESC LIMIT 1)
	LEFT JOIN runs e ON e.id = (SELECT r.id FROM runs r WHERE r.job_id = j.id AND r.started_at IS NOT NULL
		AND r.status IN ('succeeded', 'failed', 'cancelled') ORDER BY r.created_at DESC LIMIT 1)
	ORDER BY j.created_at, j.id`

const selectOldest = `SELECT ` + jobColumns + ` FROM jobs ORDER BY created_at, id LIMIT ?`

// JobFigures reads the figures of the limit oldest jobs, oldest job first. The oldest
// ones, because they stay the same when a job is added.
func (d *DB) JobFigures(ctx context.Context, limit int) (all []JobFigures, err error) {
	err = d.Read().Snapshot(ctx, func(read Querier) error {
		all, err = readJobFigures(ctx, read, limit)
		return err
	})
	return all, d.failed("Cannot read the store", err)
}

func readJobFigures(ctx context.Context, read Querier, limit int) ([]JobFigures, error) {
	list, err := scanJobs(read.QueryContext(ctx, selectOldest, limit))
	if err != nil {
		return nil, err
	}
	byID := make(map[string]JobRow, len(list))
	for _, r := range list {
		byID[r.ID] = r
	}
	rows, err := read.QueryContext(ctx, jobFigures, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := make([]JobFigures, 0, len(list))
	for rows.Next() {
		f, err := scanOneJob(rows.Scan, byID)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, rows.Err()
}

func scanOneJob(scan func(...any) error, byID map[string]JobRow) (f JobFigures, err error) {
	var id string
	var succeeded, started, finished sql.NullInt64
	var counts, cursor sql.NullString
	if err := scan(&id, &succeeded, &started, &finished, &counts, &f.Failures, &f.Quarantined, &cursor); err != nil {
		return f, err
	}
	f.Job, f.LastSuccess = byID[id], fromNullMicros(succeeded)
	if cursor.Valid {
		f.Cursor = []byte(cursor.String)
	}
	if !counts.Valid {
		return f, nil
	}
	f.Ended = &jobs.Run{JobID: id, StartedAt: fromNullMicros(started), FinishedAt: fromNullMicros(finished)}
	if err := json.Unmarshal([]byte(counts.String), &f.Ended.Counts); err != nil {
		return f, corrupt("the last run of job "+id, err)
	}
	return f, nil
}
