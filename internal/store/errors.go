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
)

// failed says what could not be done with the store, and where it is. What has a
// message already keeps it, and so has a context that ended: nothing is wrong
// with the store then.
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
	next := "Check that the directory can be written and its disk has room; if the file is damaged, restore it from a backup (it is never made anew over an existing one)"
	if d.dialect == postgres {
		next = "Check that the database server answers and has room, and that the user of database_url may create and change tables in its schema " + schemaName + "; then run it again: nothing was half written"
	}
	return &jobs.Error{
		Code:    jobs.CodeStore,
		Summary: fmt.Sprintf("%s at %s", summary, d.place),
		Detail:  d.hide(err.Error()),
		Next:    next,
		Err:     hiddenError{err, d.hide},
	}
}

// ofDatabase makes an error of the database one of the store, and leaves others
// alone.
func (d *DB) ofDatabase(summary string, err error) error {
	if isDatabaseError(err) {
		return d.failed(summary, err)
	}
	return err
}

// hide takes the password out of a text.
func (d *DB) hide(text string) string {
	for _, s := range d.hidden {
		text = strings.ReplaceAll(text, s, "xxxxx")
	}
	return text
}

// hiddenError keeps a cause for errors.Is and errors.As, and its text without
// the password.
type hiddenError struct {
	err  error
	hide func(string) string
}

func (e hiddenError) Error() string { return e.hide(e.err.Error()) }
func (e hiddenError) Unwrap() error { return e.err }

func isDatabaseError(err error) bool {
	if _, ok := errors.AsType[*msqlite.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.PgError](err); ok {
		return true
	}
	return isLost(err) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, sql.ErrTxDone)
}

// The SQLSTATEs after which the same transaction may succeed: others were in
// its way.
var conflicts = []string{
	"40001", // serialization_failure
	"40P01", // deadlock_detected
	"55P03", // lock_not_available
}

// isConflict reports an error after which nothing was committed, and which may
// not come again.
func isConflict(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && slices.Contains(conflicts, e.Code)
}

// isLost reports an error of the connection and not of the statement.
func isLost(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Class 08 is the connection's, 57P01 to 57P03 a server that stops or
		// starts, 53300 one that has no connection to spare, 25P03 a transaction
		// that stood still.
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
