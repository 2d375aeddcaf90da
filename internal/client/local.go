package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Local finds the runner of a data directory. It returns nil if the directory
// has no running runner, and an error if it cannot find out.
func Local(ctx context.Context, dataDir, release string) (*Client, error) {
	note := filepath.Join(dataDir, protocol.SocketNote)
	// Whoever can write the directory or the note names the process that gets secrets.
	for _, err := range []error{ownership.Directory(dataDir), ownership.PrivateFile(note)} {
		if err != nil {
			return nil, untrusted(err)
		}
	}
	text, err := os.ReadFile(note)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var at protocol.Socket
	if err == nil {
		err = json.Unmarshal(text, &at)
	}
	if err == nil {
		err = probeSocket(ctx, at.Path)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		// A killed runner left the note behind.
		return nil, nil
	}
	if _, ok := errors.AsType[*ownership.Error](err); ok {
		return nil, untrusted(err)
	}
	if err != nil {
		return nil, &jobs.Error{
			Code: jobs.CodeStore, Attribute: "data_dir", Summary: "A runner may use the data directory, but it cannot be reached", Err: err,
			Detail: fmt.Sprintf("%s has the address of a runner, but: %v.", note, err),
			Next:   "Run as the user who started the runner, or use its URL and token in the runner block",
		}
	}
	return New(Config{Socket: at.Path, Page: at.Page, Token: jobs.NewSecret(at.Token), Release: release})
}

// untrusted is the error of a data directory in which another user may have put the
// address of a runner.
func untrusted(err error) error {
	return &jobs.Error{
		Code: jobs.CodeStore, Attribute: "data_dir", Summary: "The data directory is not only yours", Detail: err.Error() + ".", Err: err,
		Next: "Use a data directory of your own; to use the runner of another user, give its URL and token in the runner block",
	}
}

func probeSocket(ctx context.Context, socket string) error {
	conn, err := dialSocket(ctx, socket)
	if err != nil {
		return err
	}
	return conn.Close()
}

// dialSocket connects to a runner of this user.
func dialSocket(ctx context.Context, socket string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	if err := ownership.Peer(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}
