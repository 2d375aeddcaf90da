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

// token is the runner's in these tests.
const token = "correct-horse-battery-staple"

func TestMain(m *testing.M) {
	code := m.Run()
	browsertest.Stop()
	os.Exit(code)
}

// look is how a reader sees the page.
type look struct {
	Width  int64
	Scheme string
}

func (l look) String() string {
	if l.Width < 600 {
		return "narrow-" + l.Scheme
	}
	return "wide-" + l.Scheme
}

var (
	wide   = look{1280, "light"}
	narrow = look{360, "light"}
	looks  = []look{wide, {1280, "dark"}, narrow, {360, "dark"}}
)

// tab is a page open in a browser of its own profile, in Berlin.
type tab struct {
	*testing.T
	ctx context.Context
	url string

	mu       sync.Mutex
	problems []string
	// expected is a piece of text of the one problem that a test provokes.
	expected string
}

func handler(api page.API) http.Handler {
	return page.New(page.Options{API: api, Authenticate: func(s string) bool { return s == token }, Version: "1.2.3"})
}

// open opens the sign-in page. The test fails by whatever the console says.
func open(t *testing.T, api page.API, l look) *tab {
	t.Helper()
	return openAt(t, handler(api), l)
}

// overview opens the page of a business, signed in.
func overview(t *testing.T) (*business, *tab) {
	t.Helper()
	api := newBusiness(time.Now())
	b := open(t, api, wide)
	b.signIn(token)
	b.sees("h1", "Jobs")
	return api, b
}

// openAt is open for any handler, which it serves on loopback.
func openAt(t *testing.T, h http.Handler, l look) *tab {
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

// command makes an action of a command of the protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// listen keeps what the browser complains of.
func (b *tab) listen(console iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range console {
		if err != nil {
			return // the tab was closed
		}
		if m.Type == chromedp.ConsoleDebug {
			continue // what Chromium recommends to its developers
		}
		if m.Type == chromedp.ConsoleInfo && m.Source == "rendering" {
			continue // autofocus found a field that the test had already focused
		}
		text := fmt.Sprintf("%s (%s %s)", m, m.Source, m.URL)
		b.mu.Lock()
		if b.expected == "" || !strings.Contains(text, b.expected) {
			b.problems = append(b.problems, text)
		}
		b.mu.Unlock()
	}
}

// check fails the test for each thing that the browser complained of: script
// errors, refused requests, violations of the content security policy.
func (b *tab) check() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		b.Errorf("the browser complains: %s", p)
	}
}

// bounded gives a context that ends a little before the test binary's time-out,
// so that a test that waits in vain can still say for what.
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

// value evaluates JavaScript, and waits for a promise.
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

// until waits for a condition, written in JavaScript, to hold.
func (b *tab) until(condition string) {
	b.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if err := browsertest.Await(ctx, condition); err != nil {
		b.shot("failed-" + strings.ReplaceAll(b.Name(), "/", "-"))
		b.Fatalf("never came true: %s\nthe page says: %s", condition, b.text("body"))
	}
}

// sees waits for a text within what a selector finds.
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

// click clicks what a selector finds, once it can be seen and nothing covers it.
// It does so in one step of the page's own: a node that is looked up first may be
// replaced, by a page that renders itself again, before it is clicked.
func (b *tab) click(selector string) {
	b.Helper()
	b.until(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (!e) return false;
		e.scrollIntoView({block: 'center'});
		const r = e.getBoundingClientRect();
		const top = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
		if (!top || !e.contains(top)) return false;
		queueMicrotask(() => e.click());
		return true;
	})()`, selector))
}

// signIn gives a token to the sign-in page.
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

// visit opens an address of the page, signed in.
func (b *tab) visit(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.url + path))
	b.until(`document.readyState === 'complete'`)
}

// shot keeps a picture of the whole page.
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
