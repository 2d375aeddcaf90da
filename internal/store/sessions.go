package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// mostSessions bounds the sessions: those that were not used for the longest time
// end first.
const mostSessions = 1000

// BeginSession implements jobs.Sessions.
func (d *DB) BeginSession(ctx context.Context, key jobs.TokenHash, s jobs.Session, idle time.Time) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE used < ?`, micros(idle)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE key IN (SELECT key FROM sessions ORDER BY used DESC LIMIT ? OFFSET ?)`,
			mostSessions, mostSessions-1); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (key, token, begun, used, notice) VALUES (?, ?, ?, ?, ?)`,
			key[:], s.Token[:], micros(s.Begun), micros(s.Used), s.Notice)
		return tx.auditAfter(ctx, err, "", "", "")
	})
}

// Session implements jobs.Sessions.
func (d *DB) Session(ctx context.Context, key jobs.TokenHash) (jobs.Session, error) {
	var s jobs.Session
	var token []byte
	var begun, used int64
	err := d.Read().QueryRowContext(ctx, `SELECT token, begun, used, notice FROM sessions WHERE key = ?`, key[:]).
		Scan(&token, &begun, &used, &s.Notice)
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(token) != len(s.Token) {
		return s, notFound("session", "of this cookie")
	}
	copy(s.Token[:], token)
	s.Begun, s.Used = fromMicros(begun), fromMicros(used)
	return s, d.failed("Cannot read the sessions", err)
}

// UpdateSession implements jobs.Sessions.
func (d *DB) UpdateSession(ctx context.Context, key jobs.TokenHash, s jobs.Session) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE sessions SET used = ?, notice = ? WHERE key = ?`, micros(s.Used), s.Notice, key[:])
		return err
	})
}

// EndSession implements jobs.Sessions.
func (d *DB) EndSession(ctx context.Context, key jobs.TokenHash) error {
	return d.WriteCommitted(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE key = ?`, key[:])
		return tx.auditAfter(ctx, err, "", "", "")
	})
}
