package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// QuarantineQuery selects entries of the quarantine; empty fields select all.
type QuarantineQuery struct {
	// JobID selects a job's entries.
	JobID string
	// ImportKey is the key of a cursor. JobKey is that of a job, which selects the
	// cursors of all platforms. With JobID, either also selects what earlier jobs
	// left that had the same cursor.
	ImportKey, JobKey string
	RunID             string
	// IDs are the only ones selected; none means all.
	IDs []int64
	// After leaves entries with smaller ids out of a list, but not out of its counts.
	After int64
}

func (q QuarantineQuery) where() (string, []any) {
	conditions, args := []string{`1 = 1`}, []any{}
	if q.JobID != "" || q.ImportKey != "" {
		condition, of := q.whereKey()
		conditions, args = append(conditions, `(job_id = ? OR `+condition+`)`), append(append(args, q.JobID), of...)
	}
	if q.RunID != "" {
		conditions, args = append(conditions, `run_id = ?`), append(args, q.RunID)
	}
	if len(q.IDs) > 0 {
		conditions = append(conditions, `id IN (?`+strings.Repeat(`, ?`, len(q.IDs)-1)+`)`)
		for _, id := range q.IDs {
			args = append(args, id)
		}
	}
	return strings.Join(conditions, ` AND `), args
}

// whereKey selects by the key of the cursor.
func (q QuarantineQuery) whereKey() (string, []any) {
	if q.JobKey == "" {
		return `import_key = ?`, []any{q.ImportKey}
	}
	// The key of a cursor is the job's, or the job's and the platform's.
	return `(import_key = ? OR substr(import_key, 1, length(?)) = ?)`, []any{q.JobKey, q.JobKey + "|", q.JobKey + "|"}
}

const quarantineColumns = `id, import_key, job_id, run_id, stream, event_id, event_time, last_event_id, last_event_time, events, rejected,
	reason, bytes, data_kept, claimed_until >= ` + now + `, sealed, content, created_at`

// quarantined is an entry with the key of its import and its content.
type quarantined struct {
	jobs.QuarantineEntry
	importKey string
	sealed    bool
	content   []byte
}

func scanQuarantined(rows *sql.Rows) (q quarantined, err error) {
	var at, last, created int64
	if err := rows.Scan(&q.ID, &q.importKey, &q.JobID, &q.RunID, &q.Stream, &q.EventID, &at, &q.LastEventID, &last, &q.Events, &q.Rows,
		&q.Reason, &q.Bytes, &q.Sendable, &q.Sending, &q.sealed, &q.content, &created); err != nil {
		return q, err
	}
	q.EventTime, q.CreatedAt = fromMicros(at), fromMicros(created)
	if q.LastEventID != "" {
		t := fromMicros(last)
		q.LastEventTime = &t
	}
	return q, nil
}

// Quarantined lists entries, oldest first, at most limit. Without withData, a row
// whose key cannot be read, because it was encrypted with another key, is listed
// without it.
func (d *DB) Quarantined(ctx context.Context, q QuarantineQuery, withData bool, limit int, key *Key) (list jobs.QuarantineList, err error) {
	err = d.Read().Snapshot(ctx, func(read Querier) error {
		where, args := q.where()
		err := read.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(rejected), 0) FROM quarantine WHERE `+where, args...).
			Scan(&list.Total, &list.Rows)
		if err != nil {
			return err
		}
		removed, of := `1 = 1`, []any{}
		if q.JobID != "" || q.ImportKey != "" {
			removed, of = q.whereKey()
		}
		err = read.QueryRowContext(ctx, `SELECT coalesce(sum(over_limit), 0), coalesce(sum(expired), 0)
			FROM quarantine_removed WHERE `+removed, of...).
			Scan(&list.RemovedOverLimit, &list.RemovedExpired)
		if err != nil {
			return err
		}
		list.Entries, err = listQuarantined(ctx, read, where+` AND id > ?`, append(args, q.After, limit), withData, key)
		return err
	})
	return list, d.failed("Cannot read the quarantine", err)
}

func listQuarantined(ctx context.Context, q Querier, where string, args []any, withData bool, key *Key) ([]jobs.QuarantineEntry, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+quarantineColumns+` FROM quarantine WHERE `+where+` ORDER BY id LIMIT ?`, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	out := []jobs.QuarantineEntry{}
	for rows.Next() {
		e, err := scanQuarantined(rows)
		if err != nil {
			return nil, err
		}
		rowKey, data, err := openQuarantined(e.content, e.sealed, key, e.importKey, e.EventID)
		if err != nil && (withData || !jobs.IsCode(err, jobs.CodeSecretUnreadable)) {
			return nil, err
		}
		e.Key = rowKey
		if withData && e.Sendable {
			e.Data = data
		}
		out = append(out, e.QuarantineEntry)
	}
	return out, rows.Err()
}

// DropQuarantined removes entries, and tells how many. Those that are being sent
// again stay.
func (d *DB) DropQuarantined(ctx context.Context, q QuarantineQuery) (n int64, err error) {
	where, args := q.where()
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE `+where+` AND claimed_until < `+now, args...)
		if err == nil {
			n, err = result.RowsAffected()
		}
		return tx.auditAfter(ctx, err, q.JobID, "", "")
	})
	return n, err
}

// QuarantinedRow is an entry as it is looked through for the rows of a user.
type QuarantinedRow struct {
	ID     int64
	Stream string
	// Event has the row's JSON. If it is not kept, the JSON is that of the key
	// columns, or nothing.
	Event jobs.Event
}

// SearchQuarantine calls f for every entry. Rows that cannot be decrypted are an
// error.
func (d *DB) SearchQuarantine(ctx context.Context, key *Key, f func(QuarantinedRow)) error {
	rows, err := d.Read().QueryContext(ctx, `SELECT `+quarantineColumns+` FROM quarantine ORDER BY id`)
	if err != nil {
		return d.failed("Cannot read the quarantine", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		e, err := scanQuarantined(rows)
		if err != nil {
			return d.failed("Cannot read the quarantine", err)
		}
		rowKey, data, err := openQuarantined(e.content, e.sealed, key, e.importKey, e.EventID)
		if err != nil {
			return err
		}
		if !e.Sendable {
			data = []byte(rowKey)
		}
		f(QuarantinedRow{ID: e.ID, Stream: e.Stream, Event: jobs.Event{ID: e.EventID, Time: e.EventTime, Data: data}})
	}
	return d.failed("Cannot read the quarantine", rows.Err())
}

// EraseQuarantined removes entries, also those that are being sent again.
func (d *DB) EraseQuarantined(ctx context.Context, ids []int64) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		for _, id := range ids {
			if _, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE id = ?`, id); err != nil {
				return err
			}
		}
		return nil
	})
}
