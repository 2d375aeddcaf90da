package store

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// schemaName is the PostgreSQL schema of the store's tables. It is the search path of
// every connection, so that queries name tables as in SQLite.
const schemaName = "lytics"

// defaultConnections is the size of the pool when neither the URL nor the location
// bounds it.
const defaultConnections = 16

func openPostgres(ctx context.Context, at Location, create bool) (*DB, error) {
	db := &DB{dir: at.Dir, dialect: postgres, hidden: append(secretsOf(at.DatabaseURL.Reveal()), at.DatabaseURL), place: "the database " +
		"of database_url"}
	config, err := db.poolConfig(at.DatabaseURL.Reveal(), cmp.Or(at.Connections, defaultConnections))
	if err != nil {
		return nil, err
	}
	if at.Dir != "" {
		if err := prepareDir(at.Dir); err != nil {
			return nil, (&DB{place: at.Dir}).failed("Cannot make the data directory", err)
		}
	}
	// The pool outlives the call that opens it.
	if db.pool, err = pgxpool.NewWithConfig(context.WithoutCancel(ctx), config); err != nil {
		return nil, db.failed("Cannot connect to the store", err)
	}
	db.write, db.read = stdlib.OpenDBFromPool(db.pool), &Reader{db: stdlib.OpenDBFromPool(db.pool), dialect: postgres}
	// A writer may read through a second connection, so writers use half of them.
	db.write.SetMaxOpenConns(max(1, int(config.MaxConns)/2))
	if err := db.openSchema(ctx, create); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

func (d *DB) openSchema(ctx context.Context, create bool) error {
	var known int64
	var there, schema bool
	err := d.read.QueryRowContext(
		ctx,
		`SELECT to_regclass('`+schemaName+`.store') IS NOT NULL, to_regnamespace('`+schemaName+`') IS NOT NULL`,
	).
		Scan(
			&there,
			&schema,
		)
	if err != nil {
		return d.failed("Cannot read the store", err)
	}
	if there {
		if err := d.read.QueryRowContext(ctx, `SELECT count(*) FROM store`).Scan(&known); err != nil {
			return d.failed("Cannot read the store", err)
		}
	}
	if known == 0 && !create {
		return &jobs.Error{
			Code:      jobs.CodeStore,
			Attribute: "database_url",
			Summary:   fmt.Sprintf("No store in %s", d.place),
			Detail: "The authorizations, jobs and cursors are expected in the database's schema " + schemaName + ", and that schema " +
				"holds no store.",
			Next: "Point database_url at the database that has the store, or restore it from a backup",
			Err:  fs.ErrNotExist,
		}
	}
	unlock, err := d.MigrationLock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !schema {
		if _, err := d.write.ExecContext(ctx, `CREATE SCHEMA IF NOT EXISTS `+schemaName); err != nil {
			return d.failed("Cannot make the schema "+schemaName, err)
		}
	}
	return d.finishOpening(ctx)
}

// poolConfig parses the URL, and sets the parameters that the store relies on.
func (d *DB) poolConfig(text string, connections int) (*pgxpool.Config, error) {
	invalid := func(detail string) error {
		return &jobs.Error{
			Code:      jobs.CodeInvalid,
			Attribute: "database_url",
			Summary:   "database_url cannot be used",
			Detail:    detail,
			Next: "Write it as postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full, with special characters in the password " +
				"percent-encoded", // #nosec G101 -- a form to fill in
		}
	}
	u, err := url.Parse(text)
	if err != nil { // the text of err contains the URL
		return nil, invalid("It is not a URL.")
	}
	if u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, invalid("It does not begin with postgres:// or postgresql://.")
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, invalid(redact.Text(err.Error()))
	}
	if !u.Query().Has("pool_max_conns") {
		config.MaxConns = int32(connections) // #nosec G115 -- a small number
	}
	c := config.ConnConfig
	d.place = fmt.Sprintf("PostgreSQL database %s on %s", c.Database, c.Host)
	if !strings.HasPrefix(c.Host, "/") {
		d.place += ":" + strconv.Itoa(int(c.Port))
	}
	set := func(name, value string) {
		if c.RuntimeParams[name] == "" {
			c.RuntimeParams[name] = value
		}
	}
	c.RuntimeParams["search_path"] = schemaName
	set("application_name", "terraform-provider-lytics")
	// PostgreSQL would compile queries over all jobs, each time anew, for longer than they
	// take.
	set("jit", "off")
	// A process that hangs inside a transaction holds locks for which others wait.
	// After its lease it has lost its run anyway.
	set("idle_in_transaction_session_timeout", strconv.FormatInt(Lease.Milliseconds(), 10))
	return config, nil
}

// migrationLock is the key of MigrationLock's advisory lock.
const migrationLock = 0x6c7974696373 // "lytics"

// lockDatabase is MigrationLock on PostgreSQL.
func (d *DB) lockDatabase(ctx context.Context) (unlock func(), err error) {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, migrationLock); err != nil {
		conn.Release()
		return nil, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Lease)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, migrationLock); err != nil {
			// Closing the session releases the lock.
			_ = conn.Conn().Close(ctx)
		}
		conn.Release()
	}, nil
}

// secretsOf returns the passwords in a URL.
func secretsOf(text string) (hidden []jobs.Secret) {
	add := func(s string) { hidden = append(hidden, jobs.NewSecret(s)) }
	if _, rest, ok := strings.Cut(text, "://"); ok {
		if at := strings.LastIndexByte(rest, '@'); at >= 0 {
			if _, password, ok := strings.Cut(rest[:at], ":"); ok {
				add(password)
			}
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return hidden
	}
	if password, ok := u.User.Password(); ok {
		add(password)
	}
	for _, name := range []string{"password", "sslpassword"} {
		add(u.Query().Get(name))
	}
	return hidden
}
