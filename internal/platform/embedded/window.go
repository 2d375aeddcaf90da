package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

func loadCounters(ctx context.Context, db *sql.DB) (c counters, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, n FROM counters`)
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

func loadPositions(ctx context.Context, db *sql.DB) (map[string]position, error) {
	rows, err := db.QueryContext(ctx, `SELECT stream, extent, offset, events, checksum FROM positions`)
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

// statements of a generation's file, prepared once.
type statements struct {
	identity, profile, putIdentity, putProfile, deleteProfile *sql.Stmt
}

func prepare(ctx context.Context, db *sql.DB) (*statements, error) {
	s := &statements{}
	var errs [5]error
	s.identity, errs[0] = db.PrepareContext(ctx, `SELECT profile FROM identities WHERE field = ? AND value = ?`)
	s.profile, errs[1] = db.PrepareContext(ctx, `SELECT state FROM profiles WHERE id = ?`)
	s.putIdentity, errs[2] = db.PrepareContext(ctx, `INSERT INTO identities (field, value, profile) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET profile = excluded.profile`)
	s.putProfile, errs[3] = db.PrepareContext(ctx, `INSERT INTO profiles (id, state) VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state`)
	s.deleteProfile, errs[4] = db.PrepareContext(ctx, `DELETE FROM profiles WHERE id = ?`)
	if err := errors.Join(errs[:]...); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *statements) close() {
	for _, stmt := range []*sql.Stmt{s.identity, s.profile, s.putIdentity, s.putProfile, s.deleteProfile} {
		if stmt != nil {
			_ = stmt.Close()
		}
	}
}

// window is one transaction of a build: the events between two commits.
type window struct {
	tx *sql.Tx
	statements
	// empty tells that the file has no identities yet.
	empty         bool
	blob, scratch []byte
}

func (s *statements) begin(ctx context.Context, db *sql.DB) (*window, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	w := &window{tx: tx}
	w.statements = statements{
		identity: tx.StmtContext(ctx, s.identity), profile: tx.StmtContext(ctx, s.profile), putIdentity: tx.StmtContext(ctx, s.putIdentity),
		putProfile: tx.StmtContext(ctx, s.putProfile), deleteProfile: tx.StmtContext(ctx, s.deleteProfile),
	}
	if err := tx.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM identities)`).Scan(&w.empty); err != nil {
		w.rollback()
		return nil, err
	}
	return w, nil
}

func (w *window) rollback() { _ = w.tx.Rollback() }

func (w *window) identity(ctx context.Context, i identity) (id int64, err error) {
	err = w.statements.identity.QueryRowContext(ctx, i.field, i.value).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return id, err
}

func (w *window) profile(ctx context.Context, id int64) (blob []byte, err error) {
	err = w.statements.profile.QueryRowContext(ctx, id).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("profile %d is missing; remove the profiles-*.db files to build all profiles again", id)
	}
	return blob, err
}

// put writes a profile.
func (w *window) put(ctx context.Context, pr *profile) error {
	w.blob = pr.appendBinary(w.blob[:0], &w.scratch)
	_, err := w.putProfile.ExecContext(ctx, pr.id, w.blob)
	return err
}

// remove deletes a profile that was joined into another.
func (w *window) remove(ctx context.Context, id int64) error {
	_, err := w.deleteProfile.ExecContext(ctx, id)
	return err
}

// finish writes the owners, in the order of the index, the counters and the
// position, and commits all.
func (w *window) finish(ctx context.Context, owners []owner, c *counters, stream string, at position) error {
	for _, o := range owners {
		if _, err := w.putIdentity.ExecContext(ctx, o.field, o.value, o.profile); err != nil {
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
