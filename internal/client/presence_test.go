package client_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api/protocol"
)

// Checklist 69: if the answer to a create was lost and Terraform stopped meanwhile, the
// client does not report its end, because it cannot name what the runner made. In any
// other case it reports its end.
func TestTheEndIsNotReportedAfterALostAnswerToACreate(t *testing.T) {
	t.Parallel()
	for name, stopped := range map[string]bool{"Terraform goes on": false, "Terraform stopped": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ended atomic.Bool
			c, _ := at(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/jobs") {
					panic(http.ErrAbortHandler) // the runner may have made the job
				}
				if r.Method == http.MethodDelete {
					ended.Store(true)
				}
				w.Header().Set(protocol.VersionHeader, "1")
				w.WriteHeader(http.StatusNoContent)
			})
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			create, end := jobs.BeginCreate(ctx)
			if _, err := c.CreateJob(create, jobs.JobSpec{Label: "l"}); !jobs.IsCode(err, jobs.CodeUnreachable) {
				t.Fatalf("got %v, want a lost answer", err)
			}
			if stopped {
				stop()
			}
			end()
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			if ended.Load() == stopped {
				t.Errorf("the client reported its end: %t, want %t", ended.Load(), !stopped)
			}
		})
	}
}
