//go:build !unix

package process

import "os/exec"

// guardedCommand returns the plain command: without sh there is no guard, and Spark
// may outlive a killed sandbox.
func guardedCommand(name string, args []string) *exec.Cmd { return exec.Command(name, args...) }

func kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }
