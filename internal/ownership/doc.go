// Package ownership checks that files, directories and sockets belong to the user of
// this process before it trusts them with a secret. On Windows, where access is by
// lists that this package does not read, every check succeeds.
package ownership

import "fmt"

// Error says why a path is not trusted, and how to change that.
type Error struct {
	// Path is the file, directory or socket.
	Path string
	// Why names its owner and mode.
	Why string
	// Fix is the command that makes the path trustworthy.
	Fix string
}

func (e *Error) Error() string {
	if e.Fix == "" {
		return fmt.Sprintf("%s is not trusted: %s", e.Path, e.Why)
	}
	return fmt.Sprintf("%s is not trusted: %s; if it is yours, run: %s", e.Path, e.Why, e.Fix)
}
