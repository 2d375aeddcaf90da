package page_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/browsertest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/page"
)

// token is the runner's token in the tests.
const token = "correct-horse-battery-staple"

func TestMain(m *testing.M) {
	code := m.Run()
	browsertest.Stop()
	os.Exit(code)
}

// viewport is the window width and the colour scheme of a browser.
type viewport struct {
	Width  int64
	Scheme string
}

func (l viewport) String() string {
	switch {
	case l.Width < 600:
		return "narrow-" + l.Scheme
	case l.Width < 1000:
		return "tablet-" + l.Scheme
	}
	return "wide-" + l.Scheme
}

var (
	wide      = viewport{1440, "light"}
	narrow    = viewport{360, "light"}
	viewports = []viewport{wide, {1440, "dark"}, {768, "light"}, {768, "dark"}, narrow, {360, "dark"}}
)

// tab is a tab of a browser with a separate profile, in the time zone of
// Berlin.
type tab struct {
	*testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	problems []string
	// expected is a part of the text of the problem that the test causes on
	// purpose.
	expected string
}

func handler(api page.API) http.Handler {
	return page.New(options(api, nil))
}

// open opens the sign-in page. A message on the browser's console fails the
// test.
func open(t *testing.T, api page.API, l viewport) *tab {
	t.Helper()
	return openAt(t, handler(api), l)
}

// overview opens the list of jobs of an exampleProduct, signed in.
func overview(t *testing.T) (*exampleProduct, *tab) {
	t.Helper()
	api := newExampleProduct(time.Now())
	b := open(t, api, wide)
	b.signIn(token)
	b.sees("h1", "Jobs")
	b.until(`document.readyState === 'complete'`)
	return api, b
}

// openAt is open for any handler. It serves the handler on loopback.
func openAt(t *testing.T, h http.Handler, l viewport) *tab {
	t.Helper()
	ctx := browsertest.Tab(t)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	b := &tab{T: t, ctx: ctx, url: server.URL}
	go b.listen(chromedp.Console(ctx))
	b.do(chromedp.EmulateViewport(l.Width, 800, func(p *emulation.SetDeviceMetricsOverrideParams, _ *emulation.SetTouchEmulationEnabledParams) {
		p.Mobile = l.Width < 600
	}), command(emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Europe/Berlin"}),
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: l.Scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}), chromedp.Navigate(b.url))
	t.Cleanup(b.check)
	return b
}

// command turns a command of the DevTools protocol into an action.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// listen collects the problems that the browser reports.
func (b *tab) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range console {
		if err != nil {
			return // the tab was closed
		}
		if m.Type == chromedp.ConsoleDebug {
			continue // a recommendation of Chromium, not a problem
		}
		if m.Type == chromedp.ConsoleInfo && m.Source == "rendering" {
			continue // autofocus did nothing: the test had already focused the field
		}
		text := fmt.Sprintf("%s (%s %s)", m, m.Source, m.URL)
		b.mu.Lock()
		if b.expected == "" || !strings.Contains(text, b.expected) {
			b.problems = append(b.problems, text)
		}
		b.mu.Unlock()
	}
}

// check fails the test for each problem that the browser reported: script
// errors, refused requests, violations of the content security policy.
func (b *tab) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.Errorf("the browser reported: %s", p)
	}
}

// bounded returns a context that ends shortly before the test binary's
// time-out, so that a test that waits in vain can still report its condition.
func (b *tab) bounded() (context.Context, context.CancelFunc) {
	if end, ok := b.Deadline(); ok {
		return context.WithDeadline(b.ctx, end.Add(-15*time.Second))
	}
	return context.WithCancel(b.ctx)
}

func (b *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.shot("failed-" + strings.ReplaceAll(b.Name(), "/", "-"))
		b.Fatal(err)
	}
}

// value evaluates JavaScript. If the result is a promise, it waits for its
// value.
func value[T any](b *tab, expression string) T {
	b.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%v: %.200s", err, expression)
	}
	return v
}

// until waits until a JavaScript condition is true.
func (b *tab) until(condition string) {
	b.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if err := browsertest.Await(ctx, condition); err != nil {
		b.shot("failed-" + strings.ReplaceAll(b.Name(), "/", "-"))
		b.Fatalf("the condition is still false: %s\ngot the page: %s", condition, b.text("body"))
	}
}

// sees waits until an element of the selector contains a text.
func (b *tab) sees(selector, text string) {
	b.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.innerText.replaceAll('\u00a0', ' ').includes(%q))`, selector, text))
}

func (b *tab) gone(selector string) {
	b.Helper()
	b.until(fmt.Sprintf(`!document.querySelector(%q)`, selector))
}

func (b *tab) text(selector string) string {
	b.Helper()
	return strings.ReplaceAll(value[string](b, fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector)), "\u00a0", " ")
}

// click clicks the element of a selector as soon as it is visible and not
// covered. It does so in one script, because the page may replace an element
// between the look-up and the click. Before the page is complete, its own script does not
// listen yet, and a button would work as without script.
func (b *tab) click(selector string) {
	b.Helper()
	b.until(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e || document.readyState !== 'complete') return false;
		e.scrollIntoView({block: 'center'});
		const r = e.getBoundingClientRect();
		const top = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		if (!top || !e.contains(top)) return false;
		queueMicrotask(() => e.click());
		return true;
	})()`, selector))
}

// signIn submits a token on the sign-in page.
func (b *tab) signIn(with string) {
	b.Helper()
	b.until(`(() => {
		const e = document.getElementById('token');
		if (!e || document.readyState !== 'complete') return false;
		e.value = '';
		e.focus();
		return document.activeElement === e;
	})()`)
	b.do(chromedp.KeyEvent(with), chromedp.KeyEvent(kb.Enter))
}

// visit signs in and opens an address of the page.
func (b *tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.url + path))
	b.until(`document.readyState === 'complete'`)
}

// shot saves a screenshot of the whole page.
func (b *tab) shot(name string) {
	b.Helper()
	dir := os.Getenv("LYTICS_SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "build", "screenshots")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := b.bounded()
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.Errorf("no screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}
