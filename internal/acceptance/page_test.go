package acceptance

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/browsertest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	browsertest.Stop()
	os.Exit(code)
}

// pageOf is a runner's page in a browser.
type pageOf struct {
	*testing.T
	ctx context.Context
}

func (p *pageOf) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	ctx, cancel := beforeTimeout(p.ctx, p.T)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.Fatalf("%v\ngot the page: %s", err, p.text("body"))
	}
}

func (p *pageOf) text(selector string) string {
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](fmt.Sprintf(`(document.querySelector(%q)?.innerText ?? "").replaceAll('\u00a0', ' ')`, selector)))
	if err != nil {
		p.Error(err)
	}
	return text
}

// until waits until a JavaScript condition is true.
func (p *pageOf) until(condition string) {
	p.Helper()
	ctx, cancel := beforeTimeout(p.ctx, p.T)
	defer cancel()
	if err := browsertest.Await(ctx, condition); err != nil {
		p.Fatalf("the condition is still false: %s\ngot the page: %s", condition, p.text("body"))
	}
}

func (p *pageOf) sees(selector, text string) {
	p.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.innerText.replaceAll('\u00a0', ' ').includes(%q))`, selector, text))
}

// runnerLog is the file with the log of startRunnerWithTokenFile's runner.
func (w *workspace) runnerLog() string { return filepath.Join(w.dir, "runner.log") }

func readText(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// startRunnerWithTokenFile starts a runner that creates its token. It returns
// the runner's URL and the token.
func (w *workspace) startRunnerWithTokenFile() (url, token string) {
	w.t.Helper()
	binary, err := providerBinary()
	if err != nil {
		w.t.Fatal(err)
	}
	ready := filepath.Join(w.dir, "ready.json")
	p := &runnerProcess{exited: make(chan struct{}), cmd: exec.Command(binary, "runner", "--data-dir", w.dataDir, "--listen", "127.0.0.1:0", "--ready-file", ready)}
	p.cmd.Env = withoutLyticsVariables(os.Environ())
	for k, v := range w.env {
		if strings.HasPrefix(k, "LYTICS_") {
			p.cmd.Env = append(p.cmd.Env, k+"="+v)
		}
	}
	log, err := os.Create(w.runnerLog())
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	w.t.Cleanup(func() {
		p.stop(w.t)
		if w.t.Failed() {
			w.t.Logf("the runner's log:\n%s", readText(w.t, w.runnerLog()))
		}
	})
	for {
		text, err := os.ReadFile(ready)
		if err == nil {
			var r struct {
				URL       string `json:"url"`
				TokenFile string `json:"token_file"`
			}
			if err := json.Unmarshal(text, &r); err != nil {
				w.t.Fatal(err)
			}
			secret, err := os.ReadFile(r.TokenFile)
			if err != nil {
				w.t.Fatal(err)
			}
			return r.URL, strings.TrimSpace(string(secret))
		}
		select {
		case <-p.exited:
			w.t.Fatalf("the runner ended before it was ready: %s", readText(w.t, w.runnerLog()))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// On the page of a real runner, the button starts an import, the page shows the
// counts of the stream, and a failure is shown with its cause.
func TestPageOfARealRunner(t *testing.T) {
	t.Parallel()
	only(t, "the page is the same", embedded)
	tab := &pageOf{T: t, ctx: browsertest.Tab(t)}
	const rows = 40_000
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	later := `batch_size = 5000
  schedule = {
    frequency         = "monthly"
    start_immediately = false
  }`
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", later)+
		strings.NewReplacer(`"i" {`, `"wrong" {`, `"import"`, `"misspelt"`, `"s"`, `"w"`).Replace(importHCL(db, "persons", later+"\n  check_source = false"))+`
output "good" { value = lytics_databricks_table_import.i.id }
output "wrong" { value = lytics_databricks_table_import.wrong.id }
`)
	url, token := w.startRunnerWithTokenFile()
	w.apply() // finds the runner in the data directory
	good, wrong := w.output("good"), w.output("wrong")

	tab.do(chromedp.Navigate(url))
	tab.do(chromedp.SendKeys(chromedp.CSS("#token"), token+kb.Enter, chromedp.NodeVisible))
	tab.sees("h1", "Jobs")
	tab.sees("#row-"+good, "import")

	// The run does not end before the page has shown it.
	s.SetFault(t, secondPageHeld)
	tab.do(chromedp.Navigate(url + "/jobs/" + good))
	tab.do(chromedp.Click(chromedp.CSS("#run-"+good), chromedp.NodeVisible))
	tab.until(`document.querySelector('.now progress')?.value > 0`)
	tab.sees(".now", "of 40 k")
	first := tab.text(".now .done")
	s.ClearFaults(t)
	tab.until(fmt.Sprintf(`document.querySelector('.now .done')?.innerText.replaceAll('\u00a0', ' ') !== %q`, first)) // the page updates without a reload
	tab.sees(".head .chip", "ok")
	tab.sees(".runs tbody tr", "40 k")
	runs := w.runs()
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
	wantEach(t, w.events("s"), rows)
	tab.do(chromedp.Navigate(url + "/runs/" + runs[0].ID))
	tab.until(`[...document.querySelectorAll('.counters span[title]')].filter((e) => e.title.replace(/\D/g, '') === '40000').length >= 2`) // read and written

	tab.do(chromedp.Navigate(url + "/jobs/" + wrong))
	tab.do(chromedp.Click(chromedp.CSS("#run-"+wrong), chromedp.NodeVisible))
	tab.sees(".failure", "persons")
	tab.sees(".failure .next", "Next step")
	tab.sees(".failure code", "table")
	tab.do(chromedp.Navigate(url))
	tab.sees("#row-"+wrong, "persons")
}
