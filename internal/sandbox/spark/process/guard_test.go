//go:build unix

package process

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child starts a guarded process that says its id and then waits.
func child(t *testing.T) (cmd *exec.Cmd, pid int, hangUp func() error) {
	t.Helper()
	cmd = guarded("sh", []string{"-c", "echo $$; exec sleep 1000"})
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if pid, err = strconv.Atoi(strings.TrimSpace(line)); err != nil {
		t.Fatal(err)
	}
	return cmd, pid, stdin.Close
}

// gone waits until there is no such process.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(pid, 0) == nil {
		<-tick.C
	}
}

// A parent that ends, however it does, closes the pipe.
func TestTheGuardEndsItsChildWithItsParent(t *testing.T) {
	t.Parallel()
	cmd, pid, hangUp := child(t)
	if err := hangUp(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	gone(t, pid)
	gone(t, cmd.Process.Pid)
}

func TestKillEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	cmd, pid, _ := child(t)
	if err := kill(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	gone(t, pid)
	if err := kill(cmd); err != nil {
		t.Errorf("killing what is gone: %v", err)
	}
}
