package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// CursorDocument reads the document that an import keeps under its key; nil if there
// is none. The store does not interpret it: package importer owns its format and its
// version.
func (d *DB) CursorDocument(ctx context.Context, key string) ([]byte, error) {
	document, err := readDocument(ctx, d.Read(), key)
	return document, d.failed("Cannot read the store", err)
}

// CursorKey returns the key of the cursor whose key begins with prefix: preferred, if
// it has a cursor or if no key with the prefix has one.
func (d *DB) CursorKey(ctx context.Context, prefix, preferred string) (string, error) {
	var key string
	err := d.Read().QueryRowContext(ctx, `SELECT key FROM cursors WHERE substr(key, 1, length(CAST(? AS TEXT))) = ?
		ORDER BY CASE WHEN key = ? THEN 0 ELSE 1 END, key LIMIT 1`, prefix, prefix, preferred).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return preferred, nil
	}
	return key, d.failed("Cannot read the store", err)
}

// PutCursorDocument writes the document of a key, in the transaction that writes
// the events it covers.
func PutCursorDocument(ctx context.Context, tx *Tx, key string, document []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO cursors (key, state, updated_at) VALUES (?, ?, `+now+`)
		ON CONFLICT (key) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at`, key, string(document))
	return err
}

// readDocument reads the document of an import's or an export's key.
func readDocument(ctx context.Context, q Querier, key string) ([]byte, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT state FROM cursors WHERE key = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []byte(text), nil
}

// WatermarkTies reads the rows that the first release stored for a cursor: the rows
// sent whose timestamp is the cursor's watermark, micros. They are ordered by digest.
// Later releases write none.
func (d *DB) WatermarkTies(ctx context.Context, key string, micros int64) ([]SentRow, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT digest, sent FROM cursor_ties WHERE key = ? ORDER BY digest`, key)
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	defer func() { _ = rows.Close() }()
	var out []SentRow
	for rows.Next() {
		var digest string
		r := SentRow{Micros: micros}
		if err := rows.Scan(&digest, &r.Times); err != nil {
			return nil, d.failed("Cannot read the store", err)
		}
		if !r.SetDigest([]byte(digest)) {
			return nil, corrupt("cursor "+key, fmt.Errorf("%q is not the digest of a row", digest))
		}
		out = append(out, r)
	}
	return out, d.failed("Cannot read the store", rows.Err())
}

// DropWatermarkTies removes the rows that WatermarkTies reads.
func DropWatermarkTies(ctx context.Context, tx *Tx, key string) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM cursor_ties WHERE key = ?`, key)
	return err
}
