//go:build !unix

package process

import "os/exec"

// guarded runs a command as it is: where there is no sh, Spark may outlive a
// sandbox that is killed.
func guarded(name string, args []string) *exec.Cmd { return exec.Command(name, args...) }

func kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }
