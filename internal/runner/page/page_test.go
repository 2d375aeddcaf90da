package page_test

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

//go:embed testdata/axe-4.14.1.min.js
var axe string

// accessible fails the test for each violation that axe-core finds on the page.
func (b *tab) accessible() {
	b.Helper()
	b.do(chromedp.Evaluate[chromedp.Void](axe))
	found := value[[]string](b, `axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) =>
		v.impact + ' ' + v.id + ': ' + v.help + ' -- ' + v.nodes.map((n) => n.html).slice(0, 3).join(' ')))`)
	for _, f := range found {
		b.Errorf("axe-core: %s", f)
	}
}

// fits fails the test if the page scrolls horizontally.
func (b *tab) fits() {
	b.Helper()
	over := value[[]string](b, `document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth ? [] :
		[...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120))`)
	for _, o := range over {
		b.Errorf("wider than the window: %s", o)
	}
}

// TestEveryPage opens every page in both colour schemes and at three widths, with
// reduced motion. The screenshots of docs/images are among those that it makes.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	for _, l := range viewports {
		t.Run(l.String(), func(t *testing.T) {
			t.Parallel()
			api := newExampleProduct(time.Now())
			addNeighbours(api)
			addFailures(api)
			b := open(t, api, l)
			viewport := func(name string) {
				t.Helper()
				b.fits()
				b.accessible()
				b.shot(name + "-" + l.String())
			}
			viewport("sign-in")
			b.signIn(token)
			b.sees("h1", "Jobs")
			api.changeRun(api.runningRun, func(r *jobs.Run) { r.Done += 60_000 })
			b.sees("#row-"+api.running, "left")
			viewport("jobs")
			for name, path := range map[string]string{
				"job-failed": page.JobPath(api.failed), "job-running": page.JobPath(api.running), "job-ok": page.JobPath(api.ok),
				"job-paused": page.JobPath(api.paused), "job-late": page.JobPath(api.late),
				"run-failed": page.RunPath(api.failedRun), "run-running": page.RunPath(api.runningRun),
				"flow": "/flow", "authorization": "/authorizations/auth_7f3a", "stream": "/streams/refunds", "audience": "/audiences/win_back",
				"audit": "/audit", "runs": "/runs", "runs-failed": "/runs?status=failed", "nothing-found": "/?q=nonsense",
			} {
				api.changeRun(api.runningRun, func(r *jobs.Run) { r.Done += 10_000 })
				b.visit(path)
				viewport(name)
			}
			b.visit("/profiles")
			value[bool](b, `(document.querySelector('#value').focus(), true)`)
			b.do(chromedp.KeyEvent("ann@example.com"), chromedp.KeyEvent(kb.Enter))
			b.sees("dd", "214.5")
			viewport("profile")
		})
		t.Run("empty-"+l.String(), func(t *testing.T) {
			t.Parallel()
			b := open(t, newProduct(), l)
			b.signIn(token)
			b.sees("pre", `resource "lytics_databricks_table_import" "orders"`)
			b.fits()
			b.accessible()
			b.shot("empty-" + l.String())
		})
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	b := open(t, newExampleProduct(time.Now()), wide)
	b.expected = "403 (Forbidden)"
	b.visit("/jobs/job_0001")
	b.signIn("not the token")
	b.sees("[role=alert]", "not the runner's token")
	b.shot("sign-in-refused")
	b.signIn(token)
	b.sees("h1", "refunds") // the page that was requested before the sign-in

	if cookies := value[string](b, `document.cookie`); cookies != "" {
		t.Errorf("script can read the session: %s", cookies)
	}
	b.click(".out button")
	b.until(`location.pathname === '/sign-in'`)
	b.visit("/")
	b.until(`location.pathname === '/sign-in'`)
}

