package ownership_test

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/ownership"
)

// checklist 78: a process of another user at the other end of a socket is not trusted.
func TestAnotherPeer(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: it needs root, which can listen as another user")
	}
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o777); err != nil { // another user makes the socket in it
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "s")
	l := listenAs(t, 4242, path)
	t.Cleanup(func() { _ = l.Close() })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := ownership.Peer(conn); err == nil || !strings.Contains(err.Error(), "user 4242") {
		t.Errorf("got %v, want an error with the user", err)
	}
}

// listenAs listens on a Unix socket as another user. On Linux each thread has its own
// credentials.
func listenAs(t *testing.T, uid uintptr, path string) net.Listener {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	keep := ^uintptr(0)
	become := func(uid uintptr) {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, keep, uid, keep); errno != 0 {
			t.Fatalf("becoming user %d: %v", uid, errno)
		}
	}
	become(uid)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	become(0)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
