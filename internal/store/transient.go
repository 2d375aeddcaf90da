package store

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// sqliteTransient are SQLite's primary result codes of transient failures:
// SQLITE_BUSY, SQLITE_LOCKED, SQLITE_IOERR, SQLITE_FULL.
var sqliteTransient = map[int]bool{5: true, 6: true, 10: true, 13: true}

// isBusy reports whether SQLite gave up waiting for another process that writes
// (SQLITE_BUSY). Nothing was written.
func isBusy(err error) bool {
	code, ok := sqliteCode(err)
	return ok && code == 5
}

// sqliteCode returns the primary result code of an error of SQLite. An extended code has
// its primary one in the lowest byte.
func sqliteCode(err error) (primary int, ok bool) {
	e, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	if !ok {
		return 0, false
	}
	return e.Code() & 0xff, true
}

// Damaged reports whether an error means that the database is damaged
// (SQLITE_CORRUPT, SQLITE_NOTADB, PostgreSQL's class XX00) and has to be restored
// from a backup.
func Damaged(err error) bool {
	if code, ok := sqliteCode(err); ok {
		return code == 11 || code == 26
	}
	p, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err)
	return ok && strings.HasPrefix(p.SQLState(), "XX00")
}

// Transient reports whether the same operation may succeed later: after a full
// disk, a held lock, or a server's restart. Damage is not transient.
func Transient(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	if code, ok := sqliteCode(err); ok {
		return sqliteTransient[code]
	}
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		state := e.SQLState()
		// In order: connection lost, out of resources, stopped by the
		// administrator, conflict of transactions, lock not available, read-only
		// transaction (the server is a standby).
		for _, class := range []string{"08", "53", "57P", "40", "55P03", "25006"} {
			if strings.HasPrefix(state, class) {
				return true
			}
		}
		return false
	}
	_, lost := errors.AsType[net.Error](err)
	return lost
}