// A page that is not reloaded follows a run from the button to its end.
func TestRunNowAndLiveProgress(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	value[string](b, `window.never = 'reloaded'`)
	row := "#row-" + api.ok
	b.click("#run-" + api.ok)
	b.sees("#notice", "A run of customers was started")
	b.sees(row, "queued")

	run := api.activeRun(api.ok)
	began := time.Now().Add(-10 * time.Second)
	api.changeRun(run, func(r *jobs.Run) {
		r.Status, r.StartedAt, r.Phase, r.Progress = jobs.StatusRunning, &began, "importing rows", jobs.Progress{Done: 25_000, Total: 100_000}
	})
	b.sees(row, "importing rows")
	b.sees(row, "25 k of 100 k")
	b.sees(row, "/s")
	b.sees(row, "left")
	b.until(fmt.Sprintf(`document.querySelector('%s progress').value === 25`, row))

	b.click(row + " a.label")
	b.sees("h1", "customers")
	value[string](b, `window.never = 'reloaded'`)
	api.changeRun(run, func(r *jobs.Run) { r.Done, r.RowsWritten = 80_000, 80_000 })
	b.sees(".now", "80 k of 100 k")
	api.log(run, time.Now(), "info", "committed 80,000 events")
	b.sees(".log", "committed 80,000 events")
	b.shot("live-progress")

	api.changeRun(run, func(r *jobs.Run) {
		end := time.Now()
		r.Status, r.FinishedAt, r.RowsWritten, r.Phase = jobs.StatusSucceeded, &end, 100_000, ""
	})
	b.gone(".now")
	b.sees(".head .chip", "ok")
	b.sees("#run-"+run, "100 k")
	b.until(`window.never === 'reloaded'`) // the page was not reloaded
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.visit(page.JobPath(api.ok))
	b.click("#pause-" + api.ok)
	b.sees("#notice", "customers is paused")
	b.sees(".head .chip", "paused")
	b.click("#resume-" + api.ok)
	b.sees("#notice", "customers was resumed")
	b.sees(".head .chip", "ok")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.click("#cancel-" + api.running)
	b.sees("dialog h2", "Cancel the run of orders?")
	b.click("#confirm-yes")
	b.sees("#notice", "The run of orders is being cancelled")
	b.sees("#row-"+api.running, "cancelled")
	b.visit(page.RunPath(api.runningRun))
	b.sees(".said", "Run the job again: it continues where this run stopped.")
}

func TestAFailureShowsItsCauseAndNextStep(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	b := open(t, api, wide)
	b.signIn(token)
	b.sees("tbody tr:first-child", "refunds") // failed jobs come first
	b.sees("tbody tr:first-child", "The import of main.sales.refunds failed: the warehouse refused the query")
	b.until(`document.title.startsWith('1 job failed')`)
	for _, path := range []string{page.JobPath(api.failed), page.RunPath(api.failedRun)} {
		b.visit(path)
		b.sees(".failure h2", "the warehouse refused the query")
		b.sees(".failure .why", "does not have SELECT on table main.sales.refunds")
		b.sees(".failure .next", "Grant it: GRANT SELECT ON TABLE main.sales.refunds")
		b.sees(".l-error", "refused the query")
	}
	// A run that fails while its page is open.
	b.visit(page.JobPath(api.running))
	api.changeRun(api.runningRun, func(r *jobs.Run) {
		end := time.Now()
		r.Status, r.FinishedAt = jobs.StatusFailed, &end
		r.Failure = jobs.Failure{
			Code: jobs.CodeUnreachable, Summary: "The warehouse does not answer", Detail: "It closed the connection three times.",
			Next: "Look at its state in Databricks",
		}
	})
	b.sees(".failure .next", "Look at its state in Databricks")
	b.until(`document.querySelector('link[rel=icon]').href.includes('icon-failed')`)
}

func TestHistoryCharts(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.visit(page.JobPath(api.failed))
	number := func(selector string) int {
		return value[int](b, fmt.Sprintf(`document.querySelectorAll('.history .plot:first-child %s').length`, selector))
	}
	bars, failures, marks := number(".bar"), number(".bar.t-failed"), number(".mark")
	if bars != 46 || failures != 2 || marks != 5 {
		t.Errorf("%d bars, %d failed, %d marked; want 46, 2, 5", bars, failures, marks)
	}
	b.sees("figcaption", "46 runs: 41 succeeded, 2 failed, 1 cancelled, 2 missed")
	b.sees("time", "CET")
	b.sees("#zone", "Europe/Berlin")
}

// Signing in and starting a run need only Tab and Enter.
func TestKeyboardOnly(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	b := open(t, api, wide)
	b.until(`document.activeElement?.id === 'token'`)
	b.do(chromedp.KeyEvent(token), chromedp.KeyEvent(kb.Enter))
	b.sees("h1", "Jobs")
	want, at := "run-"+api.ok, ""
	for range 200 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if at = value[string](b, `document.activeElement.id`); at == want {
			break
		}
	}
	if at != want {
		t.Fatalf("Tab never reached %s", want)
	}
	if value[string](b, `getComputedStyle(document.activeElement).outlineStyle`) == "none" {
		t.Error("the focus cannot be seen")
	}
	b.shot("keyboard")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.sees("#notice", "A run of customers was started")
	if api.activeRun(api.ok) == "" {
		t.Error("no run was started")
	}
	// The page replaced the button; the focus is on the new one.
	b.until(`document.activeElement.id === 'cancel-` + api.ok + `'`)
}

