package store

import (
	"context"
	"database/sql"
)

// Querier executes queries: a transaction, a snapshot, or the pool of readers.
// Arguments are `?` on both databases.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Tx is a transaction of Write. The package comment has the rules for SQL that both
// databases execute.
type Tx struct {
	tx      *sql.Tx
	dialect dialect
	// session is the connection of pgx; nil with SQLite.
	session *session
	// audited is the change that this transaction has recorded.
	audited *Audited
}

var _ Querier = (*Tx)(nil)

// SQL is the transaction of database/sql, for code that has its own tables in the
// database.
func (t *Tx) SQL() *sql.Tx { return t.tx }

// ExecContext is sql.Tx.ExecContext with `?` for arguments.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.tx.ExecContext(ctx, t.dialect.rebind(query), t.dialect.arguments(args)...)
}

// QueryContext is sql.Tx.QueryContext with `?` for arguments.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return t.tx.QueryContext(ctx, t.dialect.rebind(query), t.dialect.arguments(args)...)
}

// QueryRowContext is sql.Tx.QueryRowContext with `?` for arguments.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return t.tx.QueryRowContext(ctx, t.dialect.rebind(query), t.dialect.arguments(args)...)
}

// Lock waits for a named lock and holds it until the transaction ends. With SQLite
// it does nothing, because SQLite has one writer at a time.
func (t *Tx) Lock(ctx context.Context, name string) error {
	return t.lock(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('lytics ' || ?, 0))`, name)
}

// LockShared takes the lock in shared mode: several transactions may hold it shared
// at the same time.
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

// forUpdate is the end of a SELECT whose rows must not change until the transaction
// ends.
func (t *Tx) forUpdate() string {
	if t.dialect == sqlite {
		return ""
	}
	return " FOR UPDATE"
}

// skipLocked is the end of a SELECT by which several processes divide rows among
// themselves: it leaves out the rows that another transaction has locked.
func (t *Tx) skipLocked() string {
	if t.dialect == sqlite {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// texts reads all rows of a query with one text column.
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

// Reader reads outside of transactions: each query sees the rows that were committed
// when it began.
type Reader struct {
	db      *sql.DB
	dialect dialect
}

var _ Querier = (*Reader)(nil)

// QueryContext is sql.DB.QueryContext with `?` for arguments.
func (r *Reader) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.db.QueryContext(ctx, r.dialect.rebind(query), r.dialect.arguments(args)...)
}

// QueryRowContext is sql.DB.QueryRowContext with `?` for arguments.
func (r *Reader) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return r.db.QueryRowContext(ctx, r.dialect.rebind(query), r.dialect.arguments(args)...)
}

// Snapshot runs f on a snapshot of the store: f does not see later commits.
func (r *Reader) Snapshot(ctx context.Context, f func(q Querier) error) error {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: r.dialect.snapshot()})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return f(&Tx{tx: tx, dialect: r.dialect})
}
