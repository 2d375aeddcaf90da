package embedded

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// tableProfiles has four tables of PostgreSQL for each generation.
type tableProfiles struct{ pool *pgxpool.Pool }

func (*tableProfiles) name() string { return store.NewID("g") }

func (*tableProfiles) remedy() string {
	return "delete all rows of the table lytics.profile_generations"
}

// tablesOf are the tables of a generation: profiles, identities, positions,
// counters.
func tablesOf(name string) [4]string {
	quoted := func(kind string) string { return pgx.Identifier{kind + "_" + name}.Sanitize() }
	return [...]string{quoted("profiles"), quoted("identities"), quoted("positions"), quoted("counters")}
}

// tableName is the name of any of them, and what generation's it is.
var tableName = regexp.MustCompile(`^(?:profiles|identities|positions|counters)_(g_[a-z0-9]+)$`)

// A PostgreSQL error by its code.
func isPostgres(err error, code string) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == code
}

const (
	undefinedTable   = "42P01"
	lockNotAvailable = "55P03"
)

// gone is fs.ErrNotExist for a table that is not there.
func gone(err error) error {
	if isPostgres(err, undefinedTable) {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// buildRetry is how often a build that another process does is waited for.
const buildRetry = 200 * time.Millisecond

// lock takes an advisory lock on a connection of its own: it ends with the
// process. A process cut off from the database may not know that it lost it, so
// each right has a number, which is checked in all that it commits.
func (t *tableProfiles) lock(ctx context.Context) (_ buildRight, err error) {
	conn, err := pgx.ConnectConfig(ctx, t.pool.Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	r := &tableRight{tableProfiles: t, conn: conn}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.release())
		}
	}()
	// No limit of the server ends the lock, but the end of its holder, within
	// half a minute even if its machine is gone.
	_, err = conn.Exec(ctx, `SELECT set_config(s.name, v.value, false) FROM pg_settings s JOIN (VALUES
		('idle_session_timeout', '0'), ('statement_timeout', '0'), ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '4')
	) v (name, value) ON v.name = s.name`)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(buildRetry)
	defer tick.Stop()
	for {
		var held bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended('lytics profiles', 0))`).Scan(&held); err != nil {
			return nil, err
		}
		if held {
			break
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
	err = conn.QueryRow(ctx, `INSERT INTO profile_builds (one, right_number) VALUES (1, 1)
		ON CONFLICT (one) DO UPDATE SET right_number = profile_builds.right_number + 1 RETURNING right_number`).Scan(&r.number)
	return r, err
}

// tableRight is the lock and its number.
type tableRight struct {
	*tableProfiles
	conn   *pgx.Conn
	number int64
}

// releaseTimeout bounds the goodbye to a server that may not answer.
const releaseTimeout = 5 * time.Second

func (r *tableRight) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	return r.conn.Close(ctx)
}

const rightNumber = `SELECT right_number FROM profile_builds WHERE one = 1 FOR SHARE`

func (r *tableRight) fence(ctx context.Context, tx *store.Tx) error {
	return r.check(tx.QueryRowContext(ctx, rightNumber).Scan)
}

func (r *tableRight) check(scan func(...any) error) error {
	var now int64
	if err := scan(&now); err != nil {
		return err
	}
	if now != r.number {
		return &jobs.Error{
			Code: jobs.CodeUnreachable, Summary: "Another process builds the profiles now",
			Detail: "The connection to the database that gave this one the right to was lost.", Next: "Run it again; it goes on where it was",
		}
	}
	return nil
}

func (r *tableRight) has(ctx context.Context, g generation) (there bool, err error) {
	err = r.pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, tablesOf(g.file)[0]).Scan(&there)
	return there, err
}

func (r *tableRight) open(ctx context.Context, g generation) (profileWriter, error) {
	names := tablesOf(g.file)
	// Room in a page keeps a changed profile beside what it was, without another
	// entry in the index.
	_, err := r.pool.Exec(ctx, fmt.Sprintf(`
		CREATE TABLE IF NOT EXISTS %s (id BIGINT PRIMARY KEY, state BYTEA NOT NULL) WITH (fillfactor = 85);
		CREATE TABLE IF NOT EXISTS %s (field INTEGER NOT NULL, value BYTEA NOT NULL, profile BIGINT NOT NULL, PRIMARY KEY (field, value));
		CREATE TABLE IF NOT EXISTS %s (stream TEXT COLLATE "C" PRIMARY KEY, extent BIGINT NOT NULL, into_extent BIGINT NOT NULL, events BIGINT NOT NULL, checksum BIGINT NOT NULL);
		CREATE TABLE IF NOT EXISTS %s (name TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL)`,
		names[0], names[1], names[2], names[3]))
	if err != nil {
		return nil, err
	}
	return &tableWriter{r, names}, nil
}

// sweepPatience is how long a scan of an old generation is waited for.
const sweepPatience = "500ms"

func (r *tableRight) sweep(ctx context.Context, known []generation) error {
	rows, err := r.pool.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	old := map[string]bool{}
	for _, table := range tables {
		m := tableName.FindStringSubmatch(table)
		if m != nil && !slices.ContainsFunc(known, func(g generation) bool { return g.file == m[1] }) {
			old[m[1]] = true
		}
	}
	for name := range old {
		names := tablesOf(name)
		err := pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '`+sweepPatience+`'; DROP TABLE IF EXISTS `+strings.Join(names[:], ", "))
			return err
		})
		if err != nil && !isPostgres(err, lockNotAvailable) {
			return err
		}
	}
	return nil
}

