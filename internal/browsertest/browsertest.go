// Package browsertest opens tabs of a headless Chromium for tests.
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

// Require is the environment variable that, set to 1, makes a missing browser a
// failure.
const Require = "LYTICS_TEST_REQUIRE_BROWSER"

// The browser that all tests of a test binary share.
var (
	starting sync.Once
	chromium context.Context
	startErr error
	stop     = func() {}
)

// Stop ends the browser. TestMain calls it.
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

// Tab opens a tab with a separate profile. Without a browser the test is
// skipped, or fails if Require is set.
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
	if err := chromedp.Do(ctx); err != nil { // binds the tab to ctx, and not to the shorter context of an action
		t.Fatal(err)
	}
	return ctx
}

// Await waits until a JavaScript condition is true in a tab. It returns an
// error only if ctx ends.
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
