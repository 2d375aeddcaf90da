package main

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// A heap that keeps little is collected less often than by default, and one that keeps
// much as often. The percentage follows the heap.
func TestSmallHeapsAreCollectedLessOften(t *testing.T) {
	t.Setenv("GOGC", "")
	collectSmallHeapsLess()
	if percent := gcPercent(); percent < 200 {
		t.Fatalf("the heap of a new process grows by %d %%, want more than twice the default", percent)
	}
	kept := make([]byte, 2*smallHeap)
	for gcPercent() != 100 { // the cleanup after a collection sets it
		runtime.GC()
	}
	runtime.KeepAlive(kept)
	for gcPercent() == 100 {
		runtime.GC()
	}
}

// The user's own setting stays.
func TestTheUsersGarbageCollectionStays(t *testing.T) {
	t.Setenv("GOGC", "50")
	before := gcPercent()
	collectSmallHeapsLess()
	if percent := gcPercent(); percent != before {
		t.Errorf("the heap grows by %d %%, want %d %%", percent, before)
	}
}

func gcPercent() uint64 {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
