package page_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
)

// Checklist 83: the button under a still pointer is not another one by the time of the
// second click, although the job's state changes, the rows would be sorted anew, and a
// notice is shown. The page keeps up, although a click on no button focuses main.
func TestNothingMovesUnderAPointer(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.until(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector('#run-%s')`, api.ok))
	type point struct{ X, Y float64 }
	at := value[point](b, fmt.Sprintf(`(() => {
		const e = document.querySelector('#run-%s');
		e.scrollIntoView({block: 'center'});
		const r = e.getBoundingClientRect();
		return {X: r.left + r.width / 2, Y: r.top + r.height / 2};
	})()`, api.ok))
	order := func() string {
		return value[string](b, `[...document.querySelectorAll('tbody tr')].map((r) => r.id).join()`)
	}
	top := func() float64 {
		return value[float64](b, fmt.Sprintf(`document.querySelector('#row-%s').getBoundingClientRect().top`, api.ok))
	}
	before, high := order(), top()
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y))
	b.sees("#notice", "A run of customers was started")
	b.sees("#row-"+api.ok, "queued")
	if at := value[string](b, fmt.Sprintf(`document.elementFromPoint(%g, %g).closest('button')?.id ?? ''`, at.X, at.Y)); at != "" {
		t.Fatalf("the button %s is under the pointer, want none", at)
	}
	run := api.activeRun(api.ok)
	b.do(chromedp.MouseClickXY(at.X, at.Y))
	// The page polls on, and shows the progress of the run.
	api.changeRun(run, func(r *jobs.Run) { r.Status, r.Phase = jobs.StatusRunning, "importing rows" })
	b.sees("#row-"+api.ok, "importing rows")
	b.do(chromedp.MouseClickXY(at.X, at.Y))
	api.changeRun(run, func(r *jobs.Run) { r.Phase = "building profiles" })
	b.sees("#row-"+api.ok, "building profiles")
	if got := order(); got != before {
		t.Errorf("the rows are in the order %s, want %s while the pointer is there", got, before)
	}
	if got := top(); got < high-1 || got > high+1 {
		t.Errorf("the row under the pointer is at %g, want %g, where it was", got, high)
	}
	if got := api.activeRun(api.ok); got != run {
		t.Errorf("the active run is %q, want %s, which no click cancelled", got, run)
	}
	if n := api.called("StartRun"); n != 1 {
		t.Errorf("%d runs were started, want 1", n)
	}
	// Without a pointer on a row, the rows are sorted again.
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, 5, 5))
	b.until(fmt.Sprintf(`[...document.querySelectorAll('tbody tr')].map((r) => r.id).join() !== %q`, before))
}

// point moves the pointer to the middle of an element, without scrolling.
func (b *tab) point(selector string) {
	b.Helper()
	type point struct{ X, Y float64 }
	b.until(fmt.Sprintf(`document.readyState === 'complete' && document.querySelector(%q)`, selector))
	at := value[point](b, fmt.Sprintf(`(() => {
		const r = document.querySelector(%q).getBoundingClientRect();
		return {X: r.left + r.width / 2, Y: r.top + r.height / 2};
	})()`, selector))
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, at.X, at.Y))
}

// checklist 83: a row above the pointer becomes smaller, on a page that cannot scroll
// up. The button under the pointer stays where it is.
func TestARowThatShrinksMovesNothingUnderAPointer(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	button := "#run-" + api.late
	b.point(button)
	top := func(of string) float64 {
		return value[float64](b, fmt.Sprintf(`document.querySelector(%q).getBoundingClientRect().top`, of))
	}
	high, size := top(button), value[float64](b, fmt.Sprintf(`document.querySelector('#row-%s').offsetHeight`, api.failed))
	api.addRun(api.failed, time.Now(), time.Second, 10, nil)
	b.sees("#row-"+api.failed+" .chip", "ok")
	if now := value[float64](b, fmt.Sprintf(`document.querySelector('#row-%s').offsetHeight`, api.failed)); now >= size {
		t.Fatalf("the row above has %g pixels, want fewer than %g", now, size)
	}
	if got := top(button); got < high-1 || got > high+1 {
		t.Errorf("the button under the pointer is at %g, want %g, where it was", got, high)
	}
	// When the pointer has left, the list is in its own place again.
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, 5, 5))
	b.until(`document.querySelector('.list').style.top === ''`)
}

// checklist 83: new runs do not push the others down while somebody points at the list.
func TestNewRunsMoveNoRowUnderAPointer(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.visit("/runs")
	first := func() string { return value[string](b, `document.querySelector('tbody tr').id`) }
	b.point("tbody tr:nth-child(3) .c-status")
	before := first()
	id := api.addRun(api.ok, time.Now().Add(time.Minute), time.Second, 10, nil)
	b.until(fmt.Sprintf(`document.querySelector('#run-%s')`, id))
	if got := first(); got != before {
		t.Errorf("the first row is %s, want %s while the pointer is there", got, before)
	}
	b.do(chromedp.MouseEvent(chromedp.MouseMoved, 5, 5))
	b.until(fmt.Sprintf(`document.querySelector('tbody tr').id === 'run-%s'`, id))
}

// checklist 83: two clicks of a double click start one run.
func TestADoubleClickActsOnce(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.until(`document.readyState === 'complete'`)
	value[bool](b, fmt.Sprintf(`(() => { const e = document.querySelector('#run-%s'); e.click(); e.click(); return true; })()`, api.ok))
	b.sees("#notice", "A run of customers was started")
	if n := api.called("StartRun"); n != 1 {
		t.Errorf("%d runs were started, want 1", n)
	}
}

// checklist 83: cancelling cannot be undone, so the page asks. Enter keeps the run,
// Escape does too; only the second button cancels it. The rows do not move meanwhile.
func TestCancellingAsksByKeyboard(t *testing.T) {
	t.Parallel()
	api, b := overview(t)
	b.until(`document.readyState === 'complete'`)
	cancel := "cancel-" + api.running
	opens := func() {
		t.Helper()
		value[bool](b, fmt.Sprintf(`(document.getElementById(%q).focus({focusVisible: true}), true)`, cancel))
		b.do(chromedp.KeyEvent(kb.Enter))
		b.until(`document.querySelector('dialog[open]') && document.activeElement.id === 'confirm-no'`)
	}
	keeps := func(key string) {
		t.Helper()
		opens()
		b.do(chromedp.KeyEvent(key))
		b.until(fmt.Sprintf(`!document.querySelector('dialog[open]') && document.activeElement.id === %q`, cancel))
		if n := api.called("CancelRun"); n != 0 {
			t.Fatalf("key %q cancelled the run", key)
		}
	}
	keeps(kb.Escape)
	keeps(kb.Enter)
	opens()
	b.sees("dialog", "A cancelled run cannot be resumed")
	b.accessible()
	b.shot("confirm")
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	b.sees("#notice", "The run of orders is being cancelled")
	if api.activeRun(api.running) != "" {
		t.Error("the run is still active")
	}
	b.until(fmt.Sprintf(`document.activeElement.closest('[data-keep]')?.dataset.keep === %q`, api.running))
}

// checklist 83: without script, a page asks.
func TestCancellingAsksWithoutScript(t *testing.T) {
	t.Parallel()
	api := newExampleProduct(time.Now())
	c := newClient(t, handler(api))
	c.signIn()
	path := "/runs/" + api.runningRun + "/cancel"
	res, body := c.send(http.MethodPost, path, url.Values{"back": {"/runs"}}, nil)
	c.is(res, http.StatusOK)
	for _, want := range []string{"Cancel the run of orders?", `action="` + path + `"`, `name="confirmed" value="yes"`, `name="back" value="/runs"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if api.activeRun(api.running) == "" {
		t.Fatal("the run was cancelled before the answer")
	}
	res, _ = c.send(http.MethodPost, path, url.Values{"back": {"/runs"}, "confirmed": {"yes"}}, nil)
	c.is(res, http.StatusSeeOther)
	if res.Header.Get("Location") != "/runs" || api.activeRun(api.running) != "" {
		t.Errorf("got %q and the run %q, want the run cancelled and the list of runs", res.Header.Get("Location"), api.activeRun(api.running))
	}
	// A second cancel says that there is nothing left to cancel.
	c.send(http.MethodPost, path, url.Values{"back": {"/runs"}, "confirmed": {"yes"}}, nil)
	if _, body := c.get("/runs"); !strings.Contains(body, "had ended already: cancelled") {
		t.Error("the page does not say that the run had ended")
	}
}
