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

// tallySink keeps of each event only what shows that one is missing or duplicated.
type tallySink struct {
	db *store.DB
	// rows records which rows arrived.
	rows []bool
	// ids are the first halves of the events' ids.
	ids [][8]byte
	// crashAt is the number of events after which an append fails; 0 is never.
	crashAt int
	// peak is the most heap memory, in bytes, that was in use after a batch.
	peak uint64
}

var errCrash = errors.New("crash")

func (k *tallySink) Append(ctx context.Context, _ string, events []jobs.Event, commit func(*store.Tx, []jobs.RejectedEvent) error) (jobs.AppendResult, error) {
	if k.crashAt > 0 && len(k.ids) >= k.crashAt {
		k.crashAt = 0
		return jobs.AppendResult{}, errCrash
	}
	if err := k.db.Write(ctx, func(tx *store.Tx) error { return commit(tx, nil) }); err != nil {
		return jobs.AppendResult{}, err
	}
	for _, e := range events {
		row := gjson.GetBytes(e.Data, "id").Int()
		if k.rows[row] {
			return jobs.AppendResult{}, fmt.Errorf("got row %d twice", row)
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

// wantEventsOf checks that there are n events with n ids.
func (k *tallySink) wantEventsOf(t *testing.T, n int) {
	t.Helper()
	slices.SortFunc(k.ids, func(a, b [8]byte) int { return slices.Compare(a[:], b[:]) })
	if ids := len(slices.Compact(slices.Clone(k.ids))); len(k.ids) != n || ids != n {
		t.Fatalf("got %d events with %d ids, want %d of each", len(k.ids), ids, n)
	}
}

// checklist 1 2 4 62: an import of many rows with one timestamp is interrupted
// among them; then one more row of this timestamp is committed, and the table is
// rebuilt. LYTICS_TEST_TIES is the number of rows: 2 million need no more memory
// than 60,000.
func TestManyRowsOnOneTimestamp(t *testing.T) {
	t.Parallel()
	rows := 60_000
	if n, err := strconv.Atoi(os.Getenv("LYTICS_TEST_TIES")); err == nil {
		rows = n
	}
	b := newFixture(t, sandboxtest.Shared(t), threeColumns)
	b.exec(fmt.Sprintf("INSERT INTO %%t SELECT id, 'x', TIMESTAMP '2024-01-01 00:00:00' FROM range(%d)", rows))
	sink := &tallySink{db: b.db, rows: make([]bool, rows+1), ids: make([][8]byte, 0, rows+1), crashAt: rows / 2}
	b.imp.Sink, b.imp.SliceRows = sink, 10_000
	// However the rows fall into batches, one begins after half of them were sent.
	b.imp.Spec.BatchSize = int64(min(rows/10, 50_000))
	run := func(sent int64) {
		t.Helper()
		if err := b.runOnce(); err != nil {
			t.Fatal(err)
		}
		if b.counts.RowsWritten != sent {
			t.Fatalf("got %d rows written, want %d", b.counts.RowsWritten, sent)
		}
	}
	if err := b.runOnce(); !errors.Is(err, errCrash) {
		t.Fatalf("got the error %v, want the crash", err)
	}
	half := len(sink.ids)
	run(int64(rows - half))
	sink.wantEventsOf(t, rows)
	b.exec(fmt.Sprintf("INSERT INTO %%t VALUES (%d, 'y', TIMESTAMP '2024-01-01 00:00:00')", rows))
	run(1)
	b.exec("CREATE OR REPLACE TABLE %t AS SELECT * FROM %t")
	run(0)
	// A source without versions is compared with the remembered rows.
	b.exec("CREATE OR REPLACE VIEW main." + b.schema + ".v AS SELECT * FROM %t")
	b.imp.Spec.Table = "v"
	run(0)
	sink.wantEventsOf(t, rows+1)
	if c, err := importer.ReadCursor(t.Context(), b.db, "k"); err != nil || c.Sent != int64(rows+1) {
		t.Fatalf("got the cursor %+v, %v, want one that counts %d events", c, err, rows+1)
	}
	// Other tests use memory at the same time, unless this one runs alone.
	t.Logf("%d rows, %d of them before the crash; at most %d MiB of memory", rows, half, sink.peak>>20)
	if rows >= 1_000_000 && sink.peak > 256<<20 {
		t.Errorf("got a peak of %d MiB of memory, want at most 256", sink.peak>>20)
	}
}
