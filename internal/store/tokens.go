package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// validToken is the condition of tokens that have not expired.
const validToken = `(expires_at IS NULL OR expires_at > ` + now + `)`

const tokenColumns = `id, name, role, created_by, created_at, expires_at` //nolint:gosec // G101: the names of columns

func scanToken(scan func(...any) error) (jobs.Token, error) {
	var t jobs.Token
	var created int64
	var expires sql.NullInt64
	err := scan(&t.ID, &t.Name, &t.Role, &t.CreatedBy, &created, &expires)
	t.CreatedAt, t.ExpiresAt = fromMicros(created), fromNullMicros(expires)
	return t, err
}

// NewTokenRow is a token to be kept.
type NewTokenRow struct {
	Name, CreatedBy string
	Role            jobs.Role
	Hash            jobs.TokenHash
	// Lifetime is how long it is valid; 0 means until it is revoked.
	Lifetime time.Duration
}

// CreateToken keeps a token. A name that a valid token has is CodeConflict.
func (d *DB) CreateToken(ctx context.Context, r NewTokenRow) (token jobs.Token, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		if err := removeExpiredTokens(ctx, tx); err != nil {
			return err
		}
		var have string
		err := tx.QueryRowContext(ctx, `SELECT id FROM tokens WHERE name = ? LIMIT 1`, r.Name).Scan(&have)
		if err == nil {
			return &jobs.Error{
				Code: jobs.CodeConflict, Attribute: "name", Summary: fmt.Sprintf("There is a token %q already", r.Name),
				Detail: "Its id is " + have + ".", Next: "Replace it with token rotate, which keeps the earlier one valid for a time, or choose " +
					"another name",
			}
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		token, err = insertToken(ctx, tx, r)
		return err
	})
	return token, err
}

// RotateToken keeps a further token of a name, with the role and the lifetime of the
// latest one. The earlier ones expire after keep, or before if they do anyway.
func (d *DB) RotateToken(ctx context.Context, r NewTokenRow, keep time.Duration) (token jobs.Token, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		if err := removeExpiredTokens(ctx, tx); err != nil {
			return err
		}
		var lifetime sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT role, expires_at - created_at FROM tokens WHERE name = ?
			ORDER BY created_at DESC, id LIMIT 1`, r.Name).Scan(&r.Role, &lifetime)
		if errors.Is(err, sql.ErrNoRows) {
			return noToken(r.Name)
		}
		if err != nil {
			return err
		}
		r.Lifetime = time.Duration(lifetime.Int64) * time.Microsecond
		if _, err := tx.ExecContext(ctx, `UPDATE tokens SET expires_at = `+now+` + ? WHERE name = ?
			AND (expires_at IS NULL OR expires_at > `+now+` + ?)`, keep.Microseconds(), r.Name, keep.Microseconds()); err != nil {
			return err
		}
		token, err = insertToken(ctx, tx, r)
		return err
	})
	return token, err
}

func removeExpiredTokens(ctx context.Context, tx *Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM tokens WHERE NOT `+validToken)
	return err
}

func insertToken(ctx context.Context, tx *Tx, r NewTokenRow) (jobs.Token, error) {
	var lifetime any
	if r.Lifetime > 0 {
		lifetime = r.Lifetime.Microseconds()
	}
	// The tokens of a name are ordered by their times, and SQLite's clock has milliseconds:
	// a token that follows within one is a microsecond later.
	var created int64
	if err := tx.QueryRowContext(ctx, `SELECT CASE WHEN latest >= `+now+` THEN latest + 1 ELSE `+now+` END
		FROM (SELECT coalesce(max(created_at), 0) AS latest FROM tokens WHERE name = ?) AS of_name`, r.Name).Scan(&created); err != nil {
		return jobs.Token{}, err
	}
	id := NewID("tok")
	token, err := scanToken(tx.QueryRowContext(ctx, `INSERT INTO tokens (id, name, role, hash, created_by, created_at, expires_at)
		VALUES (?, ?, ?, ?, ?, ?, CAST(? AS BIGINT) + CAST(? AS BIGINT)) RETURNING `+tokenColumns,
		id, r.Name, string(r.Role), r.Hash[:], r.CreatedBy, created, created, lifetime).Scan)
	return token, tx.auditAfter(ctx, err, r.Name, "", "")
}

// Tokens lists the valid tokens, by name and time.
func (d *DB) Tokens(ctx context.Context) ([]jobs.Token, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE `+validToken+` ORDER BY name, created_at, id`)
	if err != nil {
		return nil, d.failed("Cannot read the tokens", err)
	}
	defer func() { _ = rows.Close() }()
	var all []jobs.Token
	for rows.Next() {
		t, err := scanToken(rows.Scan)
		if err != nil {
			return nil, d.failed("Cannot read the tokens", err)
		}
		all = append(all, t)
	}
	return all, d.failed("Cannot read the tokens", rows.Err())
}

// TokenByHash reads a valid token; CodeNotFound if there is none. The time that the
// look-up takes tells at most how much of a hash is right, and no token is found
// from its hash.
func (d *DB) TokenByHash(ctx context.Context, hash jobs.TokenHash) (jobs.Token, error) {
	t, err := scanToken(d.Read().QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE hash = ? AND `+validToken, hash[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return t, notFound("token", "of this hash")
	}
	return t, d.failed("Cannot read the tokens", err)
}

// RevokeToken removes the tokens of a name, or the one of an id, with the sessions
// that they opened and the sign-in codes that they made, and tells how many there were.
func (d *DB) RevokeToken(ctx context.Context, nameOrID string) (n int64, err error) {
	err = d.Write(ctx, func(tx *Tx) error {
		for _, of := range []string{"sessions", "sign_in_codes"} {
			_, err := tx.ExecContext(ctx, `DELETE FROM `+of+` WHERE token IN (SELECT hash FROM tokens WHERE name = ? OR id = ?)`, nameOrID, nameOrID)
			if err != nil {
				return err
			}
		}
		names, err := texts(tx.QueryContext(ctx, `DELETE FROM tokens WHERE name = ? OR id = ? RETURNING name`, nameOrID, nameOrID))
		if err != nil {
			return err
		}
		if n = int64(len(names)); n == 0 {
			return noToken(nameOrID)
		}
		return tx.audit(ctx, names[0], "", "")
	})
	return n, err
}

func noToken(name string) error {
	return &jobs.Error{
		Code: jobs.CodeNotFound, Attribute: "name", Summary: fmt.Sprintf("No token %q in the store", name),
		Detail: "No valid token of the store has this name or id.",
		Next:   "List the tokens with token list. The token default, and those of the runner's configuration, are changed there",
	}
}
