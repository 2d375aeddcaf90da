package page_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// addFailures adds failures that differ from those of the other jobs by their host.
func addFailures(api *exampleProduct) {
	for i, job := range []string{api.ok, api.running, api.ok} {
		api.addRun(job, time.Now().Add(-26*time.Hour-time.Duration(i)*time.Minute), time.Second, 0, func(r *jobs.Run) {
			r.Status, r.Reason = jobs.StatusFailed, jobs.ReasonManual
			r.Failure = jobs.Failure{Code: jobs.CodeUnauthorized, Summary: fmt.Sprintf("dbc-%d.example.com refused the access token", i), Detail: "It has expired."}
		})
	}
	api.env.Change(func() {
		slices.SortStableFunc(api.store.Runs, func(a, b jobs.Run) int { return a.CreatedAt.Compare(b.CreatedAt) })
	})
}

func listed(body string) int { return strings.Count(body, `<tr role="row" id="run-`) }

func TestRunsAreFilteredByTheAddress(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	addFailures(api)
	c := newClient(t, handler(api))
	c.signIn()
	for query, want := range map[string]int{
		"": 50, "?status=missed": 2, "?status=cancelled": 1, "?job=refunds": 46, "?job=" + api.failed + "&status=failed": 2, "?job=REFUND": 46,
		"?job=no-such-job": 0, "?trigger=manual": 3, "?error=has+EXPIRED": 3, "?problem=" + url.QueryEscape("… refused the access token"): 3,
		"?since=7d&trigger=manual": 3, "?since=24h&trigger=manual": 0, "?until=2020-01-01": 0, "?from=2020-01-01&trigger=manual": 3, "?from=2999-01-01": 0, "?trigger=nobody&status=missed": 2,
	} {
		res, body := c.get("/runs" + query)
		c.is(res, http.StatusOK)
		if got := listed(body); got != want {
			t.Errorf("%s: got %d runs, want %d", query, got, want)
		}
	}
	// A problem of no job is no group, whose button would start the jobs of all others.
	if _, body := c.get("/runs?job=no-such-job&problem=" + url.QueryEscape("… refused the access token")); strings.Contains(body, "again-group") {
		t.Error("a filter that selects no run offers to run jobs again")
	}
	// Equal failures are one group, whatever the host that they name.
	_, body := c.get("/runs?status=failed")
	for _, want := range []string{"… refused the access token", "3 runs of 2 jobs", "4 runs of 3 jobs"} {
		if !strings.Contains(body, want) {
			t.Errorf("the list of failures has no %q", want)
		}
	}
}

// Every run is on one page of the list, forwards and backwards, and the filter stays.
func TestAllRunsArePagedThrough(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	find := func(body, id string) string {
		_, rest, found := strings.Cut(body, `" data-live rel="`+map[string]string{"older": "next", "newer": "prev"}[id]+`" id="`+id+`"`)
		if !found || rest == "" {
			return ""
		}
		before := body[:len(body)-len(rest)]
		_, href, _ := strings.Cut(before[strings.LastIndex(before, "<a "):], `href="`)
		href, _, _ = strings.Cut(href, `"`)
		return strings.ReplaceAll(href, "&amp;", "&")
	}
	path, seen, pages := "/runs?status=succeeded", 0, []string{}
	_, body := c.get(path)
	for {
		seen += listed(body)
		pages = append(pages, body)
		next := find(body, "older")
		if next == "" {
			break
		}
		if !strings.Contains(next, "status=succeeded") {
			t.Fatalf("the next page, %s, has lost the filter", next)
		}
		_, body = c.get(next)
	}
	var want int
	api.env.Change(func() {
		for _, r := range api.store.Runs {
			if r.Status == jobs.StatusSucceeded {
				want++
			}
		}
	})
	if seen != want || len(pages) != (want+49)/50 {
		t.Errorf("got %d runs on %d pages, want %d", seen, len(pages), want)
	}
	if _, body = c.get(find(pages[1], "newer")); listed(body) != 50 || find(body, "newer") != "" {
		t.Error("the page before the second one is not the first one")
	}
}

