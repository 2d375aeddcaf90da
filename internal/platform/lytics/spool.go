package lytics

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"strings"

	_ "modernc.org/sqlite" // the driver of the spool

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// spool holds the rows of a scan until the scan is complete, each profile once. It
// is a SQLite database without a name: SQLite keeps a few megabytes of it in memory
// and the rest in a temporary file, which is removed when the process ends, even if
// the process is killed. It is one transaction from its creation to its end, because
// nobody else reads it, and a commit for each page costs as much as writing the page.
type spool struct {
	db *sql.DB
}

func openSpool(ctx context.Context) (*spool, error) {
	db, err := sql.Open("sqlite", "")
	if err != nil {
		return nil, err
	}
	// A second connection would open another database.
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	s := &spool{db}
	_, err = db.ExecContext(ctx, `
		PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;
		CREATE TABLE profiles (key TEXT PRIMARY KEY, cells BLOB NOT NULL) WITHOUT ROWID;
		BEGIN`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

func (s *spool) close() error { return s.db.Close() }

// clear removes all rows.
func (s *spool) clear(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM profiles`)
	return err
}

// profileRow is a row and the key that identifies its profile.
type profileRow struct {
	key   string
	cells []jobs.Value
}

// add adds a page. The later row of a profile replaces the earlier one.
func (s *spool) add(ctx context.Context, page []profileRow) error {
	if len(page) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(page))
	for _, r := range page {
		args = append(args, r.key, encodeCells(r.cells))
	}
	// One statement for all rows: SQLite parses each statement that it is given.
	statement := `INSERT INTO profiles (key, cells) VALUES (?, ?)` + strings.Repeat(`, (?, ?)`, len(page)-1) +
		` ON CONFLICT (key) DO UPDATE SET cells = excluded.cells`
	_, err := s.db.ExecContext(ctx, statement, args...)
	return err
}

func (s *spool) count(ctx context.Context) (n int64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM profiles`).Scan(&n)
	return n, err
}

// each calls yield for each row, by key, until yield returns false.
func (s *spool) each(ctx context.Context, yield func([]jobs.Value) bool) error {
	rows, err := s.db.QueryContext(ctx, `SELECT cells FROM profiles ORDER BY key`)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var blob sql.RawBytes
		if err := rows.Scan(&blob); err != nil {
			return err
		}
		if !yield(decodeCells(blob)) {
			return nil
		}
	}
	return rows.Err()
}

// encodeCells encodes a row. A NULL cell is 0; another cell is the length of its
// text plus 1, and the text.
func encodeCells(cells []jobs.Value) []byte {
	var b []byte
	for _, c := range cells {
		if c.Null {
			b = append(b, 0)
			continue
		}
		b = append(binary.AppendUvarint(b, uint64(len(c.Text))+1), c.Text...)
	}
	return b
}

func decodeCells(b []byte) []jobs.Value {
	var cells []jobs.Value
	for len(b) > 0 {
		n, width := binary.Uvarint(b)
		b = b[width:]
		if n == 0 {
			cells = append(cells, jobs.Value{Null: true})
			continue
		}
		cells = append(cells, jobs.Value{Text: string(b[:n-1])})
		b = b[n-1:]
	}
	return cells
}
