package duck_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/duck"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/warehouse"
)

// An open result reads its snapshot to the end, even if the table is changed or dropped.
func TestResultKeepsItsSnapshot(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE t AS SELECT id, concat('row ', id) AS s FROM range(200000)")
	ctx := t.Context()
	r, err := b.session.Execute(ctx, "SELECT id, s FROM t", nil)
	if err != nil {
		t.Fatal(err)
	}
	first, err := r.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rows := first.NumRows()
	first.Release()
	b.exec("DELETE FROM t WHERE id > 5", "INSERT INTO t VALUES (-1, 'new')", "DROP TABLE t", "CREATE TABLE t (x INT)", "VACUUM t RETAIN 0 HOURS")
	for {
		batch, err := r.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows += batch.NumRows()
		batch.Release()
	}
	if rows != 200000 {
		t.Errorf("the result gave %d rows of its snapshot's 200000", rows)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// Writers of the same table wait for each other, and each commits a version.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.exec("CREATE TABLE t (w INT, n INT)")
	const writers, each = 6, 10
	var wait sync.WaitGroup
	for w := range writers {
		s := b.open(warehouse.SessionOptions{})
		wait.Go(func() {
			for n := range each {
				if _, err := run(s, fmt.Sprintf("INSERT INTO t VALUES (%d, %d)", w, n)); err != nil {
					t.Error(err)
				}
				if _, err := run(s, fmt.Sprintf("CREATE OR REPLACE TABLE own_%d AS SELECT * FROM t WHERE w = %d", w, w)); err != nil {
					t.Error(err)
				}
				if _, err := run(s, fmt.Sprintf("UPDATE t SET n = -1 WHERE w = %d AND n = 3", w)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	b.want("SELECT count(*), count(DISTINCT w), count_if(n = -1) FROM t", fmt.Sprintf("%d | %d | %d", writers*each, writers, writers))
	for w := range writers {
		b.want(fmt.Sprintf("SELECT count(*) FROM own_%d", w), fmt.Sprint(each))
	}
}

// checklist 27
func TestCancelStopsAStatement(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	slow := "SELECT count(*) AS n FROM range(100000000) a, range(100000) b WHERE a.id + b.id = -1"
	for name, statement := range map[string]string{"a query": slow, "a write": "CREATE TABLE big AS " + slow} {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		r, err := b.session.Execute(ctx, statement, nil)
		if err == nil {
			_, err = r.Next(ctx)
			_ = r.Close()
		}
		cancel()
		// This query would take hours.
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got %v, want %v", name, err, context.DeadlineExceeded)
		}
	}
	b.fails("SELECT * FROM big", "TABLE_OR_VIEW_NOT_FOUND")
	b.want("SELECT 1", "1")

	ctx, cancel := context.WithCancel(t.Context())
	r, err := b.session.Execute(ctx, "SELECT id FROM range(100000000)", nil)
	if err != nil {
		t.Fatal(err)
	}
	if batch, err := r.Next(ctx); err != nil {
		t.Fatal(err)
	} else {
		batch.Release()
	}
	cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v from reading after a cancel", err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	b.want("SELECT 2", "2")
}

// A result that fails while it is read returns an error, never a normal end.
// checklist 20
func TestErrorWhileReading(t *testing.T) {
	t.Parallel()
	b := open(t, duck.Options{})
	b.fails("SELECT 1 / (id - 150000) FROM range(200000)", "DIVIDE_BY_ZERO")
	b.fails("SELECT CAST(s AS BIGINT) FROM (SELECT CASE WHEN id = 199999 THEN 'x' ELSE '1' END AS s FROM range(200000))", "CAST_INVALID_INPUT")
}

// The main query of an import, over a million rows.
func BenchmarkImportQuery(b *testing.B) {
	w := open(b, duck.Options{})
	const rows = 300_000
	w.exec(fmt.Sprintf(`CREATE TABLE t AS SELECT id, concat('name ', id) AS name, CAST(id AS STRING) AS postal, CAST(id * 0.01BD AS DECIMAL(12,2)) AS amount, id / 7 AS score,
		CAST(id %% 100 AS INT) AS visits, id %% 2 = 0 AS vip, timestamp_micros(1700000000000000 + pmod(id * 7919, 10007) * 1000003) AS ts, date_add(DATE '2020-01-01', CAST(id %% 1000 AS INT)) AS day,
		CASE WHEN id %% 3 = 0 THEN NULL ELSE 'a "quoted" note' END AS note FROM range(%d)`, rows))
	query := "SELECT unix_micros(ts), sha2(to_json(struct(*)" + exact + "), 256), to_json(struct(*)" + exact + ") FROM t VERSION AS OF 0 WHERE ts >= TIMESTAMP '2000-01-01 00:00:00' AND ts <= TIMESTAMP '2030-01-01 00:00:00' ORDER BY 1, 2"
	b.ResetTimer()
	for b.Loop() {
		r, err := w.session.Execute(b.Context(), query, nil)
		if err != nil {
			b.Fatal(err)
		}
		var n int64
		for {
			batch, err := r.Next(b.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n += batch.NumRows()
			batch.Release()
		}
		if err := r.Close(); err != nil || n != rows {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
