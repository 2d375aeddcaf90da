package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Postgres is the transaction as PostgreSQL's own driver has it, for what writes
// its own tables along with ours; nil with SQLite. It ends when Write's function
// does, and only then.
func (t *Tx) Postgres() pgx.Tx {
	if t.session == nil {
		return nil
	}
	return &borrowed{session: t.session}
}

// session is another name, so that it can be embedded beside a method Conn.
type session = pgx.Conn

// sessionOf gives the connection below one of database/sql.
func sessionOf(conn *sql.Conn) (s *session, err error) {
	err = conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("a connection of type %T", driverConn)
		}
		s = c.Conn()
		return nil
	})
	return s, err
}

// borrowed is a transaction that another began and ends.
type borrowed struct {
	*session
	// savepoint is that of a nested one.
	savepoint string
	nested    int
}

var errBorrowed = errors.New("the transaction is ended by Write")

// Begin implements pgx.Tx, by a savepoint.
func (b *borrowed) Begin(ctx context.Context) (pgx.Tx, error) {
	b.nested++
	inner := &borrowed{session: b.session, savepoint: fmt.Sprintf("%s_%d", b.name(), b.nested)}
	if _, err := b.Exec(ctx, `SAVEPOINT `+inner.savepoint); err != nil {
		return nil, err
	}
	return inner, nil
}

func (b *borrowed) name() string {
	if b.savepoint == "" {
		return "lytics"
	}
	return b.savepoint
}

// Commit implements pgx.Tx.
func (b *borrowed) Commit(ctx context.Context) error {
	if b.savepoint == "" {
		return errBorrowed
	}
	_, err := b.Exec(ctx, `RELEASE SAVEPOINT `+b.savepoint)
	b.savepoint = ""
	return err
}

// Rollback implements pgx.Tx. After Commit it does nothing.
func (b *borrowed) Rollback(ctx context.Context) error {
	if b.savepoint == "" {
		return pgx.ErrTxClosed
	}
	_, err := b.Exec(ctx, `ROLLBACK TO SAVEPOINT `+b.savepoint)
	b.savepoint = ""
	return err
}

// Conn implements pgx.Tx.
func (b *borrowed) Conn() *pgx.Conn { return b.session }

// LargeObjects implements pgx.Tx; there are none.
func (b *borrowed) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }
