//go:build !unix

package pgserver

import "os/exec"

func giveAway(...string) error { return nil }

func demote(*exec.Cmd) {}
