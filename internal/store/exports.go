package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
)

// ExportOwners are the ids that jobs of an export's key have had in this
// store: a table that carries one of them is ours to replace.
func (d *DB) ExportOwners(ctx context.Context, key string) ([]string, error) {
	var text string
	err := d.Read().QueryRowContext(ctx, `SELECT state FROM cursors WHERE key = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	var ids []string
	if err := json.Unmarshal([]byte(text), &ids); err != nil {
		return nil, corrupt("export "+key, err)
	}
	return ids, nil
}

// AddExportOwner remembers a job's id for an export's key.
func (d *DB) AddExportOwner(ctx context.Context, key, jobID string) error {
	ids, err := d.ExportOwners(ctx, key)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if id == jobID {
			return nil
		}
	}
	text, err := json.Marshal(append(ids, jobID))
	if err != nil {
		return err
	}
	return d.Write(ctx, func(tx *Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO cursors (key, state, updated_at) VALUES (?, ?, `+now+`)
			ON CONFLICT (key) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at`, key, string(text))
		return err
	})
}