func TestARefusedActionSaysWhy(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	api.fail("StartRun", &jobs.Error{
		Code: jobs.CodeStore, Summary: "The store is full", Detail: "There is no space left on the device.", Next: "Free some space and run the job again",
	})
	b := open(t, api, narrow)
	b.signIn(token)
	b.sees("h1", "Jobs")
	b.click("#run-" + api.ok)
	b.sees("#alert", "The store is full")
	b.sees("#alert .next", "Free some space")
	b.accessible()
	b.shot("refused-narrow")
}

func TestSearchOfTenThousandJobs(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	for i := range 10_000 {
		api.add(tableImport(fmt.Sprintf("table %05d", i), fmt.Sprintf("t%05d", i), &jobs.Schedule{Frequency: jobs.Hourly}))
	}
	b := open(t, api, wide)
	b.signIn(token)
	b.sees(".pages", "1 to 50 of 10 k jobs")
	b.click("#next")
	b.sees(".pages", "51 to 100")
	b.until(`location.search.includes('page=2')`)
	b.do(chromedp.KeyEvent("/"))
	b.until(`document.activeElement.id === 'q'`)
	b.do(chromedp.KeyEvent("sales.t0777"))
	b.sees(".pages", "10 jobs")
	b.sees("tbody", "table 07777")
	b.until(`document.activeElement.id === 'q' && document.activeElement.value === 'sales.t0777'`)
	if strings.Contains(b.text("tbody"), "refunds") {
		t.Error("the list has jobs that do not match the search")
	}
	b.shot("search")
}

// A fleet of 500 jobs and 20,000 runs: the list, the flow and the runs are shown, fit,
// and are without findings of axe.
func TestAFleetOfJobsAndRuns(t *testing.T) {
	t.Parallel()
	api, now := newProduct(), time.Now()
	for i := range 500 {
		id := api.add(tableImport(fmt.Sprintf("table %03d", i), fmt.Sprintf("t%03d", i), &jobs.Schedule{Frequency: jobs.Hourly}))
		for k := range 40 {
			api.addRun(id, now.Add(-time.Duration(k)*time.Hour-time.Duration(i)*time.Second), time.Second, int64(k), func(r *jobs.Run) {
				if k == 7 {
					r.Status, r.Failure = jobs.StatusFailed, jobs.Failure{Summary: fmt.Sprintf("dbc-%d.example.com refused the access token", i)}
				}
			})
		}
	}
	b := open(t, api, wide)
	b.signIn(token)
	b.sees(".pages", "1 to 50 of 500 jobs")
	b.fits()
	b.visit("/runs")
	b.sees(".pages", "20 k runs")
	b.fits()
	b.click("#older")
	b.until(`location.search.includes('before=')`)
	b.visit("/runs?status=failed")
	b.sees(".pages", "500 runs")
	b.accessible()
	b.visit("/flow")
	b.until(`document.querySelectorAll('.edge').length === 500`)
	b.fits()
}

// An open page says when the runner does not answer, and continues when it
// answers again. When the session has expired, it asks for the token and
// returns to the same page.
func TestLostRunnerAndExpiredSession(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	var away atomic.Bool
	var later atomic.Int64
	h := page.New(options(api, func() time.Time { return time.Now().Add(time.Duration(later.Load())) }))
	b := openAt(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			panic(http.ErrAbortHandler) // the connection ends without an answer
		}
		h.ServeHTTP(w, r)
	}), wide)
	b.expected = "net::ERR_"
	b.signIn(token)
	b.sees("h1", "Jobs")
	b.visit(page.JobPath(api.running))
	away.Store(true)
	b.sees("#lost", "The runner does not answer")
	b.shot("lost")
	away.Store(false)
	b.until(`document.getElementById('lost').textContent === ''`)

	later.Store(int64(13 * time.Hour))
	b.until(`location.pathname === '/sign-in'`)
	b.signIn(token)
	b.sees("h1", "orders")
}
