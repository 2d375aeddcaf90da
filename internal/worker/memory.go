package worker

import (
	"fmt"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// DefaultMemoryMB bounds the memory of a worker. An import needs about 150 MB however
// large its table is, and building ten million profiles 370 MB.
const DefaultMemoryMB = 1024

// exitMemory is the exit code of a worker that needed too much memory.
const exitMemory = 3

// watchInterval is how often a worker looks at its memory during a task.
const watchInterval = 50 * time.Millisecond

// memoryLimit is a number of bytes; 0 is no limit.
type memoryLimit uint64

// limitMemory bounds this process's memory. The garbage collector keeps it below nine
// tenths of the bound while it can. watch ends the process above the bound: the limit of
// the collector is a wish, and a process that grows on would take the memory of others.
func limitMemory(mb int) memoryLimit {
	if mb <= 0 {
		return 0
	}
	limit := int64(mb) << 20
	debug.SetMemoryLimit(limit / 10 * 9)
	return memoryLimit(limit) // #nosec G115 -- it is positive
}

// watch ends the process if it uses more memory than the limit, until stop is called.
func (l memoryLimit) watch() (stop func()) {
	if l == 0 {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(watchInterval)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if used := memoryInUse(); used > uint64(l) {
				fmt.Fprintf(os.Stderr, "fatal error: the worker process uses %d MB of memory, and worker_memory_mb allows %d MB\n", used>>20, l>>20)
				os.Exit(exitMemory)
			}
		}
	}()
	return func() { close(done) }
}

// memoryInUse is the memory that the Go runtime has from the operating system, the
// figure that debug.SetMemoryLimit bounds.
func memoryInUse() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64() - s[1].Value.Uint64()
}
