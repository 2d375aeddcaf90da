package page_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// checklist 66: a job's page lists its rejected rows with key, time and reason, and
// never the row.
func TestAJobListsItsRejectedRows(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	var id string
	api.env.Change(func() {
		for _, j := range api.store.Jobs {
			if j.Import != nil && (id == "" || j.ID < id) {
				id = j.ID
			}
		}
		entry := jobs.QuarantineEntry{
			ID: 1, JobID: id, RunID: "run_x", EventID: "e1", EventTime: time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), Events: 1, Rows: 1,
			Key: `{"id":42}`, Reason: "The event has 20000 bytes", Data: []byte(`"canary"`), Sendable: true,
		}
		some := entry
		some.ID, some.LastEventID, some.Events, some.Rows, some.Reason = 2, "e500", 500, 3, "Lytics rejected 3 of these"
		api.store.Quarantine = []jobs.QuarantineEntry{entry, some}
	})
	c := newClient(t, handler(api))
	c.signIn()
	res, body := c.get("/jobs/" + id)
	c.is(res, http.StatusOK)
	for _, want := range []string{"4 rows were rejected", "{&#34;id&#34;:42}", "The event has 20000 bytes", "3 of 500 rows", "6 May 2024, 07:08:09 UTC", "/runs/run_x"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(body, "canary") {
		t.Error("the page has the row")
	}
}
