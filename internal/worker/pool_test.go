package worker_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// checklist 38 73: the worker of an import is killed with SIGKILL. The run goes on in
// another one from the cursor, and every row arrives exactly once.
func TestTheRunOfAKilledWorkerContinues(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			const rows = 30_000 // three pages of a result
			// The second fetch hangs for longer than the test takes.
			warehouse := sandboxtest.Start(t, sandboxtest.WithFaults(sandboxtest.Fault{
				Kind: "slow", On: "FetchResults", Match: "lytics_digest", After: 1, Delay: "1h"}))
			warehouse.Exec(t, "CREATE SCHEMA main.sales", "CREATE TABLE main.sales.people (id BIGINT, ts TIMESTAMP)",
				fmt.Sprintf("INSERT INTO main.sales.people SELECT id, timestamp_micros(1700000000000000 + (id DIV 7) * 1000001) FROM range(%d)", rows))
			s := settings{Dir: t.TempDir()}
			if database == "postgres" {
				s.URL = pgtest.URL(t)
				s.S3 = &bucket{warehouse.S3Endpoint, warehouse.S3Region, warehouse.S3Bucket, warehouse.S3AccessKey, warehouse.S3SecretKey}
			}
			f := newFixtureOn(t, s, warehouse)
			run := f.start("people")
			eventually(t, "rows that were written", func() bool { return f.running(run.ID).RowsWritten > 0 })
			kill(t, f.pids.last())
			run = f.ended(run.ID)
			if run.Status != jobs.StatusSucceeded || run.Attempt != 2 || f.pool.Started() != 2 {
				t.Fatalf("%+v with %d workers", run, f.pool.Started())
			}
			f.wantLog(run.ID, "was lost (signal: killed); attempt 2 continues where it stopped.", "info importing rows")
			f.wantRows("people", rows)
		})
	}
}

// The timeline of a run has the phases that began in its worker process.
func TestThePhasesOfARunInAWorkerAreKept(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	run := f.ended(f.start("ok").ID)
	if run.Status != jobs.StatusSucceeded {
		t.Fatalf("%+v", run)
	}
	phases, err := f.apply.RunPhases(t.Context(), run.ID)
	if err != nil || !slices.ContainsFunc(phases, func(p jobs.PhaseStart) bool { return p.Name == "working" }) {
		t.Errorf("got the phases %v, %v; want working among them", phases, err)
	}
}

// wantRows checks that a stream has an event of each row from 0 to n, once.
func (f *fixture) wantRows(stream string, n int) {
	f.t.Helper()
	seen := map[int]int{}
	for e, err := range jobstest.Events(f.apply.EventLines(f.t.Context(), stream)) {
		if err != nil {
			f.t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(e.Data), `"id":`)
		id, err := strconv.Atoi(strings.Trim(strings.FieldsFunc(rest, func(r rune) bool { return r == ',' || r == '}' })[0], `" `))
		if err != nil {
			f.t.Fatal(err)
		}
		seen[id]++
	}
	for id := range n {
		if seen[id] != 1 {
			f.t.Errorf("stream %s, row %d: got %d events, want 1", stream, id, seen[id])
			return
		}
	}
	if len(seen) != n {
		f.t.Errorf("stream %s: got %d rows, want %d", stream, len(seen), n)
	}
}

// checklist 73: a run that ends its worker each time fails after the second one, with
// what is known, and without secrets. The runner and its other runs go on.
func TestARunThatEndsTwoWorkersFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	bad := map[string]struct {
		run jobs.Run
		how string
		log []string
	}{
		"dies":    {how: "exit status 2", log: []string{"error panic: malformed answer with [redacted]", "worker_test.explode(...)", "main_test.go:"}},
		"fatal":   {how: "exit status 2", log: []string{"error fatal error: sync: unlock of unlocked mutex"}},
		"exits":   {how: "exit status 7"},
		"garbage": {how: "a line of 12 bytes is no message"},
		"silent":  {how: "signal: killed"},
	}
	for table, c := range bad {
		c.run = f.start(table)
		bad[table] = c
	}
	var good []jobs.Run
	for i := range 10 {
		good = append(good, f.start(fmt.Sprintf("ok_%d", i)))
	}
	for table, c := range bad {
		run := f.ended(c.run.ID)
		failure := run.Failure.String()
		if run.Status != jobs.StatusFailed || run.Attempt != 2 || run.Failure.Code != jobs.CodeFailed ||
			!strings.Contains(failure, "2 worker processes ended while they executed this run") || !strings.Contains(failure, "("+c.how+")") {
			t.Errorf("%s: %s in attempt %d: %s", table, run.Status, run.Attempt, failure)
		}
		f.wantLog(run.ID, append(c.log, "was lost ("+c.how+"); attempt 2 continues where it stopped.")...)
		if text := failure + f.log(run.ID); strings.Contains(text, canary) || strings.Contains(text, "0x") {
			t.Errorf("%s: a secret or an argument is shown:\n%s", table, text)
		}
	}
	for _, run := range good {
		if run = f.ended(run.ID); run.Status != jobs.StatusSucceeded || run.Attempt != 1 || run.RowsRead != 1 {
			t.Errorf("a run beside them: %+v", run)
		}
	}
}

