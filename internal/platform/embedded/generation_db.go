package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// generationDB is the database of one generation of profiles: a SQLite file, or four
// tables of the store's PostgreSQL database. Both execute the same SQL text;
// profileDialect holds the differences.
type generationDB struct {
	db      *sql.DB
	dialect *profileDialect
	// rebind replaces the `?` of a statement by the database's placeholders.
	rebind func(query string) string
	// names replaces {profiles}, {identities}, {positions}, {counters} and
	// {offset} in a statement by the generation's names for them.
	names *strings.Replacer
	// bulk holds the bulk statements for rowsAtOnce rows.
	bulk map[*bulkStatement]preparedBulk
	// fence is buildLock.fence; nil in a generation that is only read.
	fence func(ctx context.Context, tx rowQuerier) error
	// closeDB closes db; nil if db belongs to the store.
	closeDB func() error
}

// profileDialect holds the differences between the two databases.
type profileDialect struct {
	// rowsAtOnce and bytesAtOnce are the largest number of rows, and of bytes of
	// profiles, of one bulk statement.
	rowsAtOnce, bytesAtOnce int
	// arrays means that a bulk statement takes each column of its parameters as one
	// array, not as single values.
	arrays bool
	// shared means that a transaction keeps others from a connection.
	shared bool
	// prepare means that bulk statements are prepared once for each generation.
	// Otherwise the driver would parse their long texts at each use.
	prepare bool
	// storedValue returns the form in which an identity's value is stored.
	storedValue func(value string) any
	// isolation is the isolation level of a transaction on one snapshot.
	isolation sql.IsolationLevel
	// readSettings and writeSettings are executed at the start of a transaction.
	readSettings, writeSettings string
	// purge is executed after profiles were erased. It removes the copies that the
	// database keeps of deleted rows.
	purge string
}

// bulkStatement is a statement over many rows of parameters. Its text contains {rows}
// in their place.
type bulkStatement struct {
	text string
	// types are PostgreSQL's array types of the columns of parameters.
	types []string
}

// CROSS JOIN makes SQLite read the tables in this order, and look up each wanted row
// by the index. On PostgreSQL, writeSettings do that.
var (
	findIdentities = &bulkStatement{`WITH wanted (place, field, value) AS ({rows})
		SELECT w.place, i.profile FROM wanted w CROSS JOIN {identities} i WHERE i.field = w.field AND i.value = w.value`,
		[]string{"int8[]", "int8[]", "bytea[]"}}
	findProfiles = &bulkStatement{`WITH wanted (id) AS ({rows})
		SELECT p.id, p.state FROM wanted w CROSS JOIN {profiles} p WHERE p.id = w.id`, []string{"int8[]"}}
	putIdentities = &bulkStatement{`INSERT INTO {identities} (field, value, profile) {rows}
		ON CONFLICT (field, value) DO UPDATE SET profile = excluded.profile`, []string{"int8[]", "bytea[]", "int8[]"}}
	putProfiles = &bulkStatement{`INSERT INTO {profiles} (id, state) {rows}
		ON CONFLICT (id) DO UPDATE SET state = excluded.state`, []string{"int8[]", "bytea[]"}}
	deleteIdentities = &bulkStatement{`DELETE FROM {identities} WHERE (field, value) IN ({rows})`, []string{"int8[]", "bytea[]"}}
	deleteProfiles   = &bulkStatement{`DELETE FROM {profiles} WHERE id IN ({rows})`, []string{"int8[]"}}
)

// rows returns a query whose result is n rows of parameters.
func (d *profileDialect) rows(types []string, n int) string {
	if d.arrays {
		return `SELECT * FROM unnest(?::` + strings.Join(types, `, ?::`) + `)`
	}
	row := `(?` + strings.Repeat(`,?`, len(types)-1) + `)`
	return `VALUES ` + row + strings.Repeat(`,`+row, n-1)
}

// sql returns the text of a statement for this database.
func (g *generationDB) sql(text string) string { return g.rebind(g.names.Replace(text)) }

func (g *generationDB) bulkSQL(s *bulkStatement, rows int) string {
	return g.sql(strings.Replace(s.text, "{rows}", g.dialect.rows(s.types, rows), 1))
}

// preparedBulk is a bulk statement for rowsAtOnce rows.
type preparedBulk struct {
	text string
	stmt *sql.Stmt // nil unless the dialect prepares statements
}

