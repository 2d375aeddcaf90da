package main

import (
	"os"
	"time"
)

// exitWithParent ends this process within a second after Terraform was killed. The
// plugin protocol does not report that, and an orphaned provider would keep the
// leases of its runs. By exiting at once, as in a crash, it leaves the runs to the
// next apply. On Windows a child keeps its parent's process id, so nothing
// happens there.
func exitWithParent(parent int) {
	for range time.Tick(time.Second) {
		if os.Getppid() != parent {
			os.Exit(1)
		}
	}
}
