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
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Local finds the runner of a data directory. It returns nil if the directory
// has no running runner, and an error if it cannot find out.
func Local(ctx context.Context, dataDir, release string) (*Client, error) {
	note := filepath.Join(dataDir, protocol.SocketNote)
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
	if err != nil {
		return nil, &jobs.Error{
			Code: jobs.CodeStore, Attribute: "data_dir", Summary: "A runner may use the data directory, but it cannot be reached", Err: err,
			Detail: fmt.Sprintf("%s has the address of a runner, but: %v.", note, err),
			Next:   "Run as the user who started the runner, or use its URL and token in the runner block",
		}
	}
	return New(Config{Socket: at.Path, Page: at.Page, Token: jobs.NewSecret(at.Token), Release: release})
}

func probeSocket(ctx context.Context, socket string) error {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return conn.Close()
}
