package store

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// QuarantineLease is how long rows belong to the process that claimed them to
// send them again. It is longer than the attempts at one batch.
const QuarantineLease = 30 * time.Minute

// ErrClaimLost means that rows in quarantine are no longer this process's to
// send.
var ErrClaimLost = errors.New("the rows were claimed by another process, or removed")

// ClaimQuarantined claims the first rows after an id, in the order of ids and at
// most limit, that are kept and that no other process has claimed. importKey is
// that of the cursor; ids are the only ones claimed, if there are any.
func (d *DB) ClaimQuarantined(
	ctx context.Context, claim, importKey string, ids []int64, after int64, limit int, key *Key,
) (claimed []QuarantinedRow, err error) {
	q := QuarantineQuery{IDs: ids}
	where, args := q.where()
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		claimed = claimed[:0]
		// The condition on the claim stands twice: PostgreSQL checks the outer one
		// again after it has waited for another transaction.
		rows, err := tx.QueryContext(ctx, `UPDATE quarantine SET claim = ?, claimed_until = `+now+` + ? WHERE claimed_until < `+now+` AND id IN (
				SELECT id FROM quarantine WHERE `+where+` AND import_key = ? AND data_kept = 1 AND claimed_until < `+now+` AND id > ?
				ORDER BY id LIMIT ?) RETURNING `+quarantineColumns,
			slices.Concat([]any{claim, QuarantineLease.Microseconds()}, args, []any{importKey, after, limit})...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			e, err := scanQuarantined(rows)
			if err != nil {
				return err
			}
			_, data, err := openQuarantined(e.content, e.sealed, key, e.importKey, e.EventID)
			if err != nil {
				return err
			}
			claimed = append(
				claimed,
				QuarantinedRow{ID: e.ID, Stream: e.Stream, Event: jobs.Event{ID: e.EventID, Time: e.EventTime, Data: data}},
			)
		}
		return rows.Err()
	})
	slices.SortFunc(claimed, func(a, b QuarantinedRow) int { return cmp.Compare(a.ID, b.ID) })
	return claimed, err
}

// SettleQuarantined removes rows that were sent, and releases those that were
// rejected again, with their new reasons. It fails with ErrClaimLost if one of
// them does not belong to the claim.
func SettleQuarantined(ctx context.Context, tx *Tx, claim string, sent []int64, rejected map[int64]string) error {
	one := func(query string, args ...any) error {
		result, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err == nil && n == 0 {
			err = ErrClaimLost
		}
		return err
	}
	for _, id := range sent {
		if err := one(`DELETE FROM quarantine WHERE id = ? AND claim = ?`, id, claim); err != nil {
			return err
		}
	}
	for id, reason := range rejected {
		err := one(`UPDATE quarantine SET claim = '', claimed_until = 0, reason = ? WHERE id = ? AND claim = ?`, reason, id, claim)
		if err != nil {
			return err
		}
	}
	return nil
}

// ReleaseQuarantined gives up a claim.
func (d *DB) ReleaseQuarantined(ctx context.Context, claim string) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE quarantine SET claim = '', claimed_until = 0 WHERE claim = ?`, claim)
		return err
	})
}

// UnsentQuarantined counts the entries of an import that cannot be sent again, and
// those that a process is sending.
func (d *DB) UnsentQuarantined(ctx context.Context, importKey string, ids []int64) (notSendable, sending int64, err error) {
	q := QuarantineQuery{IDs: ids}
	where, args := q.where()
	err = d.Read().QueryRowContext(ctx, `SELECT coalesce(sum(1 - data_kept), 0),
		coalesce(sum(CASE WHEN claimed_until >= `+now+` THEN 1 ELSE 0 END), 0)
		FROM quarantine WHERE `+where+` AND import_key = ?`, append(args, importKey)...).Scan(&notSendable, &sending)
	return notSendable, sending, d.failed("Cannot read the quarantine", err)
}