// A run whose worker dies once succeeds in its second attempt.
func TestARunThatEndsOneWorkerGoesOn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	if run := f.ended(f.start("once").ID); run.Status != jobs.StatusSucceeded || run.Attempt != 2 {
		t.Errorf("%+v", run)
	}
}

// A panic of the run's own goroutine fails the run at once, with its stack.
func TestAPanicThatAWorkerRecoversFailsTheRun(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	run := f.ended(f.start("panics").ID)
	if run.Status != jobs.StatusFailed || run.Attempt != 1 || !strings.Contains(run.Failure.Detail, "nil pointer dereference") {
		t.Errorf("%+v", run)
	}
	f.wantLog(run.ID, "error panic: runtime error: invalid memory address", "error   at ", "internal/worker/main_test.go:")
}

// checklist 74: a run that needs more memory than its worker may have fails, with the
// name of the setting.
func TestARunThatNeedsTooMuchMemoryFails(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, func(c *worker.Config) { c.Setup.MemoryMB = 256 })
	run := f.ended(f.start("grows").ID)
	if run.Status != jobs.StatusFailed || run.Attempt != 2 || !strings.Contains(run.Failure.String(), "worker_memory_mb allows 256 MB") {
		t.Errorf("%+v", run)
	}
}

// The error of a run keeps its parts on its way from the worker.
func TestTheFailureOfARunKeepsItsParts(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	want := jobs.Failure{Code: jobs.CodeForbidden, Summary: "The table cannot be read", Detail: "A grant is missing.", Next: "Grant it"}
	if run := f.ended(f.start("fails").ID); run.Status != jobs.StatusFailed || run.Failure != want || run.RowsRead != 1 {
		t.Errorf("%+v", run)
	}
}

// checklist 27
func TestARunInAWorkerIsCancelled(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	run := f.start("blocks")
	f.running(run.ID)
	if err := f.apply.CancelRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if run = f.ended(run.ID); run.Status != jobs.StatusCancelled || run.Attempt != 1 {
		t.Errorf("%+v", run)
	}
	if run = f.ended(f.start("ok").ID); run.Status != jobs.StatusSucceeded || f.pool.Started() != 2 {
		t.Errorf("%s after %d workers, want a new worker", run.Status, f.pool.Started())
	}
}

// A cancelled run that does not end is ended with its process, and is cancelled, not lost.
func TestAWorkerThatHangsIsKilledAfterACancel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, func(c *worker.Config) { c.Grace = time.Millisecond })
	run := f.start("hangs")
	f.running(run.ID)
	if err := f.apply.CancelRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if run = f.ended(run.ID); run.Status != jobs.StatusCancelled || run.Attempt != 1 {
		t.Errorf("%+v", run)
	}
}

// A worker executes the next run after one that succeeded, and ends after any other.
func TestAWorkerIsReusedAfterASuccess(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	want := 1
	for i, table := range []string{"ok", "ok", "ok", "fails", "ok", "panics", "ok", "ok"} {
		if i > 0 { // the worker is put back after the end of its run was recorded
			eventually(t, "a worker that is free, or none", func() bool { return f.pool.Busy() == 0 })
		}
		f.ended(f.start(fmt.Sprintf("%s_%d", table, i)).ID)
		if got := f.pool.Started(); got != want {
			t.Errorf("after run %d (%s): got %d workers, want %d", i, table, got, want)
		}
		if table == "fails" || table == "panics" {
			want++
		}
	}
}

// A worker that dies without a run is no run's fault.
func TestAFreeWorkerThatDiesIsReplaced(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	f.ended(f.start("ok_1").ID)
	eventually(t, "a free worker", func() bool { return f.pool.Free() == 1 })
	kill(t, f.pids.last())
	if run := f.ended(f.start("ok_2").ID); run.Status != jobs.StatusSucceeded || run.Attempt != 1 || f.pool.Started() != 2 {
		t.Errorf("%+v after %d workers", run, f.pool.Started())
	}
}

// Of the workers without a run, as many stay as are configured.
func TestWorkersWithoutRunsEnd(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, func(c *worker.Config) { c.Keep, c.KeepFor = 1, time.Millisecond })
	var runs []jobs.Run
	for i := range 3 {
		runs = append(runs, f.start(fmt.Sprintf("once_%d", i)))
	}
	for _, run := range runs {
		f.ended(run.ID)
	}
	eventually(t, "one free worker", func() bool { return f.pool.Busy() == 0 && f.pool.Free() == 1 })
}

// A binary that was replaced by another version is not given a run.
func TestAWorkerOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil, func(c *worker.Config) { c.Version = "older" })
	run := f.ended(f.start("ok").ID)
	if run.Status != jobs.StatusFailed || !strings.Contains(run.Failure.String(), "restart the runner") {
		t.Errorf("%+v", run)
	}
}
