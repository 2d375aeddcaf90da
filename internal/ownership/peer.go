//go:build linux || darwin

package ownership

import (
	"fmt"
	"net"
	"os"
)

// Peer checks that the process at the other end of a Unix socket runs as this user or
// as root.
func Peer(conn net.Conn) error {
	unixConn, ok := conn.(*net.UnixConn)
	if !ok {
		return fmt.Errorf("%T is no connection to a Unix socket", conn)
	}
	uid, err := peerUser(unixConn)
	if err != nil {
		return fmt.Errorf("finding out the user at the other end of %s: %w", socketOf(conn), err)
	}
	if !trusted(uid) {
		return &Error{
			Path: socketOf(conn),
			Why:  fmt.Sprintf("the process at the other end runs as user %d, and this process as user %d", uid, os.Geteuid()),
		}
	}
	return nil
}

// socketOf is the path of a connection's socket: the side that listens has it.
func socketOf(conn net.Conn) string {
	if remote := conn.RemoteAddr().String(); remote != "" && remote != "@" {
		return remote
	}
	return conn.LocalAddr().String()
}
