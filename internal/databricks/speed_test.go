//go:build unix

package databricks_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// BenchmarkStream reads 100,000 rows of an import. The relevant result is the CPU time of
// this process, because the sandbox produces the rows on the same machine.
func BenchmarkStream(b *testing.B) {
	s := sandboxtest.Start(b)
	w := open(b, s)
	const rows = 100_000
	before := cpu(b)
	for b.Loop() {
		if n, err := readStream(b.Context(), w, events(rows)); n != rows || err != nil {
			b.Fatalf("%d rows: %v", n, err)
		}
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N)/float64(time.Millisecond), "cpu-ms/op")
}

// cpu is the CPU time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
