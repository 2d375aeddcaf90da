// Package browsertest gives tests a tab of a real, headless Chromium.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// Require is the variable that is 1 where nothing may be left out quietly.
const Require = "LYTICS_TEST_REQUIRE_BROWSER"

// The one browser of a test binary.
var (
	starting sync.Once
	chromium context.Context
	startErr error
	stop     = func() {}
)

// Stop ends the browser, for TestMain.
func Stop() { stop() }

func start() {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		startErr = errors.New("no chromium, chromium-browser or google-chrome on PATH")
		return
	}
	options := append(
		chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("disable-gpu", true),
		chromedp.Flag("hide-scrollbars", false),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses root otherwise
	}
	allocator, end := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	stop = func() { cancel(); end() }
	if err := chromedp.Do(ctx); err != nil {
		startErr = fmt.Errorf("%s does not start: %w", path, err)
		return
	}
	chromium = ctx
}

// Tab opens a tab with a profile of its own. Without a browser the test is left
// out, or fails where that is refused.
func Tab(t *testing.T) context.Context {
	t.Helper()
	starting.Do(start)
	if startErr != nil {
		if os.Getenv(Require) == "1" {
			t.Fatalf("%s=1: %v", Require, startErr)
		}
		t.Skipf("LEFT OUT: the runner's page in a real browser: %v", startErr)
	}
	ctx, cancel := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // binds the tab to this context, and not to one that ends sooner
		t.Fatal(err)
	}
	return ctx
}

// Await waits for a condition, written in JavaScript, to hold in a tab. It fails
// only when ctx ends.
func Await(ctx context.Context, condition string) error {
	expression := `new Promise((done) => { const look = () => (` + condition + `) ? done(true) : requestAnimationFrame(look); look(); })`
	for {
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression, chromedp.EvalAwaitPromise)); err == nil {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		// The page was left for another one while it was looked at.
	}
}
