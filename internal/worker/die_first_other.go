//go:build !linux

package worker

// dieFirst does nothing: there is no such choice on this system.
func dieFirst() {}
