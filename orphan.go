package main

import (
	"os"
	"time"
)

// watchParent ends this process soon after Terraform was killed. The plugin
// protocol does not tell, and an orphan would go on holding its runs' leases;
// by ending without a word it leaves them to the next apply, as a crash does.
// (Where a child keeps its parent's number for ever, as on Windows, nothing
// happens.)
func watchParent(parent int) {
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}
