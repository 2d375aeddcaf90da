package databricks_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// readBatches reads the result of events, and checks it after the last batch was read,
// because batches must not be overwritten.
func readBatches(ctx context.Context, w *databricks.Warehouse, statement string) (n int64, err error) {
	var kept []*databricks.Batch
	for b, err := range w.Batches(ctx, statement) {
		if err != nil {
			return n, err
		}
		kept = append(kept, b)
		n += int64(b.Len())
	}
	next := int64(0)
	for _, b := range kept {
		ts, err := b.Int64s(0)
		if err != nil {
			return n, err
		}
		digests, err := b.Texts(1)
		if err != nil {
			return n, err
		}
		rows, err := b.Texts(2)
		if err != nil {
			return n, err
		}
		for i := range b.Len() {
			want := fmt.Sprintf(`{"id":%d,"x":"%s"}`, next, strings.Repeat("x", 280))
			if ts[i] != next || string(digests.At(i)) != fmt.Sprintf("%064d", next) || string(rows.At(i)) != want {
				return n, fmt.Errorf("row %d is (%d, %s, %s)", next, ts[i], digests.At(i), rows.At(i))
			}
			next++
		}
	}
	return n, nil
}

// Batches reads results of every form, with page ends at different rows.
func TestBatchesOfEveryForm(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"arrow", "column", "auto", "cloudfetch"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			s := sandboxtest.Start(t, sandboxtest.WithArgs("-results", form))
			config := configOf(s)
			config.CloudFetch = true
			w, err := databricks.Open(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.Close() })
			for _, want := range []int64{0, 1, 9_999, 10_000, 10_001, 50_000} {
				if n, err := readBatches(t.Context(), w, events(int(want))); n != want || err != nil {
					t.Errorf("read %d rows of %d: %v", n, want, err)
				}
			}
			if form != "cloudfetch" {
				return
			}
			s.SetFault(t, sandboxtest.Fault{Kind: "link_padding", Times: 5})
			if n, err := readBatches(t.Context(), w, events(50_000)); n != 50_000 || err != nil {
				t.Errorf("with padding, read %d rows of 50000: %v", n, err)
			}
		})
	}
}

// After a loop is left early, the session can be used again.
func TestLeavingBatchesEarlyClosesTheStatement(t *testing.T) {
	t.Parallel()
	w := open(t, sandboxtest.Start(t))
	for range 3 {
		for b, err := range w.Batches(t.Context(), events(50_000)) {
			if err != nil || b.Len() == 0 {
				t.Fatalf("%v", err)
			}
			break
		}
	}
	if n, err := readBatches(t.Context(), w, events(20_001)); n != 20_001 || err != nil {
		t.Errorf("read %d rows of 20001: %v", n, err)
	}
}
