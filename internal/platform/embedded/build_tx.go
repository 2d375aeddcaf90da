package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
)

// buildTx is the transaction of one batch of a build.
type buildTx struct {
	*generationDB
	tx *sql.Tx
	// prepared are the prepared bulk statements, bound to this transaction.
	prepared map[*bulkStatement]boundStatement
	args     []any
	// put are the ids of profiles to be written. Their encoded forms are in blobs,
	// one after the other; the form of put[n] ends at ends[n].
	put     integers
	ends    []int
	blobs   []byte
	encoder encoder
	removed integers
}

func (g *generationDB) begin(ctx context.Context) (*buildTx, error) {
	tx, err := g.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	t := &buildTx{generationDB: g, tx: tx, prepared: map[*bulkStatement]boundStatement{}}
	if _, err = tx.ExecContext(ctx, g.dialect.writeSettings); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return t, nil
}

// rollback does nothing after a commit.
func (t *buildTx) rollback() { _ = t.tx.Rollback() }

// parameters is a column of a bulk statement's parameters.
type parameters interface {
	// len is the number of rows.
	len() int
	// at returns the parameter of one row.
	at(row int) any
	// array returns the parameters of all rows as one array.
	array() any
}

type integers []int64

func (c integers) len() int       { return len(c) }
func (c integers) at(row int) any { return c[row] }
func (c integers) array() any     { return []int64(c) }

type blobs [][]byte

func (c blobs) len() int       { return len(c) }
func (c blobs) at(row int) any { return c[row] }
func (c blobs) array() any     { return [][]byte(c) }

// identityValues are the values of identities.
type identityValues []string

func (c identityValues) len() int       { return len(c) }
func (c identityValues) at(row int) any { return c[row] }
func (c identityValues) array() any {
	values := make([][]byte, len(c))
	for n, v := range c {
		values[n] = indexableValue(v)
	}
	return values
}

// boundStatement is a statement to run in the transaction.
type boundStatement interface {
	ExecContext(ctx context.Context, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, args ...any) (*sql.Rows, error)
}

// textStatement is a statement that is not prepared.
type textStatement struct {
	tx   *sql.Tx
	text string
}

func (s textStatement) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	return s.tx.ExecContext(ctx, s.text, args...)
}

func (s textStatement) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	return s.tx.QueryContext(ctx, s.text, args...)
}

// bind returns a bulk statement for the rows of these columns, and sets args to their
// values. The statement is a prepared one if the dialect prepares statements and there
// are rowsAtOnce rows.
func (t *buildTx) bind(ctx context.Context, s *bulkStatement, columns []parameters) boundStatement {
	rows := columns[0].len()
	t.args = t.args[:0]
	if t.dialect.arrays {
		for _, c := range columns {
			t.args = append(t.args, c.array())
		}
		return textStatement{t.tx, t.bulk[s].text}
	}
	for n := range rows {
		for _, c := range columns {
			t.args = append(t.args, c.at(n))
		}
	}
	if !t.dialect.prepare || rows != t.dialect.rowsAtOnce {
		return textStatement{t.tx, t.bulkSQL(s, rows)}
	}
	stmt, ok := t.prepared[s]
	if !ok {
		stmt = t.tx.StmtContext(ctx, t.bulk[s].stmt)
		t.prepared[s] = stmt
	}
	return stmt
}

func (t *buildTx) exec(ctx context.Context, s *bulkStatement, columns ...parameters) error {
	_, err := t.bind(ctx, s, columns).ExecContext(ctx, t.args...)
	return err
}

func (t *buildTx) query(ctx context.Context, s *bulkStatement, f func(rows *sql.Rows) error, columns ...parameters) error {
	rows, err := t.bind(ctx, s, columns).QueryContext(ctx, t.args...)
	return eachRow(rows, err, f)
}

// findOwners adds the profiles of the wanted identities to found. The wanted
// identities are sorted.
func (t *buildTx) findOwners(ctx context.Context, wanted []identity, found map[identity]int64) error {
	var indexes, fields integers
	var values identityValues
	var index, profile int64
	for chunk := range slices.Chunk(wanted, t.dialect.rowsAtOnce) {
		indexes, fields, values = indexes[:0], fields[:0], values[:0]
		for n, i := range chunk {
			indexes, fields, values = append(indexes, int64(n)), append(fields, int64(i.field)), append(values, i.value)
		}
		err := t.query(ctx, findIdentities, func(rows *sql.Rows) error {
			err := rows.Scan(&index, &profile)
			if err == nil {
				found[chunk[index]] = profile
			}
			return err
		}, indexes, fields, values)
		if err != nil {
			return err
		}
	}
	return nil
}

// loadProfiles calls f for the encoded forms of profiles. The blob is valid only during
// the call.
func (t *buildTx) loadProfiles(ctx context.Context, wanted []int64, f func(id int64, blob []byte)) error {
	var id int64
	var blob sql.RawBytes
	for chunk := range slices.Chunk(wanted, t.dialect.rowsAtOnce) {
		err := t.query(ctx, findProfiles, func(rows *sql.Rows) error {
			err := rows.Scan(&id, &blob)
			if err == nil {
				f(id, blob)
			}
			return err
		}, integers(chunk))
		if err != nil {
			return err
		}
	}
	return nil
}

