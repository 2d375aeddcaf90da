//go:build unix

package databricks_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// 100,000 rows of an import have to cost less than a second of this process.
func TestStreamCostsLittle(t *testing.T) {
	s := sandboxtest.Start(t)
	w := open(t, s)
	before, begun := cpu(t), time.Now()
	if n, err := readStream(t.Context(), w, events(100_000)); n != 100_000 || err != nil {
		t.Fatalf("%d rows: %v", n, err)
	}
	used := cpu(t) - before
	t.Logf("100,000 rows: %s of this process's CPU, %s with the sandbox's work", used, time.Since(begun))
	if used > time.Second {
		t.Errorf("reading 100,000 rows took %s of CPU, want less than 1 s", used)
	}
}

// cpu is the time this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
