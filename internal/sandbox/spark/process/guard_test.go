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

// child starts a guarded process that prints its id and then waits.
func child(t *testing.T) (cmd *exec.Cmd, pid int, hangUp func() error) {
	t.Helper()
	cmd = guardedCommand("sh", []string{"-c", "echo $$; exec sleep 1000"})
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

// gone waits until the process no longer exists.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(pid, 0) == nil {
		<-tick.C
	}
}

// The pipe is closed however the parent ends.
func TestGuardEndsTheChildWithItsParent(t *testing.T) {
	t.Parallel()
	cmd, pid, hangUp := child(t)
	if err := hangUp(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the process was killed, so it returns an error
	gone(t, pid)
	gone(t, cmd.Process.Pid)
}

func TestKillEndsTheWholeGroup(t *testing.T) {
	t.Parallel()
	cmd, pid, _ := child(t)
	if err := kill(cmd); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the process was killed, so it returns an error
	gone(t, pid)
	if err := kill(cmd); err != nil {
		t.Errorf("killing what is gone: %v", err)
	}
}