// longestKey is the longest value that is its own key: an index has no room for
// much longer ones.
const longestKey = 1000

// key is what an identity is found by.
func (i identity) key() []byte {
	if len(i.value) <= longestKey {
		return []byte(i.value)
	}
	digest := sha256.Sum256([]byte(i.value))
	return append([]byte(i.value[:longestKey]), digest[:]...)
}

// tableReader reads the tables of a generation.
type tableReader struct {
	pool  *pgxpool.Pool
	names [4]string
}

func (t *tableProfiles) read(_ context.Context, g generation) (profileReader, error) {
	return &tableReader{t.pool, tablesOf(g.file)}, nil
}

func (*tableReader) close() error { return nil }

// pageOfProfiles is how many profiles one query of a scan asks for.
const pageOfProfiles = 5000

// each reads page by page, in the order of the index, in one transaction that
// sees one state of the tables however long it takes.
func (r *tableReader) each(ctx context.Context, f func(id int64, blob []byte) (bool, error)) error {
	tx, err := r.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	// Who takes the rows may take time over them.
	if _, err := tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`); err != nil {
		return err
	}
	for last, more := int64(0), true; more; {
		rows, err := tx.Query(ctx, `SELECT id, state FROM `+r.names[0]+` WHERE id > $1 ORDER BY id LIMIT $2`, last, pageOfProfiles)
		if err != nil {
			return gone(err)
		}
		n := 0
		for more && rows.Next() {
			n++
			var blob pgtype.DriverBytes
			if err = rows.Scan(&last, &blob); err == nil {
				more, err = f(last, blob)
			}
			if err != nil {
				break
			}
		}
		rows.Close()
		if err = errors.Join(err, gone(rows.Err())); err != nil {
			return err
		}
		more = more && n == pageOfProfiles
	}
	return nil
}

func (r *tableReader) owner(ctx context.Context, i identity) (id int64, blob []byte, ok bool, err error) {
	err = r.pool.QueryRow(ctx, `SELECT p.id, p.state FROM `+r.names[1]+` i JOIN `+r.names[0]+` p ON p.id = i.profile WHERE i.field = $1 AND i.value = $2`,
		i.field, i.key()).Scan(&id, &blob)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, false, nil
	}
	return id, blob, err == nil, gone(err)
}
