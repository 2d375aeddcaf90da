//nolint:thelper // what is given to onEach are the bodies of tests
package runner_test

import (
	"context"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// checklist 37 38: eight runners whose clocks are up to ten minutes wrong, and
// many occurrences that are due at once: each is run, and once. LYTICS_TORTURE
// makes them 10,000.
func TestAFleetWithWrongClocksClaimsEachOccurrenceOnce(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, b *fixture) {
		runners, occurrences := 8, 400
		if os.Getenv("LYTICS_TORTURE") != "" {
			occurrences = 10_000
		}
		if b.url.Empty() {
			// A fleet is on PostgreSQL. What shares a file may be starved of it by
			// as many writers, for longer than a lease.
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
		for i := range runners {
			skew := 20*time.Minute*time.Duration(i)/time.Duration(runners-1) - 10*time.Minute
			b.runner(runner.Config{}.WithWrongClock(skew))
		}
		begun := time.Now()
		due := begun.Add(-time.Second).UnixMicro()
		b.sql(`UPDATE jobs SET next_run_at = ? WHERE id LIKE 'job_auth%'`, due)
		eventually(t, "all of them ended", func() bool {
			time.Sleep(250 * time.Millisecond)
			return b.count(`SELECT count(*) FROM jobs WHERE next_run_at = `+strconv.FormatInt(due, 10)) == 0 && b.count(`SELECT count(*) FROM runs WHERE status <> 'succeeded'`) == 0
		})
		t.Logf("%d occurrences by %d runners in %s", occurrences, runners, time.Since(begun))
		if n := b.count(`SELECT count(*) FROM runs`); n != occurrences {
			t.Errorf("%d runs", n)
		}
		if n := b.count(`SELECT count(*) FROM runs WHERE attempt <> 1`); n != 0 {
			t.Errorf("%d runs were tried again", n)
		}
		mu.Lock()
		defer mu.Unlock()
		if len(executed) != occurrences {
			t.Errorf("%d jobs were executed", len(executed))
		}
		for id, n := range executed {
			if n != 1 {
				t.Errorf("%s was executed %d times", id, n)
			}
		}
	})
}
