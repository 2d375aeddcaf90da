//nolint:thelper // the functions passed to onEachDatabase are test bodies
package runner_test

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/torture"
)

// checklist 37 38: eight runners with clocks that are up to ten minutes wrong
// execute each of 400 occurrences (10,000 with LYTICS_TORTURE=1) exactly once.
func TestRunnersWithWrongClocksExecuteEachOccurrenceOnce(t *testing.T) {
	t.Parallel()
	onEachDatabase(t, func(t *testing.T, b *fixture) {
		runners, occurrences := 8, torture.Times(400, 2000, 10_000)
		record := torture.Begin(t, "Due occurrences claimed by runners with wrong clocks, "+path.Base(t.Name()), "occurrences")
		if b.url.Empty() {
			// With eight writers, a process may wait for the lock of the SQLite file
			// for longer than a lease. Several runners are meant for PostgreSQL.
			runners, occurrences = 2, min(occurrences, 2_000)
		}
		var mu sync.Mutex
		executed := map[string]int{}
		b.work = func(_ context.Context, job jobs.Job, _ engine.Progress) error {
			mu.Lock()
			defer mu.Unlock()
			executed[job.ID]++
			return nil
		}
		b.limit = occurrences
		b.seed(10, occurrences/10)
		b.extendLeases(5 * time.Minute)
		for i := range runners {
			skew := 20*time.Minute*time.Duration(i)/time.Duration(runners-1) - 10*time.Minute
			b.runner(runner.Config{}.WithWrongClock(skew))
		}
		begun := time.Now()
		due := begun.Add(-time.Second).UnixMicro()
		b.sql(`UPDATE jobs SET next_run_at = ? WHERE id LIKE 'job_auth%'`, due)
		eventually(t, "all runs succeed", func() bool {
			time.Sleep(250 * time.Millisecond)
			return b.count(`SELECT count(*) FROM jobs WHERE next_run_at = `+strconv.FormatInt(due, 10)) == 0 && b.count(`SELECT count(*) FROM runs WHERE status <> 'succeeded'`) == 0
		})
		t.Logf("%d occurrences by %d runners in %s", occurrences, runners, time.Since(begun))
		if n := b.count(`SELECT count(*) FROM runs`); n != occurrences {
			t.Errorf("got %d runs, want %d", n, occurrences)
		}
		if n := b.count(`SELECT count(*) FROM runs WHERE attempt <> 1`); n != 0 {
			t.Errorf("got %d runs with several attempts, want none", n)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(executed) != occurrences {
			t.Errorf("got %d executed jobs, want %d", len(executed), occurrences)
		}
		record.Tried, record.Lost = occurrences, occurrences-len(executed)
		record.Note = fmt.Sprintf("%d runners, clocks wrong by up to 10 minutes", runners)
		for id, n := range executed {
			if n != 1 {
				record.Doubled += n - 1
				t.Errorf("job %s: got %d executions, want 1", id, n)
			}
		}
	})
}

// extendLeases makes the leases of runs longer. A starved process renews its lease
// too late, and its run is then rightly executed again. The extension has to be
// shorter than the error of the wrong clocks, so that a runner that judges leases
// by its own clock still takes runs from the others.
func (b *fixture) extendLeases(by time.Duration) {
	b.t.Helper()
	micros := strconv.FormatInt(by.Microseconds(), 10)
	if b.url.Empty() {
		b.sql(`CREATE TRIGGER extend_leases AFTER UPDATE OF lease_until ON runs WHEN NEW.lease_until IS NOT NULL
			BEGIN UPDATE runs SET lease_until = NEW.lease_until + ` + micros + ` WHERE id = NEW.id; END`)
		return
	}
	b.sql(`CREATE FUNCTION extend_lease() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN NEW.lease_until := NEW.lease_until + ` + micros + `; RETURN NEW; END'`)
	b.sql(`CREATE TRIGGER extend_leases BEFORE UPDATE OF lease_until ON runs FOR EACH ROW EXECUTE FUNCTION extend_lease()`)
}
