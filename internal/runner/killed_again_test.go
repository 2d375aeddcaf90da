//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// checklist 38 39: two runners execute the runs of three jobs and are killed at random
// moments, one or both, again and again, while rows are added. In the end no run is
// active, and each row of each table is in its stream once.
func TestRunnersThatAreKilledAgainAndAgainLoseNothing(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		k := &killedRunners{fixture: b, random: rand.New(rand.NewPCG(torture.Seed(t), 4)), processes: map[string]*exec.Cmd{}, rows: map[string]int{}}
		k.record = torture.Begin(t, "Runner killed, "+path.Base(t.Name()), "SIGKILLs")
		k.deploy(t)
		for wanted := torture.Times(3, 15, 60); k.record.Tried < wanted; {
			k.killSome(t)
		}
		k.finish(t)
	})
}

// killedRunners are two runners of one store, and the jobs that they execute.
type killedRunners struct {
	*fixture
	random    *rand.Rand
	record    *torture.Record
	warehouse *sandboxtest.Sandbox
	bucket    *s3
	api       *engine.Engine
	processes map[string]*exec.Cmd
	jobs      []jobs.Job
	// rows are those of each table.
	rows map[string]int
}

// deploy starts the warehouse and the runners, and creates the jobs.
func (k *killedRunners) deploy(t *testing.T) {
	t.Helper()
	w := sandboxtest.Start(t, sandboxtest.WithFaults(sandboxtest.Fault{Kind: "slow", On: "FetchResults", Match: "lytics_digest", Delay: "300ms", Times: -1}))
	k.warehouse, k.work = w, nil
	if !k.url.Empty() {
		k.bucket = &s3{w.S3Endpoint, w.S3Region, w.S3Bucket, w.S3AccessKey, w.S3SecretKey}
	}
	k.staging = k.bucket.config()
	k.api = k.apply()
	token := jobs.NewSecret(w.Token)
	auth, err := k.api.CreateAuthorization(t.Context(), jobs.AuthorizationChange{Token: &token, AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "warehouse", Host: w.Host, Port: w.Port, HTTPPath: w.HTTPPath}})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"first", "second"} {
		k.processes[name] = k.process(name, k.bucket)
	}
	w.Exec(t, "CREATE SCHEMA main.sales")
	for _, table := range []string{"a", "b", "c"} {
		w.Exec(t, "CREATE TABLE main.sales."+table+" (id BIGINT, ts TIMESTAMP)")
		k.insert(t, table, 3000)
		k.jobs = append(k.jobs, k.job(k.api, auth.ID, table, func(s *jobs.JobSpec) {
			s.Import.Stream, s.Import.BatchSize = table, 100
		}))
	}
}

// insert adds rows to a table.
func (k *killedRunners) insert(t *testing.T, table string, n int) {
	t.Helper()
	k.warehouse.Exec(t, fmt.Sprintf("INSERT INTO main.sales.%s SELECT %d + id, timestamp_micros(1700000000000000 + ((%d + id) DIV 7) * 1000001) FROM range(%d)",
		table, k.rows[table], k.rows[table], n))
	k.rows[table] += n
}

// killSome starts a run of each idle job, and kills one runner or both, during the runs
// more often than not. Each is started again.
func (k *killedRunners) killSome(t *testing.T) {
	t.Helper()
	for _, j := range k.jobs {
		if runs := k.runs(k.api, j.ID); len(runs) > 0 && runs[0].Status.Active() {
			continue
		}
		k.insert(t, j.Import.Table, 500+k.random.IntN(2000))
		if _, err := k.api.StartRun(t.Context(), j.ID, jobs.ReasonManual); err != nil {
			t.Fatal(err)
		}
	}
	if k.random.IntN(4) > 0 {
		eventually(t, "a run of a runner", func() bool {
			return k.count(`SELECT count(*) FROM runs WHERE status = 'running'`) > 0 || k.count(`SELECT count(*) FROM runs WHERE finished_at IS NULL`) == 0
		})
	}
	pause := time.NewTimer(time.Duration(k.random.IntN(1000)) * time.Millisecond)
	<-pause.C
	for _, name := range [][]string{{"first"}, {"second"}, {"first", "second"}}[k.random.IntN(3)] {
		if err := k.processes[name].Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = k.processes[name].Wait()
		k.record.Tried++
		k.processes[name] = k.process(name, k.bucket)
	}
}

// finish waits for the runs, starts one more of each job, and checks the streams.
func (k *killedRunners) finish(t *testing.T) {
	t.Helper()
	took, failed := 0, 0
	// A run whose delivery died with its runner is delivered again after deliveryTimeout,
	// and runs that were started later may end before it.
	for _, j := range k.jobs {
		for _, run := range k.runs(k.api, j.ID) {
			if _, err := k.api.WaitRun(t.Context(), run.ID, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 2 { // the first run ends the snapshot of one that was killed
		for _, j := range k.jobs {
			run, err := k.api.StartRun(t.Context(), j.ID, jobs.ReasonManual)
			if err == nil {
				run, err = k.api.WaitRun(t.Context(), run.ID, nil)
			}
			if err != nil || run.Status != jobs.StatusSucceeded {
				k.record.Wrong++
				t.Fatalf("got the last run of %s as %+v, %v", j.ID, run, err)
			}
		}
	}
	for _, j := range k.jobs {
		for _, run := range k.runs(k.api, j.ID) {
			if run.Status.Active() {
				k.record.Wrong++
				t.Errorf("got the run %+v, want one that ended", run)
			}
			if run.Attempt > 1 {
				took++
			}
			if run.Status == jobs.StatusFailed {
				failed++
			}
		}
		table := j.Import.Table
		seen, events := map[int64]bool{}, 0
		for e, err := range jobstest.Events(k.api.EventLines(t.Context(), table)) {
			if err != nil {
				t.Fatal(err)
			}
			events++
			seen[gjson.GetBytes(e.Data, "id").Int()] = true
		}
		lost, doubled := k.rows[table]-len(seen), events-len(seen)
		k.record.Lost, k.record.Doubled = k.record.Lost+lost, k.record.Doubled+doubled
		if lost != 0 || doubled != 0 {
			t.Errorf("table %s: got %d events of %d rows, want %d of each", table, events, len(seen), k.rows[table])
		}
	}
	k.record.Note = fmt.Sprintf("%d runs were taken over, %d failed", took, failed)
}
