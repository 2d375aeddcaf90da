package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Socket is a runner's listener for processes of the same user on the same
// machine: a Unix socket, and a note, a file in the data directory with the
// socket's path and token. Only the owner of the data directory can open
// either, and connections of other users are closed all the same.
type Socket struct {
	net.Listener
	// Token is the token of requests to the socket.
	Token jobs.Secret

	note  string
	clean func() error
	log   *slog.Logger
}

// maxSocketPath is a length of a socket's path that every system accepts.
const maxSocketPath = 100

// ListenSocket opens the socket of a data directory. A lock keeps a second
// runner from using the directory. The note also has the address of the page.
// Refused connections are logged.
func ListenSocket(ctx context.Context, dataDir, page string, log *slog.Logger) (*Socket, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(dataDir, "runner.lock"), flock.SetPermissions(0o600))
	if free, err := lock.TryLock(); err != nil {
		return nil, err
	} else if !free {
		return nil, &jobs.Error{Code: jobs.CodeConflict, Attribute: "data_dir", Summary: "Another runner uses the data directory",
			Detail: dataDir + " is locked by a running process.", Next: "Stop the other runner, or give this one another data directory"}
	}
	path, clean := filepath.Join(dataDir, "runner.sock"), lock.Unlock
	if len(path) > maxSocketPath {
		dir, err := os.MkdirTemp("", "lytics-runner-")
		if err != nil {
			return nil, errors.Join(err, clean())
		}
		if err := ownership.Directory(dir); err != nil {
			return nil, errors.Join(fmt.Errorf("the runner's socket would be in the directory for temporary files: %w", err), os.RemoveAll(dir), clean())
		}
		path, clean = filepath.Join(dir, "runner.sock"), func() error { return errors.Join(os.RemoveAll(dir), lock.Unlock()) }
	}
	// A killed runner leaves its socket behind.
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, clean())
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the runner's socket: %w", err), clean())
	}
	s := &Socket{Listener: l, Token: jobs.NewAccessToken(), note: filepath.Join(dataDir, protocol.SocketNote), clean: clean, log: log}
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

// Accept implements net.Listener. It closes connections of other users' processes.
func (s *Socket) Accept() (net.Conn, error) {
	for {
		conn, err := s.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if err = ownership.Peer(conn); err == nil {
			return conn, nil
		}
		s.log.Warn("refused a connection to the runner's socket", "error", errors.Join(err, conn.Close()))
	}
}

// Close closes the socket and removes its files.
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
