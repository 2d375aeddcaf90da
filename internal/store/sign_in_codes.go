package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// mostSignInCodes bounds the codes: those that expire first end first.
const mostSignInCodes = 1000

// CreateSignInCode keeps the hash of a code of a token, and returns when it expires.
func (d *DB) CreateSignInCode(ctx context.Context, code, token jobs.TokenHash, lifetime time.Duration) (expires time.Time, err error) {
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sign_in_codes WHERE expires_at <= `+now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM sign_in_codes WHERE code IN
			(SELECT code FROM sign_in_codes ORDER BY expires_at DESC LIMIT ? OFFSET ?)`, mostSignInCodes, mostSignInCodes-1); err != nil {
			return err
		}
		var at int64
		err := tx.QueryRowContext(ctx, `INSERT INTO sign_in_codes (code, token, expires_at) VALUES (?, ?, `+now+` + ?) RETURNING expires_at`,
			code[:], token[:], lifetime.Microseconds()).Scan(&at)
		expires = fromMicros(at)
		return tx.auditAfter(ctx, err, "", "", "")
	})
	return expires, err
}

// SignInCode implements jobs.Sessions.
func (d *DB) SignInCode(ctx context.Context, code jobs.TokenHash) (jobs.TokenHash, error) {
	token, err := scanSignInToken(d.Read().QueryRowContext(ctx, `SELECT token FROM sign_in_codes WHERE code = ? AND expires_at > `+now, code[:]).Scan)
	return token, d.failed("Cannot read the sign-in codes", err)
}

// UseSignInCode implements jobs.Sessions. Only a code that is there opens a write
// transaction: whoever tries codes does not keep the store's writer.
func (d *DB) UseSignInCode(ctx context.Context, code jobs.TokenHash) (token jobs.TokenHash, err error) {
	if token, err = d.SignInCode(ctx, code); err != nil {
		return token, err
	}
	err = d.WriteCommitted(ctx, func(tx *Tx) error {
		token, err = scanSignInToken(tx.QueryRowContext(ctx, `DELETE FROM sign_in_codes WHERE code = ? AND expires_at > `+now+` RETURNING token`,
			code[:]).Scan)
		return err
	})
	return token, err
}

func scanSignInToken(scan func(...any) error) (token jobs.TokenHash, _ error) {
	var hash []byte
	err := scan(&hash)
	if errors.Is(err, sql.ErrNoRows) || err == nil && len(hash) != len(token) {
		return token, notFound("sign-in code", "of this link")
	}
	copy(token[:], hash)
	return token, err
}
