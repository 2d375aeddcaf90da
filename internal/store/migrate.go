package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// instanceVersionSchema is the migration that added an instance's host and version.
const instanceVersionSchema = 4

// MigrationLock waits for the lock under which a store is opened and its schema is
// changed, and holds it until unlock.
func (d *DB) MigrationLock(ctx context.Context) (unlock func(), err error) {
	if d.dialect == sqlite {
		unlock, err = lockFile(ctx, d.dir)
	} else {
		unlock, err = d.lockDatabase(ctx)
	}
	return unlock, d.failed("Cannot lock the store for opening", err)
}

func (d *DB) migrate(ctx context.Context) error {
	dir, name := "migrations/sqlite", goose.DialectSQLite3
	if d.dialect == postgres {
		dir, name = "migrations/postgres", goose.DialectPostgres
	}
	sub, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(name, d.write, sub)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return &jobs.Error{
			Code: jobs.CodeStore, Attribute: "data_dir", Summary: "The store at " + d.place + " was written by a newer release",
			Detail: fmt.Sprintf("It has schema %d, and this release knows schemas up to %d.", current, target),
			Next:   "Use the newer release; nothing was changed",
		}
	}
	if current > 0 && current < target {
		if err := d.refuseMigrationInUse(ctx, current, target); err != nil {
			return err
		}
	}
	if _, err = p.Up(ctx); err != nil {
		return err
	}
	d.schema = target
	query := `INSERT INTO store (one, id) VALUES (1, ?) ON CONFLICT DO NOTHING`
	_, err = d.write.ExecContext(ctx, d.dialect.rebind(query), NewID("st"))
	return err
}

// refuseMigrationInUse fails while a process is alive on the store: it would go on
// with statements that do not match the new schema.
func (d *DB) refuseMigrationInUse(ctx context.Context, current, target int64) error {
	hostVersion := `'', ''`
	if current >= instanceVersionSchema {
		hostVersion = `host, version`
	}
	alive, err := aliveIn(ctx, &Reader{db: d.write, dialect: d.dialect}, hostVersion)
	if err != nil || len(alive) == 0 {
		return err
	}
	names := make([]string, len(alive))
	for i, a := range alive {
		names[i] = a.String()
	}
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: fmt.Sprintf("The store at %s cannot be migrated while an earlier release uses it", d.place),
		Detail: fmt.Sprintf(
			"It has schema %d, and this release needs %d. These processes use it: %s.",
			current,
			target,
			strings.Join(names, ", "),
		),
		Next: fmt.Sprintf(
			"Stop the runner and start it with this release, wait for a running apply to end, or go on with the earlier release; a killed "+
				"process counts as alive for %s. Nothing was changed",
			Lease,
		),
	}
}

func (i Instance) String() string {
	text := i.Kind + " " + i.ID
	if i.Version != "" {
		text += " of release " + i.Version
	}
	if i.Host != "" {
		text += " on " + i.Host
	}
	return text
}

// refuseOtherSchema fails if another release migrated the store after this process
// opened it.
func (d *DB) refuseOtherSchema(ctx context.Context, q Querier) error {
	var schema int64
	if err := q.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&schema); err != nil {
		return err
	}
	if schema == d.schema {
		return nil
	}
	return &jobs.Error{
		Code: jobs.CodeStore, Summary: fmt.Sprintf("The store at %s was migrated by another release", d.place),
		Detail: fmt.Sprintf("It has schema %d now, and this process opened it with %d.", schema, d.schema),
		Next:   "Start this process again with that release",
	}
}
