package page_test

import (
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// A job that Lytics executes shows the word and the log of Lytics, whether or not this
// store knows of a run.
func TestAJobInLyticsShowsItsState(t *testing.T) {
	t.Parallel()
	api := newProduct()
	inLytics := func(label string, s jobs.LyticsState) string {
		j := tableImport(label, label, &jobs.Schedule{Frequency: jobs.Daily})
		j.ManagedBy, j.Lytics = jobs.ManagedByLytics, &s
		wake := time.Now().Add(time.Hour)
		j.NextRunAt = &wake
		return api.add(j)
	}
	sleeping := inLytics("customers", jobs.LyticsState{ID: "abc123", Status: "sleeping"})
	inLytics("orders", jobs.LyticsState{ID: "def", Status: "fault-3"})
	lost := inLytics("returns", jobs.LyticsState{Problem: "Lytics cannot be reached"})
	api.env.Change(func() {
		api.store.Logs[sleeping] = []jobs.LogLine{{At: time.Now(), Level: "info", Message: "5,000 rows, says Lytics"}}
	})
	c := newClient(t, handler(api))
	c.signIn()
	_, body := c.get("/")
	for _, want := range []string{"sleeping", "fault-3", "not known", "in Lytics"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list of jobs has no %q", want)
		}
	}
	_, body = c.get(page.JobPath(sleeping))
	for _, want := range []string{"Executed by", "abc123", "Log in Lytics", "5,000 rows, says Lytics", "Pause"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the job has no %q", want)
		}
	}
	if _, body = c.get(page.JobPath(lost)); !strings.Contains(body, "Lytics cannot be reached") {
		t.Error("the page of a job whose state is not known does not say why")
	}
}
