package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// Write runs f in one serializable transaction, which is durable when Write returns
// nil. After a conflict with another transaction, or when the connection breaks, f
// runs again in a new transaction; only the last one is committed. If ctx ends
// first, the error is the context's.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	isolation := sql.LevelDefault
	if d.dialect == postgres {
		isolation = sql.LevelSerializable
	}
	return d.transact(ctx, isolation, f)
}

// WriteCommitted is Write at the isolation level READ COMMITTED: each statement sees
// the rows that were committed before it began. It is for transactions that hold
// locks (Tx.Lock) or change single rows in single statements.
func (d *DB) WriteCommitted(ctx context.Context, f func(tx *Tx) error) error {
	isolation := sql.LevelDefault
	if d.dialect == postgres {
		isolation = sql.LevelReadCommitted
	}
	return d.transact(ctx, isolation, f)
}

// attempts is the retry policy of a transaction that conflicted with another one, had
// no connection, or got no turn to write. SQLite gives turns by chance, and the longer a
// process waits the less often it asks; the next attempt asks often again.
var attempts = retry.Policy{First: 6 * time.Millisecond, Longest: 750 * time.Millisecond, Within: 20 * time.Second}

func (d *DB) transact(ctx context.Context, isolation sql.IsolationLevel, f func(tx *Tx) error) error {
	var again bool
	_, err := retry.Do(ctx, attempts, func(int) (_ struct{}, err error) {
		again, err = d.try(ctx, isolation, f)
		return struct{}{}, err
	}, func(int, error) retry.Decision { return retry.If(again) })
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && (again || isDatabaseError(err)):
		return ctx.Err()
	}
	return d.ofDatabase("Cannot write to the store", err)
}

// try makes one attempt. again reports that nothing was committed and that another
// attempt may succeed.
func (d *DB) try(ctx context.Context, isolation sql.IsolationLevel, f func(tx *Tx) error) (again bool, err error) {
	notBegun := func(err error) (bool, error) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return d.dialect == postgres && isLost(err) || d.dialect == sqlite && isBusy(err), d.failed("Cannot write to the store", err)
	}
	conn, err := d.write.Conn(ctx)
	if err != nil {
		return notBegun(err)
	}
	defer func() { _ = conn.Close() }() // back into the pool
	t := &Tx{dialect: d.dialect}
	if d.dialect == postgres {
		if t.session, err = sessionOf(conn); err != nil {
			return notBegun(err)
		}
	}
	tx, err := conn.BeginTx(ctx, &sql.TxOptions{Isolation: isolation})
	if err != nil {
		return notBegun(err)
	}
	t.tx = tx
	if err := f(t); err != nil {
		_ = tx.Rollback()
		return d.dialect == postgres && (isConflict(err) || isLost(err)) || errors.Is(err, errStaleKey), err
	}
	if err := tx.Commit(); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		// If the connection broke, the transaction may have been committed, so it
		// is not tried again.
		if d.dialect == sqlite {
			err = undecidedError{err}
		}
		return isConflict(err), d.failed("Cannot write to the store", err)
	}
	if t.audited != nil {
		t.audited.done.Store(true)
	}
	return false, nil
}
