package worker

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// passedOn are the variables of the runner's environment with which a worker begins: those
// that the Go runtime and the operating system read before Serve does, and that hold no
// secrets. All others arrive as messages.
var passedOn = []string{
	"PATH", "HOME", "TMPDIR", "TMP", "TEMP", "TZ", "GODEBUG", "GOMAXPROCS", "GOTRACEBACK",
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "COMSPEC", "PROGRAMDATA",
}

// Command returns a function for Config.Command: the command of a program, such as
// Executable, with arguments, in an environment without secrets.
func Command(program func() (string, error), arguments ...string) func() *exec.Cmd {
	return func() *exec.Cmd {
		path, err := program()
		// Its end is the pool's matter: no context ends it.
		cmd := exec.CommandContext(context.Background(), path, arguments...) // #nosec G204 -- this binary
		if err != nil {
			cmd.Err = err
		}
		cmd.Env = []string{} // nil would be all of the runner's
		for _, v := range os.Environ() {
			name, _, _ := strings.Cut(v, "=")
			if slices.Contains(passedOn, strings.ToUpper(name)) {
				cmd.Env = append(cmd.Env, v)
			}
		}
		return cmd
	}
}

// Executable is the path of this program. On Linux it is that of the very file that this
// process executes, also after an upgrade has put another one in its place.
func Executable() (string, error) {
	path, err := os.Executable()
	if runtime.GOOS != "linux" {
		return path, err
	}
	const self = "/proc/self/exe"
	own, ownErr := os.Stat(self)
	if ownErr != nil {
		return path, err
	}
	if there, statErr := os.Stat(path); err == nil && statErr == nil && os.SameFile(own, there) {
		return path, nil
	}
	return self, nil
}
