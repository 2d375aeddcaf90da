package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// argumentsAtOnce bounds what one statement writes, by its arguments.
const argumentsAtOnce = 2000

// once is a transaction that is not tried again: what it reads comes from
// somewhere else.
func (d *DB) once(ctx context.Context, f func(tx *Tx) error) error {
	_, err := d.try(ctx, sql.LevelDefault, f)
	return d.ofDatabase("Cannot write to the store", err)
}

// copyRows copies all tables and counts them, in the target's transaction.
func (c *copier) copyRows(ctx context.Context, q Querier, tx *Tx, done *Copied) error {
	for _, table := range tables {
		n, err := copyTable(ctx, q, tx, table)
		if err != nil {
			return fmt.Errorf("copying %s: %w", table, err)
		}
		done.Rows[table] = n
	}
	for _, table := range numbered {
		if err := c.copyNumber(ctx, q, tx, table); err != nil {
			return fmt.Errorf("copying the numbers of %s: %w", table, err)
		}
	}
	for _, statement := range []string{
		// The queue that carries runs to runners is not copied: they are
		// handed over again. Those being executed were so by processes that
		// will not come to the target.
		`UPDATE runs SET dispatched_at = NULL WHERE status = 'queued'`,
		`UPDATE store SET id = ? WHERE one = 1`,
	} {
		var args []any
		if strings.Contains(statement, "?") {
			args = append(args, c.source.id)
		}
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return err
		}
	}
	for _, table := range tables {
		var n int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			return err
		}
		if n != done.Rows[table] {
			return fmt.Errorf("%d rows of %s were copied, and %d are there", done.Rows[table], table, n)
		}
	}
	return nil
}

func copyTable(ctx context.Context, q Querier, tx *Tx, table string) (n int64, err error) {
	rows, err := q.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	one := `(?` + strings.Repeat(`, ?`, len(columns)-1) + `)`
	insert := `INSERT INTO ` + table + ` (` + strings.Join(columns, `, `) + `) VALUES `
	var args []any
	flush := func() error {
		count := len(args) / len(columns)
		if count == 0 {
			return nil
		}
		_, err := tx.ExecContext(ctx, insert+one+strings.Repeat(`, `+one, count-1), args...)
		n += int64(count)
		args = args[:0]
		return err
	}
	for rows.Next() {
		values := make([]any, len(columns))
		places := make([]any, len(columns))
		for i := range values {
			places[i] = &values[i]
		}
		if err := rows.Scan(places...); err != nil {
			return n, err
		}
		args = append(args, values...)
		if len(args)+len(columns) > argumentsAtOnce {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, errors.Join(rows.Err(), flush())
}

// copyNumber makes the target go on with the ids of a table where the source is.
func (c *copier) copyNumber(ctx context.Context, q Querier, tx *Tx, table string) error {
	var last int64
	query := `SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = '` + table + `'`
	if c.source.dialect == postgres {
		query = `SELECT coalesce((SELECT last_value FROM pg_sequences WHERE schemaname = '` + schemaName + `' AND sequencename = '` + table + `_id_seq'), 0)`
	}
	if err := q.QueryRowContext(ctx, query).Scan(&last); err != nil {
		return err
	}
	if last == 0 {
		return nil
	}
	statements := []string{
		`DELETE FROM sqlite_sequence WHERE name = '` + table + `'`,
		fmt.Sprintf(`INSERT INTO sqlite_sequence (name, seq) VALUES ('%s', %d)`, table, last),
	}
	if c.target.dialect == postgres {
		statements = []string{fmt.Sprintf(`SELECT setval('%s.%s_id_seq', %d)`, schemaName, table, last)}
	}
	for _, s := range statements {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
