//go:build linux || darwin

package ownership_test

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
)

// checklist 78: a directory or a key that others can write, or a key that others can
// read, is not trusted, and the error has the command that changes that.
func TestModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		check func(string) error
		mode  fs.FileMode
		dir   bool
		want  string
	}{
		"private directory":      {ownership.Directory, 0o700, true, ""},
		"readable directory":     {ownership.Directory, 0o755, true, ""},
		"writable for its group": {ownership.Directory, 0o770, true, "chmod go-w"},
		"writable for all":       {ownership.Directory, 0o777, true, "chmod go-w"},
		"private key":            {ownership.PrivateFile, 0o600, false, ""},
		"key for its group":      {ownership.PrivateFile, 0o640, false, "chmod go-rwx"},
		"key for all":            {ownership.PrivateFile, 0o604, false, "chmod go-rwx"},
	} {
		path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
		if c.dir {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		err := c.check(path)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if err := ownership.Directory(filepath.Join(dir, "none")); err != nil {
		t.Errorf("a missing directory: got %v, want no error", err)
	}
}

// checklist 78: what belongs to another user is not trusted. Only root can give a
// directory away.
func TestAnotherOwner(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: it needs root, which can make a directory of another user")
	}
	dir, file := filepath.Join(t.TempDir(), "d"), filepath.Join(t.TempDir(), "f")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, check := range map[string]func(string) error{dir: ownership.Directory, file: ownership.PrivateFile} {
		if err := check(path); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, 4242, 4242); err != nil {
			t.Fatal(err)
		}
		if err := check(path); err == nil || !strings.Contains(err.Error(), "user 4242") || !strings.Contains(err.Error(), "chown 0 ") {
			t.Errorf("%s: got %v, want an error with the owner and the command", path, err)
		}
	}
}

// A process of the same user is trusted at the other end of a socket.
func TestOwnPeer(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := ownership.Peer(conn); err != nil {
		t.Errorf("got %v, want that it is trusted", err)
	}
}
