package api_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// checklist 78: the runner closes a connection to its socket that another user's process
// opened, without reading from it, and goes on with its own user's.
func TestTheSocketRefusesOtherUsers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("LEFT OUT: it needs root, which can connect as another user")
	}
	dir := filepath.Join(t.TempDir(), "data")
	var log bytes.Buffer
	socket, err := api.ListenSocket(t.Context(), dir, "", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	path := socket.Addr().String()
	// Only the modes of the files keep others away until then.
	for file, mode := range map[string]os.FileMode{filepath.Dir(filepath.Dir(dir)): 0o755, filepath.Dir(dir): 0o755, dir: 0o755, path: 0o666} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
	}
	accepted := make(chan net.Conn, 2)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	})
	stranger := dialAs(t, 4242, path)
	if _, err := io.ReadAll(stranger); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("another user: got %v, want a closed connection", err)
	}
	own, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = own.Close() })
	theirs := <-accepted
	if _, err := own.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(theirs, got); err != nil || string(got) != "hello" {
		t.Errorf("the runner's user: got %q, %v, want its bytes", got, err)
	}
	_ = theirs.Close()
	_ = socket.Close()
	accepting.Wait()
	if len(accepted) > 0 {
		t.Error("the connection of the other user was accepted")
	}
	if text := log.String(); !strings.Contains(text, "refused a connection") || !strings.Contains(text, "user 4242") || !strings.Contains(text, path) {
		t.Errorf("got the log %q, want the socket and the user", text)
	}
}

// dialAs connects to a Unix socket as another user. On Linux each thread has its own
// credentials.
func dialAs(t *testing.T, uid uintptr, path string) net.Conn {
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
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
	become(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
