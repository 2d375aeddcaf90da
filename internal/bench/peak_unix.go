//go:build unix

package main

import (
	"runtime"
	"syscall"
)

// peak returns a process's peak memory in bytes. Linux reports it in KiB, macOS
// in bytes.
func peak(u *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss << 10
}
