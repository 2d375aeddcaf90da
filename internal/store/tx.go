package store

import (
	"context"
	"database/sql"
)

// Querier reads: a transaction, a snapshot, or the pool of readers. Queries
// have `?` for their arguments, whatever the database.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Tx is a transaction of Write. One text of SQL serves both databases: see the
// package's comment for what that asks of it.
type Tx struct {
	tx      *sql.Tx
	dialect dialect
	// session is PostgreSQL's connection.
	session *session
}

var _ Querier = (*Tx)(nil)

// SQL is the transaction of database/sql, for code that keeps tables of its own
// in the database.
func (t *Tx) SQL() *sql.Tx { return t.tx }

// ExecContext is that of sql.Tx.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, t.dialect.rebind(query), t.dialect.arguments(args)...)
}

// QueryContext is that of sql.Tx.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.dialect.rebind(query), t.dialect.arguments(args)...)
}

// QueryRowContext is that of sql.Tx.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, t.dialect.rebind(query), t.dialect.arguments(args)...)
}

// Lock waits for the lock of a name and holds it until the transaction ends.
// SQLite has one writer at a time anyway, and needs none.
func (t *Tx) Lock(ctx context.Context, name string) error {
	return t.lock(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('lytics ' || ?, 0))`, name)
}

// LockShared is Lock, except that others may hold it shared at the same time.
func (t *Tx) LockShared(ctx context.Context, name string) error {
	return t.lock(ctx, `SELECT pg_advisory_xact_lock_shared(hashtextextended('lytics ' || ?, 0))`, name)
}

func (t *Tx) lock(ctx context.Context, query, name string) error {
	if t.dialect == sqlite {
		return nil
	}
	_, err := t.ExecContext(ctx, query, name)
	return err
}

// forUpdate ends a SELECT whose rows must stay as they are until the
// transaction ends.
func (t *Tx) forUpdate() string {
	if t.dialect == sqlite {
		return ""
	}
	return " FOR UPDATE"
}

// skipLocked ends a SELECT whose rows several processes share out: those that
// another transaction holds are left to it.
func (t *Tx) skipLocked() string {
	if t.dialect == sqlite {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// texts reads the one column of a query.
func texts(rows *sql.Rows, err error) ([]string, error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, rows.Err()
}

// Reader reads outside of transactions: each query sees what is committed when
// it begins.
type Reader struct {
	db      *sql.DB
	dialect dialect
}

var _ Querier = (*Reader)(nil)

// QueryContext is that of sql.DB.
func (r *Reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.db.QueryContext(ctx, r.dialect.rebind(query), r.dialect.arguments(args)...)
}

// QueryRowContext is that of sql.DB.
func (r *Reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.db.QueryRowContext(ctx, r.dialect.rebind(query), r.dialect.arguments(args)...)
}

// Snapshot runs f on one state of the store, whatever is committed meanwhile.
func (r *Reader) Snapshot(ctx context.Context, f func(q Querier) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: r.dialect.snapshot()})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return f(&Tx{tx: tx, dialect: r.dialect})
}
