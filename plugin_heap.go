package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// smallHeap is the size up to which the heap of a plugin grows without a collection.
const smallHeap = 64 << 20

// collectSmallHeapsLess lets the heap grow to smallHeap before the garbage collector
// runs: a plan allocates much, keeps little and ends soon. A heap that keeps more than
// half of that, as in an apply that moves rows, is collected as always.
func collectSmallHeapsLess() {
	if os.Getenv("GOGC") != "" {
		return
	}
	kept := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(kept)
	percent := 100
	if live := max(kept[0].Value.Uint64(), 4<<20); live < smallHeap/2 { // the runtime counts less than 4 MB as 4 MB
		percent = int((smallHeap - live) * 100 / live)
	}
	debug.SetGCPercent(percent)
	// The next collection finds this object unreachable, and then this function is called again.
	// An object of less than 16 bytes would share its memory with others, and be kept by them.
	runtime.AddCleanup(new([16]byte), func(struct{}) { collectSmallHeapsLess() }, struct{}{})
}
