//go:build !windows

package client_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// checklist 78: the address of a runner is not read from a directory or a note that
// another user can write, or that belongs to another user.
func TestAPreparedDataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(dir, note string) error
		want    string
		root    bool
	}{
		"a directory that others write": {func(dir, _ string) error { return os.Chmod(dir, 0o777) }, "chmod go-w", false},
		"a note that others read":       {func(_, note string) error { return os.Chmod(note, 0o644) }, "chmod go-rwx", false},
		"a directory of another user":   {func(dir, _ string) error { return os.Chown(dir, 4242, 4242) }, "user 4242", true},
		"a note of another user":        {func(_, note string) error { return os.Chown(note, 4242, 4242) }, "user 4242", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.root && os.Geteuid() != 0 {
				t.Skip("LEFT OUT: it needs root, which can make files of another user")
			}
			dir := filepath.Join(t.TempDir(), "data")
			note := filepath.Join(dir, protocol.SocketNote)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(note, []byte(`{"path": "/none", "token": "canary"}`), 0o600); err != nil {
				t.Fatal(err)
			}
			if found, err := client.Local(t.Context(), dir, "test"); found != nil || err != nil {
				t.Fatalf("before: got %v, %v; want no runner", found, err)
			}
			if err := c.prepare(dir, note); err != nil {
				t.Fatal(err)
			}
			_, err := client.Local(t.Context(), dir, "test")
			if !jobs.IsCode(err, jobs.CodeStore) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
