package embedded

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
)

// counters are kept with the profiles and committed with them.
type counters struct {
	LastProfile, Profiles, Unidentified, Unfit, Conflicts int64
}

// named lists the counters with the names they are stored by.
func (c *counters) named() map[string]*int64 {
	return map[string]*int64{
		"last_profile": &c.LastProfile, "profiles": &c.Profiles, "unidentified": &c.Unidentified, "unfit": &c.Unfit, "conflicts": &c.Conflicts,
	}
}

func (w *fileWriter) counters(ctx context.Context) (c counters, err error) {
	rows, err := w.db.QueryContext(ctx, `SELECT name, n FROM counters`)
	if err != nil {
		return c, err
	}
	defer func() { _ = rows.Close() }()
	named := c.named()
	for rows.Next() {
		var name string
		var n int64
		if err := rows.Scan(&name, &n); err != nil {
			return c, err
		}
		if into, ok := named[name]; ok {
			*into = n
		}
	}
	return c, rows.Err()
}

func (w *fileWriter) positions(ctx context.Context) (map[string]position, error) {
	rows, err := w.db.QueryContext(ctx, `SELECT stream, extent, offset, events, checksum FROM positions`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	positions := map[string]position{}
	for rows.Next() {
		var stream string
		var at position
		var sum int64
		if err := rows.Scan(&stream, &at.extent, &at.offset, &at.events, &sum); err != nil {
			return nil, err
		}
		at.checksum = uint32(sum)
		positions[stream] = at
	}
	return positions, rows.Err()
}

// The most rows that one statement reads or writes. A call of a statement costs
// more than a row does.
const rowsAtOnce = 100

// statements of a generation's file, prepared once; those of many rows are for
// rowsAtOnce.
type statements struct {
	findIdentities, findProfiles, putIdentities, putProfiles, deleteProfile *sql.Stmt
}

func rowsOf(row string, n int) string { return strings.TrimSuffix(strings.Repeat(row+",", n), ",") }

func findIdentitiesSQL(n int) string {
	return `WITH wanted (place, field, value) AS (VALUES ` + rowsOf("(?,?,?)", n) + `)
		SELECT w.place, i.profile FROM wanted w CROSS JOIN identities i ON i.field = w.field AND i.value = w.value`
}

func findProfilesSQL(n int) string {
	return `SELECT id, state FROM profiles WHERE id IN (` + rowsOf("?", n) + `)`
}

func putIdentitiesSQL(n int) string {
	return `INSERT INTO identities (field, value, profile) VALUES ` + rowsOf("(?,?,?)", n) + ` ON CONFLICT DO UPDATE SET profile = excluded.profile`
}

func putProfilesSQL(n int) string {
	return `INSERT INTO profiles (id, state) VALUES ` + rowsOf("(?,?)", n) + ` ON CONFLICT DO UPDATE SET state = excluded.state`
}

func prepare(ctx context.Context, db *sql.DB) (*statements, error) {
	s := &statements{}
	var errs [5]error
	s.findIdentities, errs[0] = db.PrepareContext(ctx, findIdentitiesSQL(rowsAtOnce))
	s.findProfiles, errs[1] = db.PrepareContext(ctx, findProfilesSQL(rowsAtOnce))
	s.putIdentities, errs[2] = db.PrepareContext(ctx, putIdentitiesSQL(rowsAtOnce))
	s.putProfiles, errs[3] = db.PrepareContext(ctx, putProfilesSQL(rowsAtOnce))
	s.deleteProfile, errs[4] = db.PrepareContext(ctx, `DELETE FROM profiles WHERE id = ?`)
	if err := errors.Join(errs[:]...); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *statements) close() {
	for _, stmt := range []*sql.Stmt{s.findIdentities, s.findProfiles, s.putIdentities, s.putProfiles, s.deleteProfile} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
}

// fileWindow is a transaction on a generation's file.
type fileWindow struct {
	tx *sql.Tx
	statements
	// empty tells that the file has no identities yet.
	empty bool
	args  []any
	// ids and blobs are profiles to be written; a blob ends where ends says.
	ids     []int64
	ends    []int
	blobs   []byte
	encoder encoder
}

func (w *fileWriter) begin(ctx context.Context) (profileWindow, error) {
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	begun := &fileWindow{tx: tx}
	begun.statements = statements{
		findIdentities: tx.StmtContext(ctx, w.findIdentities), findProfiles: tx.StmtContext(ctx, w.findProfiles),
		putIdentities: tx.StmtContext(ctx, w.putIdentities), putProfiles: tx.StmtContext(ctx, w.putProfiles), deleteProfile: tx.StmtContext(ctx, w.deleteProfile),
	}
	if err := tx.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM identities)`).Scan(&begun.empty); err != nil {
		begun.rollback()
		return nil, err
	}
	return begun, nil
}

func (w *fileWindow) rollback() { _ = w.tx.Rollback() }

// query runs a statement of many rows: the prepared one for rowsAtOnce, another
// for the rest.
func (w *fileWindow) query(ctx context.Context, full *sql.Stmt, text func(n int) string, n int, each func(scan func(...any) error) error) (err error) {
	var rows *sql.Rows
	if n == rowsAtOnce {
		rows, err = full.QueryContext(ctx, w.args...)
	} else {
		rows, err = w.tx.QueryContext(ctx, text(n), w.args...)
	}
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (w *fileWindow) exec(ctx context.Context, full *sql.Stmt, text func(n int) string, rows int) (err error) {
	if rows == rowsAtOnce {
		_, err = full.ExecContext(ctx, w.args...)
	} else {
		_, err = w.tx.ExecContext(ctx, text(rows), w.args...)
	}
	return err
}

func (w *fileWindow) find(ctx context.Context, wanted []identity, found map[identity]int64) error {
	if w.empty {
		return nil
	}
	var place int
	var profile int64
	for chunk := range slices.Chunk(wanted, rowsAtOnce) {
		w.args = w.args[:0]
		for n, i := range chunk {
			w.args = append(w.args, n, i.field, i.value)
		}
		err := w.query(ctx, w.findIdentities, findIdentitiesSQL, len(chunk), func(scan func(...any) error) error {
			err := scan(&place, &profile)
			if err == nil {
				found[chunk[place]] = profile
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *fileWindow) profiles(ctx context.Context, wanted []int64, each func(id int64, blob []byte)) error {
	var id int64
	var blob sql.RawBytes
	for chunk := range slices.Chunk(wanted, rowsAtOnce) {
		w.args = w.args[:0]
		for _, id := range chunk {
			w.args = append(w.args, id)
		}
		err := w.query(ctx, w.findProfiles, findProfilesSQL, len(chunk), func(scan func(...any) error) error {
			err := scan(&id, &blob)
			if err == nil {
				each(id, blob)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *fileWindow) put(ctx context.Context, pr *profile) error {
	w.blobs = w.encoder.append(w.blobs, pr)
	w.ids, w.ends = append(w.ids, pr.id), append(w.ends, len(w.blobs))
	if len(w.ids) < rowsAtOnce {
		return nil
	}
	return w.flush(ctx)
}

func (w *fileWindow) flush(ctx context.Context) error {
	if len(w.ids) == 0 {
		return nil
	}
	w.args = w.args[:0]
	from := 0
	for n, id := range w.ids {
		w.args = append(w.args, id, w.blobs[from:w.ends[n]])
		from = w.ends[n]
	}
	err := w.exec(ctx, w.putProfiles, putProfilesSQL, len(w.ids))
	w.ids, w.ends, w.blobs = w.ids[:0], w.ends[:0], w.blobs[:0]
	return err
}

func (w *fileWindow) remove(ctx context.Context, id int64) error {
	_, err := w.deleteProfile.ExecContext(ctx, id)
	return err
}

func (w *fileWindow) finish(ctx context.Context, owners []owner, c *counters, stream string, at position) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	for chunk := range slices.Chunk(owners, rowsAtOnce) {
		w.args = w.args[:0]
		for _, o := range chunk {
			w.args = append(w.args, o.field, o.value, o.profile)
		}
		if err := w.exec(ctx, w.putIdentities, putIdentitiesSQL, len(chunk)); err != nil {
			return err
		}
	}
	for name, n := range c.named() {
		if _, err := w.tx.ExecContext(ctx, `INSERT INTO counters (name, n) VALUES (?, ?) ON CONFLICT DO UPDATE SET n = excluded.n`, name, *n); err != nil {
			return err
		}
	}
	if _, err := w.tx.ExecContext(ctx, `
		INSERT INTO positions (stream, extent, offset, events, checksum) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET extent = excluded.extent, offset = excluded.offset, events = excluded.events, checksum = excluded.checksum`,
		stream, at.extent, at.offset, at.events, int64(at.checksum)); err != nil {
		return err
	}
	return w.tx.Commit()
}

func (b *batch) rollback() {
	if b.tx != nil {
		b.tx.rollback()
	}
}
