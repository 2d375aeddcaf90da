//go:build unix

package process

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// guard runs a command and kills it when its own input ends, which happens when
// its parent is gone, however that ended.
const guard = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill -9 $child; } 2>/dev/null &
watch=$!
wait $child
status=$?
kill $watch 2>/dev/null
exit $status`

func guarded(name string, args []string) *exec.Cmd {
	// Close ends it, in an order of its own; a context would not.
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{"-c", guard, "sandbox-spark", name}, args...)...)
	// A group of its own: a Ctrl-C in the terminal is the owner's to handle.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func kill(cmd *exec.Cmd) error {
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
