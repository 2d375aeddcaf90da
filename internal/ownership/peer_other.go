//go:build !linux && !darwin

package ownership

import "net"

// Peer checks nothing on this system, which does not tell the user of a peer.
func Peer(net.Conn) error { return nil }
