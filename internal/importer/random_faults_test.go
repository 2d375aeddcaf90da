package importer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/databricks"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// randomFault draws a fault of the warehouse or of the network to it.
func randomFault(r *rand.Rand) sandboxtest.Fault {
	call := func(names ...string) string { return names[r.IntN(len(names))] }
	f := []sandboxtest.Fault{
		// A storm: several refusals in a row.
		{Kind: "too_many_requests", On: call("ExecuteStatement", "FetchResults", "OpenSession", "GetOperationStatus"), Times: 1 + r.IntN(3), RetryAfter: 1},
		{Kind: "unavailable", On: call("ExecuteStatement", "FetchResults", "OpenSession"), Form: "before", Times: 1 + r.IntN(2), RetryAfter: 1},
		{Kind: "unavailable", On: "ExecuteStatement", Form: "after", RetryAfter: 1},
		{Kind: "session_expired", On: call("ExecuteStatement", "FetchResults"), Form: call("exception", "status")},
		{Kind: "cut", On: call("FetchResults", "ExecuteStatement", "GetOperationStatus")},
		{Kind: "fetch_error"},
		{Kind: "statement_error", Match: call("lytics_row", "count_if", "DESCRIBE", "")},
		{Kind: "link_expired"},
		{Kind: "link_padding", Times: 1 + r.IntN(4)},
		{Kind: "cut", On: "CloudFetch"},
		{Kind: "unavailable", On: "CloudFetch", RetryAfter: 1},
		{Kind: "token_revoked"},
		{Kind: "slow", On: call("ExecuteStatement", "FetchResults"), Delay: "50ms", Times: 3},
		{Kind: "cold_start", Seconds: 1, Form: call("reject", "delay"), RetryAfter: 1},
	}[r.IntN(14)]
	f.After = r.IntN(8)
	return f
}

// checklist 1 20 21 22 23 24 25: an import meets several random faults of warehouse and
// network: refusals in storms, lost answers, lost sessions, expired tokens and links.
// Whether its runs succeed or fail, in the end each row was sent once.
func TestRandomFaultsLoseAndDuplicateNoRow(t *testing.T) {
	t.Parallel()
	record := torture.Begin(t, "Import under faults of network and warehouse", "faults")
	sandboxes := []*sandboxtest.Sandbox{sandboxtest.Start(t), sandboxtest.Start(t, sandboxtest.WithArgs("-results", "cloudfetch"))}
	wanted, failed := torture.Times(3, 40, 250), 0
	if sandboxtest.Spark() {
		wanted = 3
	}
	eachSeed(t, "TestRandomFaultsLoseAndDuplicateNoRow", func(n int) bool { return n >= wanted }, func(t *testing.T, seed uint64) {
		t.Helper()
		r := rand.New(rand.NewPCG(seed, 3)) // #nosec G404 -- repeatable on purpose
		f := &faultyImport{fixture: newFixture(t, sandboxes[r.IntN(2)], threeColumns), random: r, record: record}
		if seed%2 == 0 {
			f.exec("ALTER TABLE %t SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
		}
		failed += f.run()
	})
	record.Note = fmt.Sprintf("%d runs failed with an error that said so, and the next ones went on", failed)
}

// faultyImport is an import from a warehouse with faults.
type faultyImport struct {
	*fixture
	random *rand.Rand
	record *torture.Record

	mu sync.Mutex
	// tokens counts the tokens. rotating is false between runs: the driver may still
	// close a session then.
	tokens   int
	rotating bool
}

// token is read again when the warehouse refuses it: each reading during a run gives a
// new one, as from a service that rotates them.
func (f *faultyImport) token(context.Context) (jobs.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rotating {
		f.rotate()
	}
	return jobs.NewSecret(f.s.Token), nil
}

// rotate makes a new token, which ends a revocation. f.mu is held.
func (f *faultyImport) rotate() {
	f.tokens++
	f.s.Token = fmt.Sprintf("dapi-%s-%d", f.schema, f.tokens)
	f.s.SetToken(f.t, f.s.Token)
}

// setRotating begins or ends the rotation for a run.
func (f *faultyImport) setRotating(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rotating = on
	f.rotate()
}

// run imports rows that are added between runs, and returns how many runs failed.
func (f *faultyImport) run() (failed int) {
	f.t.Helper()
	const rows, more = 1200, 150
	insert := func(from, n int) {
		f.exec(fmt.Sprintf("INSERT INTO %%t SELECT %d + id, 'x', timestamp_micros(1700000000000000 + ((%d + id) DIV 9) * 1000000) FROM range(%d)", from, from, n))
	}
	insert(0, rows)
	f.imp.SliceRows, f.imp.Spec.BatchSize = 100+f.random.Int64N(600), 20+f.random.Int64N(200)
	s := f.s
	f.imp.Connect = func(ctx context.Context, queryTimeout time.Duration) (*databricks.Warehouse, error) {
		return databricks.Open(ctx, databricks.Config{
			Host: s.Host, Port: s.Port, HTTPPath: s.HTTPPath, UserAgent: "lytics+test", LoopbackHosts: true,
			QueryTimeout: queryTimeout, StartTimeout: time.Minute, CloudFetch: true, Token: f.token,
		})
	}
	total := rows
	for round := range 3 {
		faults := make([]sandboxtest.Fault, 1+f.random.IntN(3))
		for i := range faults {
			faults[i] = randomFault(f.random)
		}
		f.setRotating(true)
		s.SetFault(f.t, faults...)
		if err := f.runOnce(); err != nil {
			failed++
			f.wantError(err, faults)
		}
		f.record.Tried += len(faults)
		s.ClearFaults(f.t)
		f.setRotating(false)
		if round < 2 {
			insert(total, more)
			total += more
		}
	}
	f.finish()
	f.checkRows(total)
	return failed
}

// finish finishes the snapshot of a run that failed, and imports what came after it.
func (f *faultyImport) finish() {
	f.t.Helper()
	f.fixture.run()
	f.fixture.run()
}

// wantError checks that a failed run names its cause and the next step.
func (f *faultyImport) wantError(err error, faults []sandboxtest.Fault) {
	f.t.Helper()
	if e, ok := errors.AsType[*jobs.Error](err); !ok || e.Summary == "" || e.Next == "" {
		f.record.Wrong++
		f.t.Errorf("after %+v: got the error %v, want one with a cause and a next step", faults, err)
	}
}

// checkRows checks that there is one event of each row.
func (f *faultyImport) checkRows(rows int) {
	f.t.Helper()
	ids, seen := map[string]bool{}, map[int64]int{}
	for _, e := range f.sink.events {
		ids[e.ID] = true
		seen[gjson.GetBytes(e.Data, "id").Int()]++
	}
	lost, doubled := rows-len(seen), len(f.sink.events)-len(seen)
	f.record.Lost += lost
	f.record.Doubled += doubled
	if lost != 0 || doubled != 0 || len(ids) != rows {
		f.t.Errorf("got %d events with %d ids of %d rows, want %d of each", len(f.sink.events), len(ids), len(seen), rows)
	}
}
