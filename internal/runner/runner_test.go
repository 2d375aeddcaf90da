package runner_test

import (
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

func TestANewScheduleRunsAtOnceOnTheRunner(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	apply := b.apply()
	auth := b.authorize(apply)
	r, _ := b.runner(runner.Config{})
	j := b.job(apply, auth.ID, "customers", atOnce)
	var run jobs.Run
	eventually(t, "a run that succeeded", 10*time.Second, func() bool {
		all := b.runs(r.API(), j.ID)
		if len(all) == 1 {
			run = all[0]
		}
		return run.Status == jobs.StatusSucceeded
	})
	if run.Reason != jobs.ReasonSchedule || run.PlannedAt == nil || run.Attempt != 1 || run.Runner == "" {
		t.Errorf("%+v", run)
	}
}
