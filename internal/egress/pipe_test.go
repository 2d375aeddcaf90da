//go:build unix

package egress_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/egress"
)

// Opening a pipe would wait until somebody writes to it.
func TestAPipeIsNoCAFile(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := egress.ReadCAs(pipe); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("got %v, want an error that says that it is no regular file", err)
	}
}
