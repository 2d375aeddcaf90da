package exporter_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// randomFault draws a fault of the warehouse, the bucket or the network to them.
func randomFault(r *rand.Rand) sandboxtest.Fault {
	pick := func(names ...string) string { return names[r.IntN(len(names))] }
	statement := pick("", "^COPY INTO", "^INSERT OVERWRITE", "^CREATE", "count", "HISTORY")
	f := []sandboxtest.Fault{
		// A storm: several refusals in a row.
		{Kind: "too_many_requests", On: pick("ExecuteStatement", "OpenSession", "GetOperationStatus"), Times: 1 + r.IntN(3), RetryAfter: 1},
		{Kind: "unavailable", On: "ExecuteStatement", Match: statement, Form: pick("before", "after"), RetryAfter: 1},
		{Kind: "session_expired", On: "ExecuteStatement", Match: statement, Form: pick("exception", "status")},
		{Kind: "cut", On: pick("ExecuteStatement", "FetchResults", "GetOperationStatus"), Match: statement},
		{Kind: "statement_error", Match: statement},
		{Kind: "s3_error", On: pick("PutObject", "UploadPart", "CreateMultipartUpload", "CompleteMultipartUpload"), Times: 1 + r.IntN(5)},
		{Kind: "s3_error", On: "*", Status: 403, Message: "The provided token has expired.", Times: 1 + r.IntN(2)},
		{Kind: "s3_slow", On: pick("PutObject", "UploadPart"), Delay: "50ms", Times: 3},
		{Kind: "cold_start", Seconds: 1, Form: pick("reject", "delay"), RetryAfter: 1},
	}[r.IntN(9)]
	if r.IntN(2) == 0 {
		f.After = r.IntN(4)
	}
	return f
}

// checklist 22 23 24 28 30 31: an export meets several random faults of warehouse,
// bucket and network. Whether it succeeds or fails, the target has all rows of one
// generation, which is not older than before, and a later export leaves nothing behind.
func TestRandomFaultsLeaveOneWholeTable(t *testing.T) {
	t.Parallel()
	record := torture.Begin(t, "Export under faults of network, warehouse and bucket", "faults")
	seed := torture.Seed(t)
	b := newFixture(t, sandboxtest.Start(t))
	if err := b.exportGeneration(0).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	wh, err := b.connect(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wh.Close() }()
	rounds, failed, last := torture.Times(6, 40, 250), 0, 0
	if sandboxtest.Spark() {
		rounds = 4
	}
	for n := range rounds {
		r := rand.New(rand.NewPCG(seed, uint64(n))) // #nosec G404 -- repeatable on purpose
		faults := make([]sandboxtest.Fault, 1+r.IntN(3))
		for i := range faults {
			faults[i] = randomFault(r)
		}
		record.Tried += len(faults)
		b.sandbox.SetFault(t, faults...)
		err := b.exportGeneration(n + 1).Run(t.Context())
		b.sandbox.ClearFaults(t)
		if err != nil {
			failed++
			if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Summary == "" || e.Next == "" {
				record.Wrong++
				t.Errorf("round %d, %+v: got the error %v, want one with a cause and a next step", n, faults, err)
			}
		}
		low, high, count, readErr := b.readGenerations(t.Context(), wh)
		whole := readErr == nil && low == high && low >= last && low <= n+1 && count == rowsOfGeneration(low)
		if !whole || err == nil && low != n+1 {
			record.Wrong++
			t.Fatalf("round %d, %+v, export %v: got %d rows of the generations %d to %d, %v, after generation %d, want all rows of one",
				n, faults, err, count, low, high, readErr, last)
		}
		last = low
	}
	if err := b.exportGeneration(rounds + 1).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wantNoLeftovers()
	record.Note = fmt.Sprintf("%d of %d exports failed with an error that said so", failed, rounds)
}
