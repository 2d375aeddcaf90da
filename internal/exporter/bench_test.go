//go:build unix

package exporter_test

import (
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// benchRows is how many profiles the benchmarks export; another number is in
// LYTICS_BENCH_ROWS.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("LYTICS_BENCH_ROWS")); err == nil {
		return n
	}
	return 3_000_000
}

// profiles are n rows of ten columns, about 120 bytes of values each. Their texts
// exist before the export begins: the cost of a scan is the platform's.
func profiles(n int) fakeAudience {
	p := fakeAudience{fields: fields("id", "string", "email", "string", "city", "string", "age", "int", "spend", "number",
		"ok", "bool", "seen", "date", "segment", "string", "note", "string", "tags", "[]string")}
	cities := []string{"Lisbon", "Kyoto", "São Paulo", "Portland, OR", "München"}
	const distinct = 5000
	var texts [distinct][4]string
	for i := range texts {
		texts[i] = [4]string{fmt.Sprintf("user-%08d", i*7919), fmt.Sprintf("person.%d@example.com", i*31),
			strconv.FormatFloat(float64(i)*1.37, 'f', 2, 64), fmt.Sprintf("2024-%02d-%02dT12:%02d:00.%06dZ", 1+i%12, 1+i%28, i%60, i)}
	}
	p.each = func(yield func([]jobs.Value, error) bool) {
		values := make([]jobs.Value, len(p.fields))
		for i := range n {
			t := &texts[i%distinct]
			values[0].Text, values[1].Text, values[4].Text, values[6].Text = t[0], t[1], t[2], t[3]
			values[2].Text, values[3].Text, values[5].Text = cities[i%5], ages[i%80], "true"
			values[7].Text, values[8].Null, values[9].Text = "gold", i%3 == 0, `["a","b"]`
			values[8].Text = ""
			if !values[8].Null {
				values[8].Text = "likes \"quotes\""
			}
			if !yield(values, nil) {
				return
			}
		}
	}
	return p
}

var ages = func() (out [80]string) {
	for i := range out {
		out[i] = strconv.Itoa(18 + i)
	}
	return out
}()

// floor does the minimal work of an export to CSV: it encodes the rows with a
// plain loop, compresses them with gzip -1 and discards them.
func floor(profiles iter.Seq2[[]jobs.Value, error]) error {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		return err
	}
	line := make([]byte, 0, 64<<10)
	for values, err := range profiles {
		if err != nil {
			return err
		}
		for i := range values {
			if i > 0 {
				line = append(line, ',')
			}
			if values[i].Null {
				line = append(line, '\\', 'N')
				continue
			}
			line = append(line, '"')
			if text := values[i].Text; strings.IndexByte(text, '"') < 0 {
				line = append(line, text...)
			} else {
				line = append(line, strings.ReplaceAll(text, `"`, `""`)...)
			}
			line = append(line, '"')
		}
		line = append(line, '\n')
		if len(line) > 60<<10 {
			if _, err := z.Write(line); err != nil {
				return err
			}
			line = line[:0]
		}
	}
	if _, err := z.Write(line); err != nil {
		return err
	}
	return z.Close()
}

// cpu returns the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak returns the most memory that this process has had, in MiB.
func peak() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Maxrss) / 1024
}

// BenchmarkExport measures a whole export, from the rows of the scan to the replaced
// table, and the floor in the same run. rows/cpu-s is rows per second of this
// process's processor time, and of-floor is the ratio to the floor's. The warehouse
// and the object store are another process.
func BenchmarkExport(b *testing.B) {
	n := benchRows()
	audience := profiles(n)
	f := newFixture(b, sandboxtest.Start(b))
	for _, kind := range append([]jobs.AudienceExport{{}}, fileFormats...) {
		name := "floor"
		run := func() error { return floor(audience.each) }
		if kind.Format != "" {
			name = fmt.Sprintf("%s-%s", kind.Format, kind.Compression)
			run = func() error { return f.export(audience, withFormat(kind)).Run(b.Context()) }
		}
		b.Run(name, func(b *testing.B) {
			before := cpu()
			for b.Loop() {
				if err := run(); err != nil {
					b.Fatal(err)
				}
			}
			rate := float64(n) * float64(b.N) / (cpu() - before).Seconds()
			b.ReportMetric(rate, "rows/cpu-s")
			b.ReportMetric(peak(), "peak-MB")
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
			if kind.Format == "" {
				floorRate = rate
			} else if floorRate > 0 {
				b.ReportMetric(rate/floorRate, "of-floor")
			}
		})
	}
}

// floorRate is the rows/cpu-s of the floor.
var floorRate float64
