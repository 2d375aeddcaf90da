package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// maxArguments is the largest number of arguments of one INSERT.
const maxArguments = 2000

// once runs a transaction that is not tried again, because f consumes rows of another
// database.
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
	for _, table := range sequenced {
		if err := c.copySequence(ctx, q, tx, table); err != nil {
			return fmt.Errorf("copying the last id of %s: %w", table, err)
		}
	}
	for _, statement := range []string{
		// The queue that delivers runs to runners is not copied, so that queued
		// runs are enqueued again.
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
			return fmt.Errorf("%d rows of %s were copied, but the target has %d", done.Rows[table], table, n)
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
		pointers := make([]any, len(columns))
		for i := range values {
			pointers[i] = &values[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return n, err
		}
		args = append(args, values...)
		if len(args)+len(columns) > maxArguments {
			if err := flush(); err != nil {
				return n, err
			}
		}
	}
	return n, errors.Join(rows.Err(), flush())
}

// copySequence makes the target continue the generated ids of a table after the
// source's last one.
func (c *copier) copySequence(ctx context.Context, q Querier, tx *Tx, table string) error {
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
