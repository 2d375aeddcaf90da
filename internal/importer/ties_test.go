package importer_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/importer"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// tally is a sink that keeps of each event no more than it takes to find one
// that is missing or there twice.
type tally struct {
	db   *store.DB
	rows []bool
	// ids are halves of the events' ids.
	ids [][8]byte
	// crashAt is how many events are taken before a crash; peak the most memory
	// that was in use between two batches.
	crashAt int
	peak    uint64
}

var errCrash = errors.New("crash")

func (k *tally) Append(ctx context.Context, _ string, events []jobs.Event, commit func(tx *store.Tx) error) (jobs.AppendResult, error) {
	if k.crashAt > 0 && len(k.ids) >= k.crashAt {
		k.crashAt = 0
		return jobs.AppendResult{}, errCrash
	}
	if err := k.db.Write(ctx, commit); err != nil {
		return jobs.AppendResult{}, err
	}
	for _, e := range events {
		row := gjson.GetBytes(e.Data, "id").Int()
		if k.rows[row] {
			return jobs.AppendResult{}, fmt.Errorf("row %d twice", row)
		}
		k.rows[row] = true
		var id [8]byte
		if _, err := hex.Decode(id[:], []byte(e.ID)[:16]); err != nil {
			return jobs.AppendResult{}, err
		}
		k.ids = append(k.ids, id)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	k.peak = max(k.peak, m.HeapInuse)
	return jobs.AppendResult{Written: int64(len(events))}, nil
}

// want checks that there are n events, none of them twice.
func (k *tally) want(t *testing.T, n int) {
	t.Helper()
	slices.SortFunc(k.ids, func(a, b [8]byte) int { return slices.Compare(a[:], b[:]) })
	if ids := len(slices.Compact(slices.Clone(k.ids))); len(k.ids) != n || ids != n {
		t.Fatalf("%d events with %d ids, want %d", len(k.ids), ids, n)
	}
}

// checklist 1 2 4 62: many rows on one timestamp, interrupted in their middle;
// then one more of them that commits behind the watermark, and a rebuild of all.
// LYTICS_TEST_TIES is how many: 2 million need no more memory than 60,000.
func TestManyRowsOnOneTimestamp(t *testing.T) {
	t.Parallel()
	rows := 60_000
	if n, err := strconv.Atoi(os.Getenv("LYTICS_TEST_TIES")); err == nil {
		rows = n
	}
	b := newBed(t, sandboxtest.Shared(t), threeColumns)
	b.exec(fmt.Sprintf("INSERT INTO %%t SELECT id, 'x', TIMESTAMP '2024-01-01 00:00:00' FROM range(%d)", rows))
	sink := &tally{db: b.db, rows: make([]bool, rows+1), ids: make([][8]byte, 0, rows+1), crashAt: rows / 2}
	b.imp.Sink, b.imp.SliceRows = sink, 10_000
	// However the rows fall into batches, one begins after half of them were sent.
	b.imp.Spec.BatchSize = int64(min(rows/10, 50_000))
	run := func(sent int64) {
		t.Helper()
		if err := b.try(); err != nil {
			t.Fatal(err)
		}
		if b.counts.RowsWritten != sent {
			t.Fatalf("%d rows were sent, want %d", b.counts.RowsWritten, sent)
		}
	}
	if err := b.try(); !errors.Is(err, errCrash) {
		t.Fatalf("no crash: %v", err)
	}
	half := len(sink.ids)
	run(int64(rows - half))
	sink.want(t, rows)
	b.exec(fmt.Sprintf("INSERT INTO %%t VALUES (%d, 'y', TIMESTAMP '2024-01-01 00:00:00')", rows))
	run(1)
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT * FROM %t")
	run(0)
	// Without versions, too: by what is remembered of each.
	b.exec("CREATE OR REPLACE VIEW main." + b.schema + ".v AS SELECT * FROM %t")
	b.imp.Spec.Table = "v"
	run(0)
	sink.want(t, rows+1)
	if c, err := importer.ReadCursor(t.Context(), b.db, "k"); err != nil || c.Sent != int64(rows+1) {
		t.Fatalf("%+v, %v", c, err)
	}
	// Other tests take memory meanwhile, unless this one runs alone.
	t.Logf("%d rows, %d of them before the crash; %d MiB of memory at most", rows, half, sink.peak>>20)
	if rows >= 1_000_000 && sink.peak > 256<<20 {
		t.Errorf("it took %d MiB", sink.peak>>20)
	}
}
