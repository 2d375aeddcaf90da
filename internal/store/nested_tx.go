package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Postgres is the transaction as a pgx.Tx, for code that has its own tables in the
// database; nil with SQLite. Its Commit and Rollback return an error: Write commits
// or rolls back when its function returns.
func (t *Tx) Postgres() pgx.Tx {
	if t.session == nil {
		return nil
	}
	return &nestedTx{session: t.session}
}

// session is another name of pgx.Conn, because nestedTx has a method Conn and so
// cannot embed a field Conn.
type session = pgx.Conn

// sessionOf returns the pgx connection inside a connection of database/sql.
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

// nestedTx is a pgx.Tx inside a transaction of Write. Begin makes a savepoint.
type nestedTx struct {
	*session
	// savepoint is empty for the transaction of Write itself.
	savepoint string
	// nested counts the savepoints begun in this transaction, to name them.
	nested int
}

var errEndedByWrite = errors.New("the transaction is ended by Write")

// Begin implements pgx.Tx with a savepoint.
func (t *nestedTx) Begin(ctx context.Context) (pgx.Tx, error) {
	t.nested++
	inner := &nestedTx{session: t.session, savepoint: fmt.Sprintf("%s_%d", t.name(), t.nested)}
	if _, err := t.Exec(ctx, `SAVEPOINT `+inner.savepoint); err != nil {
		return nil, err
	}
	return inner, nil
}

func (t *nestedTx) name() string {
	if t.savepoint == "" {
		return "lytics"
	}
	return t.savepoint
}

// Commit implements pgx.Tx.
func (t *nestedTx) Commit(ctx context.Context) error {
	if t.savepoint == "" {
		return errEndedByWrite
	}
	_, err := t.Exec(ctx, `RELEASE SAVEPOINT `+t.savepoint)
	t.savepoint = ""
	return err
}

// Rollback implements pgx.Tx. After Commit it does nothing.
func (t *nestedTx) Rollback(ctx context.Context) error {
	if t.savepoint == "" {
		return pgx.ErrTxClosed
	}
	_, err := t.Exec(ctx, `ROLLBACK TO SAVEPOINT `+t.savepoint)
	t.savepoint = ""
	return err
}

// Conn implements pgx.Tx.
func (t *nestedTx) Conn() *pgx.Conn { return t.session }

// LargeObjects implements pgx.Tx; it is not supported.
func (t *nestedTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }
