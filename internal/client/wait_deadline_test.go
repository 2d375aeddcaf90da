package client_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs/jobstest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// checklist 81: the wait for a run on a runner ends at the deadline of the apply, also
// where the runner goes on answering that the run is under way.
func TestTheWaitForARunOnARunnerEndsAtItsDeadline(t *testing.T) {
	t.Parallel()
	s := api.New(api.Config{API: endless{jobstest.New()}, Token: jobs.NewSecret(token), FollowEvery: time.Millisecond})
	c, _ := at(t, func(w http.ResponseWriter, req *http.Request) { s.Handler().ServeHTTP(w, req) })
	ctx, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	run, err := c.WaitRun(ctx, "run_1", func(jobs.Run) { stop(context.DeadlineExceeded) })
	e, ok := errors.AsType[*jobs.Error](err)
	if !ok || e.Code != jobs.CodeTimeout || e.Attribute != "timeouts" || run.Status != jobs.StatusRunning {
		t.Errorf("got %+v, %v, want a running run and code %s of timeouts", run, err, jobs.CodeTimeout)
	}
}

// endless is an API with one run that does not end.
type endless struct{ *jobstest.Fake }

func (endless) Run(context.Context, string) (jobs.Run, error) {
	return jobs.Run{ID: "run_1", Status: jobs.StatusRunning, Phase: "reading"}, nil
}
