package embedded

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// tableProfiles keeps each generation in four tables of the store's PostgreSQL
// database.
type tableProfiles struct{ db *store.DB }

func (*tableProfiles) newName() string { return store.NewID("g") }

func (*tableProfiles) rebuildHint() string {
	return "delete all rows of the table lytics.profile_generations"
}

// tableName matches the name of a generation's table, and captures the name of
// the generation.
var tableName = regexp.MustCompile(`^(?:profiles|identities|positions|counters)_(g_[a-z0-9]+)$`)

// generation gives the database of a generation.
func (t *tableProfiles) generation(name string) *generationDB {
	quoted := func(kind string) string { return pgx.Identifier{kind + "_" + name}.Sanitize() }
	return &generationDB{
		db: t.db.Writer(), dialect: tableDialect, rebind: t.db.Rebind,
		names: strings.NewReplacer("{profiles}", quoted("profiles"), "{identities}", quoted("identities"),
			"{positions}", quoted("positions"), "{counters}", quoted("counters"), "{offset}", "into_extent"),
	}
}

// buildRetry is the pause between two attempts to take the lock.
const buildRetry = 200 * time.Millisecond

// lock takes an advisory lock on a separate connection, so that the lock ends with the
// process. A process that is disconnected from the database may not know that it lost
// the lock. Therefore each holder has a number, and fence checks it in every
// transaction of the holder.
func (t *tableProfiles) lock(ctx context.Context) (_ buildLock, err error) {
	conn, err := pgx.ConnectConfig(ctx, t.db.Pool().Config().ConnConfig)
	if err != nil {
		return nil, err
	}
	l := &tableLock{tableProfiles: t, conn: conn}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.release())
		}
	}()
	// No time-out of the server ends the lock. Keepalives end it within half a
	// minute of its holder's end, even if the holder's machine is gone.
	_, err = conn.Exec(ctx, `SELECT set_config(s.name, v.value, false) FROM pg_settings s JOIN (VALUES
		('idle_session_timeout', '0'), ('statement_timeout', '0'),
		('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '4')
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
		ON CONFLICT (one) DO UPDATE SET right_number = profile_builds.right_number + 1 RETURNING right_number`).Scan(&l.number)
	return l, err
}

// tableLock is an advisory lock and the number of its holder.
type tableLock struct {
	*tableProfiles
	conn   *pgx.Conn
	number int64
}

// releaseTimeout limits the wait for a server that no longer answers.
const releaseTimeout = 5 * time.Second

func (l *tableLock) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), releaseTimeout)
	defer cancel()
	return l.conn.Close(ctx)
}

func (l *tableLock) fence(ctx context.Context, tx rowQuerier) error {
	var newest int64
	if err := tx.QueryRowContext(ctx, `SELECT right_number FROM profile_builds WHERE one = 1 FOR SHARE`).Scan(&newest); err != nil {
		return err
	}
	if newest != l.number {
		return &jobs.Error{
			Code: jobs.CodeUnreachable, Summary: "Another process builds the profiles now",
			Detail: "This process lost the connection to the database that held its lock.", Next: "Run it again; it goes on where it was",
		}
	}
	return nil
}

func (l *tableLock) exists(ctx context.Context, g generation) (exists bool, err error) {
	db := l.generation(g.file)
	err = db.db.QueryRowContext(ctx, db.sql(`SELECT to_regclass('{profiles}') IS NOT NULL`)).Scan(&exists)
	return exists, err
}

// tableSchema is the schema of a generation. The fill factor leaves free space in the
// pages, so that PostgreSQL stores a new version of a profile beside the old one and
// needs no new entry in the index.
const tableSchema = `
CREATE TABLE IF NOT EXISTS {profiles} (id BIGINT PRIMARY KEY, state BYTEA NOT NULL) WITH (fillfactor = 85);
CREATE TABLE IF NOT EXISTS {identities} (field INTEGER NOT NULL, value BYTEA NOT NULL, profile BIGINT NOT NULL, PRIMARY KEY (field, value));
CREATE TABLE IF NOT EXISTS {positions} (
    stream      TEXT COLLATE "C" PRIMARY KEY,
    extent      BIGINT NOT NULL,
    into_extent BIGINT NOT NULL, -- bytes of the extent before the position
    events      BIGINT NOT NULL, -- events of the extent before the position
    checksum    BIGINT NOT NULL  -- checksum of the bytes before the position
);
CREATE TABLE IF NOT EXISTS {counters} (name TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL)`

var tableDialect = &profileDialect{
	rowsAtOnce: 10_000, bytesAtOnce: 4 << 20, arrays: true, shared: true,
	storedValue: func(value string) any { return indexableValue(value) },
	isolation:   sql.LevelRepeatableRead,
	// The caller of a scan may need a long time for each row.
	readSettings: `SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;
	SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off`,
	// The statistics of growing tables are out of date, so these settings make the
	// planner use the indexes. A crash of the server may lose the last commits.
	writeSettings: `SET LOCAL synchronous_commit = off;
	SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL jit = off;
	SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '5min'`,
	// The server's write-ahead log and its backups still contain the old rows.
	purge: `VACUUM {profiles}, {identities}`,
}

func (l *tableLock) open(ctx context.Context, g generation) (*generationDB, error) {
	db := l.generation(g.file)
	db.fence = l.fence
	if _, err := db.db.ExecContext(ctx, db.sql(tableSchema)); err != nil {
		return nil, err
	}
	return db, db.prepareBulk(ctx)
}

func (t *tableProfiles) read(_ context.Context, g generation) (*generationDB, error) {
	return t.generation(g.file), nil
}

// sweepPatience is how long removeExcept waits for a scan of an old generation.
const sweepPatience = "500ms"

func (l *tableLock) removeExcept(ctx context.Context, known []generation) error {
	pool := l.db.Pool()
	rows, err := pool.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`)
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
		err := pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, fmt.Sprintf(`SET LOCAL lock_timeout = '%s'; %s`, sweepPatience,
				l.generation(name).sql(`DROP TABLE IF EXISTS {profiles}, {identities}, {positions}, {counters}`)))
			return err
		})
		if err != nil && !isPostgres(err, lockNotAvailable) {
			return err
		}
	}
	return nil
}

// longestIndexed is the length, in bytes, of the longest value that is indexed
// unchanged. An index of PostgreSQL cannot hold values that are much longer.
const longestIndexed = 1000

// indexableValue is the form in which PostgreSQL stores and indexes an identity's
// value: the value, or the beginning of a long value followed by the digest of the
// whole value.
func indexableValue(value string) []byte {
	if len(value) <= longestIndexed {
		return []byte(value)
	}
	digest := sha256.Sum256([]byte(value))
	return append([]byte(value[:longestIndexed]), digest[:]...)
}