// prepareBulk prepares the bulk statements of a build.
func (g *generationDB) prepareBulk(ctx context.Context) (err error) {
	g.bulk = map[*bulkStatement]preparedBulk{}
	for _, s := range []*bulkStatement{findIdentities, findProfiles, putIdentities, putProfiles, deleteIdentities, deleteProfiles} {
		p := preparedBulk{text: g.bulkSQL(s, g.dialect.rowsAtOnce)}
		if g.dialect.prepare {
			if p.stmt, err = g.db.PrepareContext(ctx, p.text); err != nil {
				return err
			}
		}
		g.bulk[s] = p
	}
	return nil
}

func (g *generationDB) close() error {
	var errs []error
	for _, p := range g.bulk {
		if p.stmt != nil {
			errs = append(errs, p.stmt.Close())
		}
	}
	if g.closeDB != nil {
		errs = append(errs, g.closeDB())
	}
	return errors.Join(errs...)
}

// counters are stored with the profiles and committed with them.
type counters struct {
	LastProfile, Profiles, Unidentified, Unfit, Conflicts int64
}

// named returns the counters by the names under which they are stored.
func (c *counters) named() map[string]*int64 {
	return map[string]*int64{
		"last_profile": &c.LastProfile, "profiles": &c.Profiles,
		"unidentified": &c.Unidentified, "unfit": &c.Unfit, "conflicts": &c.Conflicts,
	}
}

func (g *generationDB) counters(ctx context.Context) (c counters, err error) {
	rows, err := g.db.QueryContext(ctx, g.sql(`SELECT name, n FROM {counters}`))
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

// empty reports whether the generation has no identities.
func (g *generationDB) empty(ctx context.Context) (empty bool, err error) {
	err = g.db.QueryRowContext(ctx, g.sql(`SELECT NOT EXISTS (SELECT 1 FROM {identities})`)).Scan(&empty)
	return empty, err
}

// positions returns the position in each stream up to which profiles were built.
func (g *generationDB) positions(ctx context.Context) (map[string]position, error) {
	rows, err := g.db.QueryContext(ctx, g.sql(`SELECT stream, extent, {offset}, events, checksum FROM {positions}`))
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

// scanPageSize is the number of profiles that one query of a scan reads.
const scanPageSize = 5000

// each calls f for all profiles of one snapshot, ordered by id, until f returns false.
// The blob is valid only during the call.
func (g *generationDB) each(ctx context.Context, f func(id int64, blob []byte) (bool, error)) error {
	tx, err := g.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: g.dialect.isolation})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, g.dialect.readSettings); err != nil {
		return err
	}
	page := g.sql(`SELECT id, state FROM {profiles} WHERE id > ? ORDER BY id LIMIT ?`)
	for last, more := int64(0), true; more; {
		n := 0
		rows, err := tx.QueryContext(ctx, page, last, scanPageSize)
		err = eachRow(rows, err, func(rows *sql.Rows) (err error) {
			var blob sql.RawBytes
			if err = rows.Scan(&last, &blob); err != nil {
				return err
			}
			n++
			if more, err = f(last, blob); err == nil && !more {
				return errStop
			}
			return err
		})
		if err != nil {
			return notExist(err)
		}
		more = more && n == scanPageSize
	}
	return nil
}

// errStop ends eachRow without an error.
var errStop = errors.New("enough rows")

// eachRow calls f for each row of a query's result.
func eachRow(rows *sql.Rows, err error, f func(rows *sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows); errors.Is(err, errStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return rows.Err()
}

// owner returns the profile that has an identity; ok is false if there is none.
func (g *generationDB) owner(ctx context.Context, i identity) (id int64, blob []byte, ok bool, err error) {
	err = g.db.QueryRowContext(ctx,
		g.sql(`SELECT p.id, p.state FROM {identities} i JOIN {profiles} p ON p.id = i.profile
			WHERE i.field = ? AND i.value = ?`),
		i.field, g.dialect.storedValue(i.value)).Scan(&id, &blob)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil, false, nil
	}
	return id, blob, err == nil, notExist(err)
}

// notExist wraps fs.ErrNotExist if the error means that a generation's table does not
// exist.
func notExist(err error) error {
	if isPostgres(err, undefinedTable) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// SQLSTATEs of PostgreSQL.
const (
	undefinedTable   = "42P01"
	lockNotAvailable = "55P03"
)

func isPostgres(err error, code string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == code
}