// putProfile adds a profile to the ones that flush writes, and calls flush when there
// are enough for one statement.
func (t *buildTx) putProfile(ctx context.Context, pr *profile) error {
	t.blobs = t.encoder.append(t.blobs, pr)
	return t.putEncoded(ctx, pr.id)
}

// putEncoded adds the profile whose stored form was appended to blobs.
func (t *buildTx) putEncoded(ctx context.Context, id int64) error {
	t.put, t.ends = append(t.put, id), append(t.ends, len(t.blobs))
	if len(t.put) < t.dialect.rowsAtOnce && len(t.blobs) < t.dialect.bytesAtOnce {
		return nil
	}
	return t.flush(ctx)
}

func (t *buildTx) flush(ctx context.Context) error {
	if len(t.put) == 0 {
		return nil
	}
	states := make(blobs, len(t.ends))
	from := 0
	for n, end := range t.ends {
		states[n] = t.blobs[from:end:end]
		from = end
	}
	err := t.exec(ctx, putProfiles, t.put, states)
	t.put, t.ends, t.blobs = t.put[:0], t.ends[:0], t.blobs[:0]
	return err
}

// removeProfile makes commit delete a profile that was joined into another one.
func (t *buildTx) removeProfile(id int64) { t.removed = append(t.removed, id) }

// commit writes the owners of identities, the counters and the position in a stream, and
// commits the transaction.
//
// A crash of the machine may lose the last transactions. Positions and profiles are
// lost together, so that the next build merges the same events again.
func (t *buildTx) commit(ctx context.Context, owners *unwrittenIdentities, c *counters, stream string, at position) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	for chunk := range slices.Chunk(t.removed, t.dialect.rowsAtOnce) {
		if err := t.exec(ctx, deleteProfiles, chunk); err != nil {
			return err
		}
	}
	var fields, profiles integers
	var values identityValues
	err := owners.drain(t.dialect.rowsAtOnce, func(some []owner) error {
		fields, values, profiles = fields[:0], values[:0], profiles[:0]
		for _, o := range some {
			fields, values, profiles = append(fields, int64(o.field)), append(values, o.value), append(profiles, o.profile)
		}
		return t.exec(ctx, putIdentities, fields, values, profiles)
	})
	if err != nil {
		return err
	}
	for name, n := range c.named() {
		if _, err := t.tx.ExecContext(ctx,
			t.sql(`INSERT INTO {counters} (name, n) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = excluded.n`), name, *n); err != nil {
			return err
		}
	}
	if _, err := t.tx.ExecContext(ctx, t.sql(`
		INSERT INTO {positions} (stream, extent, {offset}, events, checksum) VALUES (?, ?, ?, ?, ?) ON CONFLICT (stream) DO UPDATE SET
			extent = excluded.extent, {offset} = excluded.{offset}, events = excluded.events, checksum = excluded.checksum`),
		stream, at.extent, at.offset, at.events, int64(at.checksum)); err != nil {
		return err
	}
	if err := t.fence(ctx, t.tx); err != nil {
		return err
	}
	return t.tx.Commit()
}

// erase removes profiles with their identities, and executes the dialect's purge. It
// returns the number of profiles that it removed. It also makes the positions
// independent of the length of their extents, because an erasure shortens extents.
func (g *generationDB) erase(ctx context.Context, fields []mappedField, profiles []int64) (removed int64, err error) {
	t, err := g.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer t.rollback()
	for _, id := range profiles {
		ok, err := t.eraseProfile(ctx, fields, id)
		if err != nil {
			return 0, fmt.Errorf("profile %d: %w", id, err)
		}
		if ok {
			removed++
		}
	}
	if _, err := t.tx.ExecContext(ctx, g.sql(`UPDATE {counters} SET n = n - ? WHERE name = 'profiles'`), removed); err != nil {
		return 0, err
	}
	// An offset of 0 means the end of the extent, for every length of the extent.
	if _, err := t.tx.ExecContext(ctx, g.sql(`UPDATE {positions} SET {offset} = 0, events = 0, checksum = 0`)); err != nil {
		return 0, err
	}
	if err := g.fence(ctx, t.tx); err != nil {
		return 0, err
	}
	if err := t.tx.Commit(); err != nil {
		return 0, err
	}
	_, err = g.db.ExecContext(ctx, g.sql(g.dialect.purge))
	return removed, err
}

// eraseProfile removes a profile with its identities, and reports whether it existed.
func (t *buildTx) eraseProfile(ctx context.Context, fields []mappedField, id int64) (bool, error) {
	var blob []byte
	err := t.tx.QueryRowContext(ctx, t.sql(`DELETE FROM {profiles} WHERE id = ? RETURNING state`), id).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	pr, err := readProfile(blob, fields, make([]bool, len(fields)))
	if err != nil {
		return false, err
	}
	for chunk := range slices.Chunk(pr.identities, t.dialect.rowsAtOnce) {
		var fields integers
		var values identityValues
		for _, i := range chunk {
			fields, values = append(fields, int64(i.field)), append(values, i.value)
		}
		if err := t.exec(ctx, deleteIdentities, fields, values); err != nil {
			return false, err
		}
	}
	return true, nil
}
