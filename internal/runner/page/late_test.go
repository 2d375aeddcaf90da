package page_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// A job whose last run succeeded longer ago than its expected_every is late, and not ok:
// in the list, in the count of its state, and on its page with the reason.
func TestJobWithoutASuccessInExpectedEveryIsLate(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	now := begin
	api := newProduct()
	job := tableImport("orders", "orders", nil)
	job.ExpectedEverySeconds = int64((36 * time.Hour).Seconds())
	id := api.add(job)
	api.addRun(id, begin.Add(-time.Hour), time.Minute, 10, nil)
	c := newClient(t, page.New(options(api, func() time.Time { return now })))
	c.signIn()
	seen := func(path string) string {
		t.Helper()
		res, body := c.get(path)
		c.is(res, http.StatusOK)
		return body
	}
	if body := seen("/"); !strings.Contains(body, `class="chip s-ok"`) || strings.Contains(body, `class="chip s-late"`) {
		t.Errorf("an hour after the success, the job is not ok: %s", body)
	}
	now = begin.Add(37 * time.Hour)
	c.signIn() // the session has ended
	if body := seen("/?state=late"); !strings.Contains(body, `class="chip s-late"`) || !strings.Contains(body, "orders") {
		t.Errorf("38 hours after the success, the job is not listed as late: %s", body)
	}
	body := seen(page.JobPath(id))
	for _, want := range []string{"The job is late.", "expected to succeed every 36\u00a0h", "Its last success was 37\u00a0h", "Expected every"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the job does not say %q: %s", want, body)
		}
	}
}
