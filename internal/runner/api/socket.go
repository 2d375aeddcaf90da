package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Socket is a runner's way in for processes of the same user on its machine:
// a Unix socket, and beside it a file that says where it is and with which
// token. Both only the owner of the data directory can open.
type Socket struct {
	net.Listener
	// Token is what the socket's callers show.
	Token jobs.Secret

	note  string
	clean func() error
}

// maxSocketPath is what every system takes for a socket's path.
const maxSocketPath = 100

// ListenSocket opens the socket of a data directory. The directory is then
// the runner's own: a lock keeps a second one out. Whoever finds the socket is
// told the address of the page.
func ListenSocket(ctx context.Context, dataDir, page string) (*Socket, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dataDir, "runner.lock"), flock.SetPermissions(0o600))
	if free, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !free {
		return nil, &jobs.Error{Code: jobs.CodeConflict, Attribute: "data_dir", Summary: "Another runner has the data directory",
			Detail: dataDir + " is locked by a process that is alive.", Next: "Stop that one, or give this one a data directory of its own"}
	}
	path, clean := filepath.Join(dataDir, "runner.sock"), lock.Unlock
	if len(path) > maxSocketPath {
		dir, err := os.MkdirTemp("", "lytics-runner-")
		if err != nil {
			return nil, errors.Join(err, clean())
		}
		path, clean = filepath.Join(dir, "runner.sock"), func() error { return errors.Join(os.RemoveAll(dir), lock.Unlock()) }
	}
	// One that a killed runner left.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, clean())
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the runner's socket: %w", err), clean())
	}
	s := &Socket{Listener: l, Token: newToken(), note: filepath.Join(dataDir, protocol.SocketNote), clean: clean}
	text, err := json.Marshal(protocol.Socket{Path: path, Token: s.Token.Reveal(), Page: page})
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err == nil {
		err = writePrivate(s.note, text)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the socket and removes its traces.
func (s *Socket) Close() error {
	err := s.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if gone := os.Remove(s.note); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return errors.Join(err, s.clean())
}
