package duck_test

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
)

// The load of an export: 300,000 rows of ten columns in two compressed files.
func BenchmarkCopyInto(b *testing.B) {
	const rows, files, exported = 300_000, 2, "2006-01-02T15:04:05.000000Z"
	store := &bucket{objects: map[string]string{}}
	for f := range files {
		var z bytes.Buffer
		w, err := gzip.NewWriterLevel(&z, gzip.BestSpeed)
		if err != nil {
			b.Fatal(err)
		}
		for i := f; i < rows; i += files {
			at := time.UnixMicro(1700000000000000 + int64(i)*25000).UTC()
			_, err := fmt.Fprintf(w, "\"%d\",\"%s\",\"user%d@example.com\",\"Name of user %d\",\"%s\",\"%s\",\"%s\",\"%t\",\"%s\",\"note %d of some length\"\n",
				i, at.Format(exported), i, i, []string{"DE", "US", "FR"}[i%3], strconv.FormatFloat(float64(i)/4, 'f', -1, 64),
				strconv.FormatFloat(math.Sqrt(float64(i)), 'g', -1, 64), i%3 == 0, at.AddDate(0, 0, i%700).Format(exported), i%1000)
			if err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		store.put(fmt.Sprintf("p/%d.csv.gz", f), z.String())
	}
	w := open(b, duck.Options{Objects: store})
	create := "CREATE OR REPLACE TABLE l (c0 BIGINT, c1 TIMESTAMP, c2 STRING, c3 STRING, c4 STRING, c5 DOUBLE, c6 DOUBLE, c7 BOOLEAN, c8 TIMESTAMP, c9 STRING)"
	var items []string
	for i, t := range strings.Fields("BIGINT TIMESTAMP STRING STRING STRING DOUBLE DOUBLE BOOLEAN TIMESTAMP STRING") {
		items = append(items, fmt.Sprintf("_c%d::%s AS c%d", i, t, i))
	}
	load := "COPY INTO l FROM (SELECT " + strings.Join(items, ", ") + " FROM 's3://b/p/')" + exportOptions + " COPY_OPTIONS('force'='true')"
	for b.Loop() {
		w.exec(create)
		w.want(load, fmt.Sprintf("%d | %d | 0", rows, rows))
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
