//go:build unix

package process

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// guard is a shell script that runs a command and kills it at the end of its
// standard input, a pipe that closes however the parent process ends.
const guard = `exec 3<&0
"$@" </dev/null 3<&- &
child=$!
{ cat <&3 >/dev/null; kill -9 $child; } 2>/dev/null &
watch=$!
wait $child
status=$?
kill $watch 2>/dev/null
exit $status`

func guardedCommand(name string, args []string) *exec.Cmd {
	// No context: Close ends the process, standard input first.
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{"-c", guard, "sandbox-spark", name}, args...)...)
	// A separate process group: Ctrl-C in the terminal must not reach Spark before
	// the sandbox ends it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func kill(cmd *exec.Cmd) error {
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}
