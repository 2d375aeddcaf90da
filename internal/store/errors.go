package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	msqlite "modernc.org/sqlite"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/redact"
)

// failed returns a CodeStore error that names the failed operation and the store. It
// returns a *jobs.Error, ErrFenced and a context's error unchanged, because those are
// no failures of the store.
func (d *DB) failed(summary string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*jobs.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrFenced) {
		return err
	}
	next := "Check that the directory can be written and its disk has room; if the file is damaged, restore it from a backup (a new " +
		"store is never created over an existing file)"
	switch {
	case d.dialect == sqlite && isBusy(err):
		next = "Another process, such as a runner or a terraform apply, keeps writing to the store, or was suspended while it wrote: wait for it, or end " +
			"it, and run it again; nothing was written"
	case d.dialect == postgres:
		next = "Check that the database server answers and has room, and that the user of database_url may create and change tables " +
			"in its schema " + schemaName + "; then run it again: each write is atomic, so no change was left half done"
	}
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: fmt.Sprintf("%s at %s", summary, d.place),
		Detail:  redact.Text(err.Error()),
		Next:    next,
		Err:     redact.Error(err),
	}
}

// ofDatabase passes an error of the database to failed, and returns other errors
// unchanged.
func (d *DB) ofDatabase(summary string, err error) error {
	if isDatabaseError(err) {
		return d.failed(summary, err)
	}
	return err
}

func isDatabaseError(err error) bool {
	if _, ok := errors.AsType[*msqlite.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return true
	}
	return isLost(err) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone)
}

// conflicts are the SQLSTATEs of a conflict with another transaction: the same
// transaction may succeed if it is tried again.
var conflicts = []string{
	"40001", // serialization_failure
	"40P01", // deadlock_detected
	"55P03", // lock_not_available
}

// isConflict reports whether the transaction failed because of another one. Nothing
// was committed then.
func isConflict(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(conflicts, e.Code)
}

// isLost reports whether the connection failed, rather than the statement.
func isLost(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Class 08: the connection failed. 57P01 to 57P03: the server stops or
		// starts. 53300: too many connections. 25P03: the transaction was idle for
		// too long.
		return strings.HasPrefix(e.Code, "08") || strings.HasPrefix(e.Code, "57P0") || e.Code == "53300" || e.Code == "25P03"
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if e, ok := errors.AsType[net.Error](err); ok {
		return !errors.Is(e, context.DeadlineExceeded)
	}
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
