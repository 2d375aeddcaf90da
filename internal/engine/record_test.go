package engine_test

import (
	"database/sql/driver"
	"strings"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// failingWrites is the number of writes that have yet to fail. The SQL function
// failing_writes counts it down for a trigger: a counter in the database would be
// rolled back with the failed write.
var failingWrites atomic.Int64

func init() {
	sqlite.MustRegisterScalarFunction("failing_writes", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) {
		return max(failingWrites.Add(-1)+1, 0), nil
	})
}

// checklist 41: the store is full for a moment when a run ends. The end is recorded
// as soon as the store can be written, with the run's last log lines.
func TestEndOfARunIsRecordedAgainAfterAFailedWrite(t *testing.T) {
	t.Parallel()
	runner, db := serve(t, t.TempDir(), succeed)
	job := createJob(t, runner, "customers")
	exec(t, db, `CREATE TRIGGER store_is_full BEFORE UPDATE OF finished_at ON runs WHEN NEW.finished_at IS NOT NULL AND failing_writes() > 0
		BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`)
	failingWrites.Store(2)
	run := start(t, runner, job, jobs.ReasonManual)
	if got := execute(t, runner, run.ID); got.Status != jobs.StatusSucceeded {
		t.Errorf("got %s, %s; want succeeded", got.Status, got.Failure)
	}
	if left := failingWrites.Load(); left >= 0 {
		t.Errorf("got %d failing writes left, want a successful write after two failed ones", left)
	}
	if got := stored(t, db, run.ID); got.Status != jobs.StatusSucceeded || got.FinishedAt == nil {
		t.Errorf("got %+v in the store, want the ended run", got)
	}
	log, err := runner.RunLog(t.Context(), run.ID)
	if err != nil || len(log) == 0 || !strings.Contains(log[len(log)-1].Message, "succeeded") {
		t.Errorf("got the log %v, %v; want it to end with the success", log, err)
	}
}