func TestSeveralRunsAreActedOn(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	act := func(form url.Values) string {
		t.Helper()
		form.Set("back", "/runs")
		res, body := c.send(http.MethodPost, "/runs/act", form, nil)
		if res.StatusCode == http.StatusOK {
			return body
		}
		c.is(res, http.StatusSeeOther)
		_, body = c.get("/runs")
		return body
	}
	says := func(body, want string) {
		t.Helper()
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	says(act(url.Values{"do": {"again"}}), "No run is selected.")
	says(act(url.Values{"do": {"dance"}, "run": {api.failedRun}}), "no such action")
	both := url.Values{"do": {"cancel"}, "run": {api.runningRun, api.failedRun}}
	asked := act(both)
	says(asked, "Cancel the selected runs that are active?")
	says(asked, api.runningRun)
	if api.activeRun(api.running) == "" {
		t.Fatal("a run was cancelled before the answer")
	}
	both.Set("confirmed", "yes")
	says(act(both), "1 run cancelled, 1 run over already.")
	if api.activeRun(api.running) != "" {
		t.Error("the run is still active")
	}
	// Two runs of a job start one run of it.
	again := url.Values{"do": {"again"}, "run": {api.failedRun, api.lastRun(api.failed).ID, api.lastRun(api.ok).ID}, "job": {api.ok}}
	says(act(again), "2 jobs started.")
	if api.activeRun(api.failed) == "" || api.activeRun(api.ok) == "" || api.called("StartRun") != 2 {
		t.Errorf("%d runs were started, want one of each job", api.called("StartRun"))
	}
	says(act(again), "2 jobs running already.")
	gone := api.addRun("job_gone", time.Now(), time.Second, 1, nil)
	says(act(url.Values{"do": {"again"}, "run": {gone}}), "A job was destroyed since")
	reader := newClient(t, handler(api))
	reader.as("reader-token")
	res, _ := reader.send(http.MethodPost, "/runs/act", both, nil)
	reader.is(res, http.StatusForbidden)
}

// From the failures to one problem, to its runs, to an action on two of them: the
// address has the filter at each step, and a selection outlives newer states of the page.
func TestRunsAreExplored(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	addFailures(api)
	b.visit("/runs?status=failed")
	b.sees(".groups", "… refused the access token")
	b.accessible()
	b.click(".groups a")
	b.sees(".group h2", "failed: the warehouse refused the query")
	b.until(`new URLSearchParams(location.search).get('problem')?.includes('refused the query')`)
	b.visit(value[string](b, `location.pathname + location.search`)) // as somebody who got the address
	b.sees(".group", "4 runs of 3 jobs")
	b.click(".group a.act")
	b.until(`!location.search.includes('problem') && location.search.includes('status=failed')`)
	b.visit("/runs")
	b.until(`document.readyState === 'complete'`)
	value[bool](b, `(document.querySelector('#f-job').focus(), true)`)
	b.do(chromedp.KeyEvent("orders"))
	b.until(`location.search === '?job=orders'`)
	b.sees(".pages", "40 runs")
	active := "#run-" + api.runningRun
	b.click(active + " .pick")
	b.click("tbody tr:nth-child(2) .pick")
	b.sees("#picked", "2 runs selected.")
	api.changeRun(api.runningRun, func(r *jobs.Run) { r.RowsWritten = 1_999_999 })
	b.sees(active, "1.99 M")
	b.sees("#picked", "2 runs selected.")
	b.click("#act-cancel")
	b.sees("dialog h2", "Cancel the selected runs that are active?")
	b.click("#confirm-yes")
	b.sees("#notice", "1 run cancelled, 1 run over already.")
	b.sees("#picked", "Select runs")
	b.until(`document.querySelectorAll('.pick:checked').length === 0`)
}

// checklist 83: the chip of a run that was asked to stop says so, and there is no
// button to cancel it again.
func TestARunThatIsBeingCancelledSaysSo(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	api.changeRun(api.runningRun, func(r *jobs.Run) { r.Cancelling = true })
	c := newClient(t, handler(api))
	c.signIn()
	for _, path := range []string{"/", "/jobs/" + api.running, "/runs/" + api.runningRun, "/runs"} {
		_, body := c.get(path)
		if !strings.Contains(body, "cancelling</span>") {
			t.Errorf("%s does not say that the run is being cancelled", path)
		}
		if strings.Contains(body, `id="cancel-`) {
			t.Errorf("%s has a button to cancel the run again", path)
		}
	}
}

// The axis of a plot without any row has no other number than 0.
func TestThePlotOfZerosHasNoOtherNumber(t *testing.T) {
	t.Parallel()
	api := newProduct()
	id := api.add(tableImport("empty", "empty", nil))
	for i := range 3 {
		api.addRun(id, time.Now().Add(time.Duration(i-9)*time.Minute), 0, 0, nil)
	}
	c := newClient(t, handler(api))
	c.signIn()
	_, body := c.get("/jobs/" + id)
	if n := strings.Count(body, `<div class="axis" aria-hidden="true"><span></span><span>0</span></div>`); n != 2 {
		t.Errorf("%d of the two plots have an axis with 0 alone", n)
	}
}

// What has a name is shown by it, and by whom a run was started.
func TestNamesStandInPlaceOfIDs(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	api.env.Change(func() {
		api.store.Authorizations["auth_7f3a"] = jobs.Authorization{ID: "auth_7f3a", AuthorizationSpec: jobs.AuthorizationSpec{Label: "Sales warehouse"}}
		api.store.Audiences["aud_1"] = jobs.Audience{ID: "aud_1", Slug: "win_back", Name: "Win-back customers"}
	})
	c := newClient(t, handler(api))
	c.signIn()
	_, body := c.get("/jobs/" + api.late)
	for _, want := range []string{">Sales warehouse</a>", "audience Win-back customers", "Started by</th>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page of the job has no %s", want)
		}
	}
	for reason, want := range map[jobs.Reason]string{
		jobs.ReasonApply: "terraform apply", jobs.ReasonSchedule: "schedule", jobs.ReasonManual: "a person", jobs.ReasonAfter: "other jobs",
	} {
		api.changeRun(api.failedRun, func(r *jobs.Run) { r.Reason = reason })
		if _, body := c.get("/runs/" + api.failedRun); !strings.Contains(body, "<dt>Started by</dt><dd>"+want) {
			t.Errorf("the page of a run does not say that it was started by %s", want)
		}
	}
}
