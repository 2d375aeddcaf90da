package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Cursor is where an import is. It belongs to the import's key.
type Cursor struct {
	Version int `json:"version"`
	// Generation counts full re-imports, from 1.
	Generation int `json:"generation"`
	// Columns are the names the generation began with: the row's digest is
	// taken over them, so that a column added later re-sends nothing.
	Columns []string `json:"columns"`
	// Watermark is the timestamp of the last row sent, in microseconds since
	// 1970; nil before the first.
	Watermark *int64 `json:"watermark,omitempty"`
	// Pinned is the snapshot of a run that did not finish.
	Pinned *Pinned `json:"pinned,omitempty"`
	// Sent counts the events of the generation.
	Sent int64 `json:"sent"`
}

// Pinned is the snapshot a run reads, kept so that another attempt reads the
// same.
type Pinned struct {
	TableVersion int64 `json:"table_version"`
	// Upper is the warehouse's clock when it was pinned, in microseconds.
	Upper int64 `json:"upper"`
}

const cursorVersion = 1

// Cursor reads an import's cursor; nil when it never ran.
func (d *DB) Cursor(ctx context.Context, key string) (*Cursor, error) {
	var text string
	err := d.Read().QueryRowContext(ctx, `SELECT state FROM cursors WHERE key = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	var c Cursor
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, corrupt("cursor "+key, err)
	}
	if c.Version != cursorVersion {
		return nil, corrupt("cursor "+key, fmt.Errorf("its form %d is unknown to this release", c.Version))
	}
	return &c, nil
}

// PutCursor writes the cursor inside a transaction, commonly the one that
// commits the events it covers.
func PutCursor(ctx context.Context, tx *Tx, key string, c Cursor) error {
	c.Version = cursorVersion
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO cursors (key, state, updated_at) VALUES (?, ?, `+now+`)
		ON CONFLICT (key) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at`, key, string(text))
	return err
}

// AddTies records rows sent at the watermark: digest to how many. With reset
// the watermark has moved, and the older ones are forgotten first.
func AddTies(ctx context.Context, tx *Tx, key string, reset bool, sent map[string]int64) error {
	if reset {
		if _, err := tx.ExecContext(ctx, `DELETE FROM cursor_ties WHERE key = ?`, key); err != nil {
			return err
		}
	}
	for digests := range slices.Chunk(slices.Sorted(maps.Keys(sent)), tiesAtOnce) {
		args := make([]any, 0, 3*len(digests))
		for _, digest := range digests {
			args = append(args, key, digest, sent[digest])
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO cursor_ties (key, digest, sent) VALUES (?, ?, ?)`+strings.Repeat(`, (?, ?, ?)`, len(digests)-1)+`
			ON CONFLICT (key, digest) DO UPDATE SET sent = cursor_ties.sent + excluded.sent`, args...); err != nil {
			return err
		}
	}
	return nil
}

// tiesAtOnce is how many rows one statement writes.
const tiesAtOnce = 200

// Ties gives how often each digest between two, inclusive, was sent at the
// watermark.
func (d *DB) Ties(ctx context.Context, key, from, to string) (map[string]int64, error) {
	rows, err := d.Read().QueryContext(ctx, `SELECT digest, sent FROM cursor_ties WHERE key = ? AND digest BETWEEN ? AND ?`, key, from, to)
	if err != nil {
		return nil, d.failed("Cannot read the store", err)
	}
	defer func() { _ = rows.Close() }()
	out := map[string]int64{}
	for rows.Next() {
		var digest string
		var n int64
		if err := rows.Scan(&digest, &n); err != nil {
			return nil, d.failed("Cannot read the store", err)
		}
		out[digest] = n
	}
	return out, d.failed("Cannot read the store", rows.Err())
}

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
