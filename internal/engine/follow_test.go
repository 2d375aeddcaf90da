package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/store"
)

// The end of a run is told when it is recorded: until then it may still become a failure.
func TestAnEndThatIsNotRecordedIsNotTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := newExecution(nil, nil, store.JobRow{}, jobs.Run{ID: "r", Status: jobs.StatusRunning, Phase: "reading rows"}, nil)
		var told []jobs.Status
		followed := make(chan error)
		go func() {
			followed <- x.follow(t.Context(), func(r jobs.Run) { told = append(told, r.Status) })
		}()
		time.Sleep(2 * pollOwn)
		x.mu.Lock()
		x.run.Status, x.run.Phase = jobs.StatusSucceeded, ""
		x.mu.Unlock()
		time.Sleep(2 * pollOwn)
		close(x.done)
		if err := <-followed; err != nil || len(told) != 1 || told[0] != jobs.StatusRunning {
			t.Errorf("got %v and %v told, want a running run only", err, told)
		}
	})
}
