package store

import (
	"context"
	"database/sql"
)

// sealedTexts are the encrypted texts of a table.
type sealedTexts struct {
	table, column, where string
	// first is before every id.
	first any
	// columns are read into bound, which returns what a text is bound to.
	columns string
	bound   func(rows *sql.Rows, id any, sealed *[]byte) ([]byte, error)
	// discard removes the text of a row.
	discard string
}

var sealedSecrets = sealedTexts{
	table: "authorizations", column: "secret", where: `secret IS NOT NULL`, first: "",
	columns: `secret_binding, host, port, client_id, login, ca_file`,
	bound: func(rows *sql.Rows, id any, sealed *[]byte) ([]byte, error) {
		var r AuthorizationRow
		err := rows.Scan(id, sealed, &r.binding, &r.Host, &r.Port, &r.ClientID, &loginColumn{&r.Login}, &r.CAFile)
		r.ID, _ = (*id.(*any)).(string)
		return r.bound(), err
	},
	discard: `UPDATE authorizations SET secret = NULL WHERE id = ? AND secret = ?`,
}

var sealedRows = sealedTexts{
	table: "quarantine", column: "content", where: `sealed = 1`, first: int64(0),
	columns: `import_key, event_id`,
	bound: func(rows *sql.Rows, id any, sealed *[]byte) ([]byte, error) {
		var importKey, eventID string
		err := rows.Scan(id, sealed, &importKey, &eventID)
		return boundRow(importKey, eventID), err
	},
	discard: `DELETE FROM quarantine WHERE id = ? AND content = ?`,
}

// sealedText is one of them.
type sealedText struct {
	id            any
	sealed, bound []byte
}

// read reads some texts that have not the tag of a key, after an id.
func (s *sealedTexts) read(ctx context.Context, q Querier, without *Key, after any) (out []sealedText, err error) {
	rows, err := q.QueryContext(ctx, `SELECT id, `+s.column+`, `+s.columns+` FROM `+s.table+`
		WHERE `+s.where+` AND substr(`+s.column+`, 1, ?) <> ? AND id > ? ORDER BY id LIMIT ?`, tagLength, without.tag(), after, rotateBatch)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var t sealedText
		if t.bound, err = s.bound(rows, &t.id, &t.sealed); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
