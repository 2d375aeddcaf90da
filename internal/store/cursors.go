package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Cursor is where an import is. It belongs to the import's key.
type Cursor struct {
	Version int `json:"version"`
	// Generation counts full re-imports, from 1.
	Generation int `json:"generation"`
	// FullRefresh is the text of the definition that asked for the generation.
	FullRefresh string `json:"full_refresh,omitempty"`
	// Columns are the names the generation began with: the row's digest is
	// taken over them, so that a column added later re-sends nothing.
	Columns []string `json:"columns"`
	// Digest tells which columns, of which types, the digests of the rows sent
	// were taken over; empty when none is known.
	Digest string `json:"digest,omitempty"`
	// From is the first timestamp of the generation; what is older is none of
	// its business. All timestamps are microseconds since 1970.
	From *int64 `json:"from,omitempty"`
	// Watermark is the latest timestamp up to which everything was compared;
	// nil before the first row.
	Watermark *int64 `json:"watermark,omitempty"`
	// Ahead is the latest timestamp sent that lay in the future then.
	Ahead *int64 `json:"ahead,omitempty"`
	// Known is the timestamp from which on the rows sent are remembered; nil
	// means from the beginning.
	Known *int64 `json:"known,omitempty"`
	// Last is what the last run that ended had compared.
	Last *Compared `json:"last,omitempty"`
	// Pinned is the snapshot of a run that did not end.
	Pinned *Pinned `json:"pinned,omitempty"`
	// Copies are tables that were made to read from, and may still be there.
	Copies []string `json:"copies,omitempty"`
	// Sent counts the events of the generation; Pages those of remembered rows.
	Sent  int64 `json:"sent"`
	Pages int64 `json:"pages,omitempty"`
}

// Compared is a version of the table all rows of which, up to the watermark,
// have been sent or been left out for good.
type Compared struct {
	// TableVersion is nil for a source without history.
	TableVersion *int64 `json:"table_version,omitempty"`
	// Columns is the schema at that version.
	Columns []SourceColumn `json:"columns"`
	// Plan tells the definition that was in force.
	Plan string `json:"plan"`
	// Nulls tells that rows without a timestamp were sent, too.
	Nulls bool `json:"nulls,omitempty"`
	// RowsNull and RowsFuture were left out.
	RowsNull   int64 `json:"rows_null,omitempty"`
	RowsFuture int64 `json:"rows_future,omitempty"`
}

// SourceColumn is one column of the schema that a run read.
type SourceColumn struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// Pinned is the snapshot a run reads, kept so that another attempt reads the
// same.
type Pinned struct {
	// TableVersion is the version, or Copy the table that a source without
	// history was copied to; neither for a copy that ended with its session.
	TableVersion *int64 `json:"table_version,omitempty"`
	Copy         string `json:"copy,omitempty"`
	// Upper is the warehouse's clock when it was pinned.
	Upper int64 `json:"upper"`
	// Columns is the schema at that version.
	Columns []SourceColumn `json:"columns"`
	// Plan tells the definition that the run began with.
	Plan string `json:"plan"`
	// Compared is set once the window below the watermark is done.
	Compared bool `json:"compared,omitempty"`
	// Position is the last row sent above the watermark.
	Position *Position `json:"position,omitempty"`
	// Reached is the latest timestamp read that was not of the future.
	Reached *int64 `json:"reached,omitempty"`
}

// Position is a place in the order of a snapshot's rows.
type Position struct {
	Micros int64 `json:"micros"`
	// Rows is how many rows of that timestamp are behind; Digest is the last
	// one's, and Same how many of it are behind.
	Rows   int64  `json:"rows"`
	Digest string `json:"digest,omitempty"`
	Same   int64  `json:"same,omitempty"`
}

const cursorVersion = 2

// Cursor reads an import's cursor; nil when it never ran. One that an older
// release wrote is brought to today's form first.
func (d *DB) Cursor(ctx context.Context, key string) (*Cursor, error) {
	c, err := readCursor(ctx, d.Read(), key)
	if c == nil || err != nil || c.Version == cursorVersion {
		return c, d.failed("Cannot read the store", err)
	}
	err = d.Write(ctx, func(tx *Tx) error {
		if c, err = readCursor(ctx, tx, key); err != nil || c == nil || c.Version == cursorVersion {
			return err
		}
		return upgradeCursor(ctx, tx, key, c)
	})
	return c, err
}

func readCursor(ctx context.Context, q Querier, key string) (*Cursor, error) {
	var text string
	err := q.QueryRowContext(ctx, `SELECT state FROM cursors WHERE key = ?`, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var form struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal([]byte(text), &form); err != nil {
		return nil, corrupt("cursor "+key, err)
	}
	if form.Version < 1 || form.Version > cursorVersion {
		return nil, corrupt("cursor "+key, fmt.Errorf("its form %d is unknown to this release", form.Version))
	}
	var c Cursor
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		return nil, corrupt("cursor "+key, err)
	}
	return &c, nil
}

// upgradeCursor takes a cursor of form 1, whose watermark moved with each batch
// and had the rows sent at it beside it. What was sent below is not known any
// more, so nothing is looked for there.
func upgradeCursor(ctx context.Context, tx *Tx, key string, c *Cursor) error {
	c.Pinned = nil
	if w := c.Watermark; w != nil {
		c.From, c.Known = w, w
		ties, err := readTies(ctx, tx, key, *w)
		if err != nil {
			return err
		}
		for page := range slices.Chunk(ties, tiesAtOnce) {
			if err := AddSent(ctx, tx, key, c.Pages, page); err != nil {
				return err
			}
			c.Pages++
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM cursor_ties WHERE key = ?`, key); err != nil {
		return err
	}
	c.Version = cursorVersion
	return PutCursor(ctx, tx, key, *c)
}

const tiesAtOnce = 10_000

func readTies(ctx context.Context, tx *Tx, key string, micros int64) ([]SentRow, error) {
	rows, err := tx.QueryContext(ctx, `SELECT digest, sent FROM cursor_ties WHERE key = ? ORDER BY digest`, key)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []SentRow
	for rows.Next() {
		var digest string
		r := SentRow{Micros: micros}
		if err := rows.Scan(&digest, &r.Times); err != nil {
			return nil, err
		}
		if !r.SetDigest([]byte(digest)) {
			return nil, corrupt("cursor "+key, fmt.Errorf("the digest %q of a row is none", digest))
		}
		out = append(out, r)
	}
	return out, rows.Err()
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
