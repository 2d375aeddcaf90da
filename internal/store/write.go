package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/retry"
)

// Write runs f in one transaction, as if no other ran at the same time, durable
// when Write returns nil. f may run several times, when others were in its way
// or the connection broke: of these only the last one counts. When ctx ends
// first the error is the context's: nothing is wrong with the store then.
func (d *DB) Write(ctx context.Context, f func(tx *Tx) error) error {
	isolation := sql.LevelDefault
	if d.dialect == postgres {
		isolation = sql.LevelSerializable
	}
	return d.transact(ctx, isolation, f)
}

// WriteCommitted is Write for a transaction that others do not disturb, because
// it holds locks (Tx.Lock) or changes single rows in single statements: each of
// its statements sees what was committed before the statement began.
func (d *DB) WriteCommitted(ctx context.Context, f func(tx *Tx) error) error {
	isolation := sql.LevelDefault
	if d.dialect == postgres {
		isolation = sql.LevelReadCommitted
	}
	return d.transact(ctx, isolation, f)
}

// attempts bound those at a transaction that conflicted with others, or that
// found no database.
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

// try is one attempt. again is set when nothing was committed, and another
// attempt may do better.
func (d *DB) try(ctx context.Context, isolation sql.IsolationLevel, f func(tx *Tx) error) (again bool, err error) {
	notBegun := func(err error) (bool, error) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return d.dialect == postgres && isLost(err), d.failed("Cannot write to the store", err)
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
		return d.dialect == postgres && (isConflict(err) || isLost(err)), err
	}
	if err := tx.Commit(); err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		// A connection that broke now may have committed.
		return isConflict(err), d.failed("Cannot write to the store", err)
	}
	return false, nil
}
