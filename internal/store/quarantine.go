package store

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// RejectedRun is what rejected events belong to. ImportKey is the key of the
// import's cursor.
type RejectedRun struct {
	ImportKey, JobID, RunID, Stream string
}

// LongestQuarantinedRow is the most bytes of a row that the quarantine keeps. Of a
// longer row it keeps all but the row itself.
const LongestQuarantinedRow = 1 << 20

// AddQuarantined puts rejected events into quarantine and counts them for the run.
// If an import has more entries than limit, its oldest ones are removed; removed
// tells how many. Without a key the rows are not encrypted. If the key is no longer the
// store's, the transaction begins again.
func AddQuarantined(
	ctx context.Context, tx *Tx, of RejectedRun, events []jobs.RejectedEvent, limit int64, key *Key,
) (removed int64, err error) {
	rejected := jobs.RejectedRows(events)
	if over := int64(len(events)) - limit; over > 0 {
		removed, events = over, events[over:]
	}
	if key != nil {
		err := checkSealed(ctx, tx, key.tag())
		if errors.Is(err, ErrKeyRotated) {
			err = errStaleKey // the whole transaction is tried again, with the key of then
		}
		if err != nil {
			return 0, err
		}
	}
	for _, e := range events {
		if err := addQuarantined(ctx, tx, of, e, key); err != nil {
			return 0, err
		}
	}
	// Without as many entries the subquery is NULL, and no row is removed.
	result, err := tx.ExecContext(ctx, `DELETE FROM quarantine WHERE import_key = ? AND claimed_until < `+now+`
		AND id <= (SELECT id FROM quarantine WHERE import_key = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, of.ImportKey, of.ImportKey, limit)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, err
	}
	removed += n
	if err := countRemoved(ctx, tx, of.ImportKey, removed, 0); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, `UPDATE runs SET rejected = rejected + ? WHERE id = ?`, rejected, of.RunID)
	return removed, err
}

func addQuarantined(ctx context.Context, tx *Tx, of RejectedRun, e jobs.RejectedEvent, key *Key) error {
	data := e.Data
	if len(data) > LongestQuarantinedRow || e.Among != nil {
		data = nil
	}
	content, sealed := encodeQuarantined(e.Key, data), key != nil
	if sealed {
		content = key.sealRow(content, of.ImportKey, e.ID)
	}
	last := jobs.EventRange{Events: 1, Rejected: 1, LastTime: e.Time}
	if e.Among != nil {
		last = *e.Among
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO quarantine (import_key, job_id, run_id, stream, event_id, event_time,
			last_event_id, last_event_time, events, rejected, reason, bytes, data_kept, sealed, content, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+now+`)
		ON CONFLICT (import_key, event_id, last_event_id) 
			DO UPDATE SET job_id = excluded.job_id, run_id = excluded.run_id, reason = excluded.reason`,
		of.ImportKey, of.JobID, of.RunID, of.Stream, e.ID, e.Time.UnixMicro(), last.LastID, last.LastTime.UnixMicro(), last.Events, last.Rejected,
		e.Reason, max(e.Bytes, int64(len(e.Data))), data != nil, sealed, content)
	return err
}

// countRemoved adds to the entries of an import that were removed unsent.
func countRemoved(ctx context.Context, tx *Tx, importKey string, overLimit, expired int64) error {
	if overLimit == 0 && expired == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO quarantine_removed (import_key, over_limit, expired) VALUES (?, ?, ?)
		ON CONFLICT (import_key) DO UPDATE SET over_limit = quarantine_removed.over_limit + excluded.over_limit,
			expired = quarantine_removed.expired + excluded.expired`, importKey, overLimit, expired)
	return err
}

// ExpireQuarantined removes entries that are older than keep, and tells how many.
// It writes only if there is one.
func (d *DB) ExpireQuarantined(ctx context.Context, keep time.Duration) (n int64, err error) {
	const old = ` FROM quarantine WHERE created_at < ` + now + ` - ? AND claimed_until < ` + now
	found, err := d.exists(ctx, `SELECT 1`+old+` LIMIT 1`, keep.Microseconds())
	if err != nil || !found {
		return 0, err
	}
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		n = 0
		keys, err := texts(tx.QueryContext(ctx, `DELETE`+old+` RETURNING import_key`, keep.Microseconds()))
		if err != nil {
			return err
		}
		expired := map[string]int64{}
		for _, k := range keys {
			expired[k]++
			n++
		}
		for k, count := range expired {
			if err := countRemoved(ctx, tx, k, 0, count); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// RejectionReason is a reason, and for how many rows of a run it was given.
type RejectionReason struct {
	Reason string
	Rows   int64
}

// mostReasons is how many reasons of a run are read.
const mostReasons = 3

// RejectedBy counts the rows of a run that were rejected, and gives the first
// reasons of those that are still in quarantine.
func (d *DB) RejectedBy(ctx context.Context, runID string) (n int64, reasons []RejectionReason, err error) {
	err = d.Read().QueryRowContext(ctx, `SELECT coalesce((SELECT rejected FROM runs WHERE id = ?), 0)`, runID).Scan(&n)
	if err != nil || n == 0 {
		return 0, nil, err
	}
	rows, err := d.Read().QueryContext(ctx, `SELECT reason, sum(rejected) FROM quarantine WHERE run_id = ?
		GROUP BY reason ORDER BY min(id) LIMIT ?`, runID, mostReasons)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r RejectionReason
		if err := rows.Scan(&r.Reason, &r.Rows); err != nil {
			return 0, nil, err
		}
		reasons = append(reasons, r)
	}
	return n, reasons, rows.Err()
}

// encodeQuarantined joins a row's key and its JSON.
func encodeQuarantined(key string, data []byte) []byte {
	out := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+len(key)+len(data)), uint64(len(key)))
	return append(append(out, key...), data...)
}

var errQuarantined = errors.New("an entry of the quarantine is damaged")

// decodeQuarantined is the inverse of encodeQuarantined.
func decodeQuarantined(b []byte) (key string, data []byte, err error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return "", nil, errQuarantined
	}
	b = b[n:]
	return string(b[:length]), b[length:], nil
}

// openQuarantined reads the content of an entry.
func openQuarantined(content []byte, sealed bool, key *Key, importKey, eventID string) (rowKey string, data []byte, err error) {
	if sealed {
		if content, err = key.openRow(content, importKey, eventID); err != nil {
			return "", nil, err
		}
	}
	if rowKey, data, err = decodeQuarantined(content); err != nil {
		return "", nil, corrupt("the quarantine", err)
	}
	return rowKey, data, nil
}
