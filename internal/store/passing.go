package store

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// The result codes of SQLite that pass: busy, locked, an I/O error, a full
// disk. An extended code has them in its lowest byte.
var sqlitePassing = map[int]bool{5: true, 6: true, 10: true, 13: true}

// Damaged reports whether an error says that the database's file is not one any
// more, or holds what it cannot: nothing makes that good but a backup.
func Damaged(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Code() int
	}](err)
	if ok {
		return e.Code()&0xff == 11 || e.Code()&0xff == 26
	}
	p, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err)
	return ok && strings.HasPrefix(p.SQLState(), "XX00")
}

// Passing reports whether an error of the store may be gone when it is tried
// again: a full disk, a lock that is held, a server that restarts. Damage is
// not.
func Passing(err error) bool {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	if e, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok {
		return sqlitePassing[e.Code()&0xff]
	}
	if e, ok := errors.AsType[interface {
		error
		SQLState() string
	}](err); ok {
		state := e.SQLState()
		// Connection lost, out of resources, stopped by the administrator,
		// and transactions that came between one another.
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
