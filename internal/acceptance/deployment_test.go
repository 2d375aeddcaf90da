package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/pgtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
)

// deploymentEnv selects where runs execute: embedded (the default) in the
// provider, runner in one runner on SQLite, fleet in two runners on PostgreSQL.
// The Terraform configurations are the same.
const deploymentEnv = "LYTICS_TEST_DEPLOYMENT"

// The deployments.
const (
	embedded  = "embedded"
	oneRunner = "runner"
	fleet     = "fleet"
)

func deployment() string {
	if d := os.Getenv(deploymentEnv); d != "" {
		return d
	}
	return embedded
}

// only skips a test in deployments that it does not apply to. counterpart says
// what covers it there.
func only(t *testing.T, counterpart string, of ...string) {
	t.Helper()
	for _, d := range of {
		if deployment() == d {
			return
		}
	}
	t.Skipf("applies to %s only; in this deployment, %s", strings.Join(of, " and "), counterpart)
}

// runnerToken is the token of the runners under test.
const runnerToken = "canary-runner-token-5b8e21" // #nosec G101 -- a test's

// deployed has the runners of one store.
type deployed struct {
	// url is the URL of the first runner. database is empty for a store in the
	// data directory.
	url      string
	database string
	runners  []*runnerProcess
}

type runnerProcess struct {
	cmd    *exec.Cmd
	exited chan struct{}
	log    string
}

var (
	deploying sync.Mutex
	// stores has the runners of each store, by data directory.
	stores = map[string]*deployed{}
)

// deploy starts the runners of a workspace's store, unless they are running or
// the deployment is embedded. The runners get the provider's settings.
func (w *workspace) deploy() *deployed {
	w.t.Helper()
	if deployment() == embedded {
		return nil
	}
	deploying.Lock()
	defer deploying.Unlock()
	d := stores[w.dataDir]
	if d == nil {
		d = &deployed{}
		if deployment() == fleet {
			d.database = pgtest.URL(w.t)
		}
		stores[w.dataDir] = d
		w.t.Cleanup(func() {
			w.stopRunners()
			deploying.Lock()
			defer deploying.Unlock()
			delete(stores, w.dataDir)
		})
	}
	if len(d.runners) > 0 {
		return d
	}
	dirs := []string{w.dataDir}
	if deployment() == fleet {
		dirs = append(dirs, w.dataDir+".second")
	}
	for i, dir := range dirs {
		listen := "127.0.0.1:0"
		if i == 0 && d.url != "" {
			listen = strings.TrimPrefix(d.url, "http://")
		}
		p, url := w.startRunner(dir, listen, d.database)
		d.runners = append(d.runners, p)
		if i == 0 {
			d.url = url
		}
	}
	return d
}

func (w *workspace) startRunner(dataDir, listen, database string) (*runnerProcess, string) {
	w.t.Helper()
	binary, err := providerBinary()
	if err != nil {
		w.t.Fatal(err)
	}
	ready := filepath.Join(w.t.TempDir(), "ready.json")
	args := []string{"runner", "--data-dir", dataDir, "--listen", listen, "--ready-file", ready, "--log-level", "debug"}
	if w.runnerConfig != "" {
		w.file("runner.yml", w.runnerConfig)
		args = append(args, "--config", filepath.Join(w.dir, "runner.yml"))
	}
	p := &runnerProcess{cmd: exec.Command(binary, args...), exited: make(chan struct{}), log: filepath.Join(w.dir, filepath.Base(dataDir)+".log")}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.dir, log, log
	p.cmd.Env = append(withoutLyticsVariables(os.Environ()), "LYTICS_RUNNER_TOKEN="+runnerToken)
	for k, v := range w.env {
		if !strings.HasPrefix(k, "TF_") {
			p.cmd.Env = append(p.cmd.Env, k+"="+v)
		}
	}
	if database != "" {
		p.cmd.Env = append(p.cmd.Env, "LYTICS_DATABASE_URL="+database)
	}
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	w.t.Cleanup(func() {
		p.stop(w.t)
		if text, err := os.ReadFile(p.log); err == nil && w.t.Failed() {
			w.t.Logf("the runner's log:\n%s", text)
		}
	})
	for {
		if text, err := os.ReadFile(ready); err == nil {
			var r struct {
				URL string `json:"url"`
			}
			if err := json.Unmarshal(text, &r); err != nil {
				w.t.Fatal(err)
			}
			return p, r.URL
		}
		select {
		case <-p.exited:
			text, _ := os.ReadFile(p.log)
			w.t.Fatalf("the runner ended before it was ready:\n%s", text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop asks the runner to stop, and waits until it has handed over its runs and
// ended.
func (p *runnerProcess) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	ctx, cancel := beforeTimeout(context.Background(), t)
	defer cancel()
	select {
	case <-p.exited:
	case <-ctx.Done():
		t.Error("the runner did not end after SIGTERM")
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// beforeTimeout returns a context that ends a minute before the time-out of the
// test binary, so that a test that hangs can still report why. It is the only
// deadline of these tests: a busy machine may need long for every step.
func beforeTimeout(parent context.Context, t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	if end, ok := t.Deadline(); ok {
		return context.WithDeadline(parent, end.Add(-time.Minute))
	}
	return context.WithCancel(parent)
}

// stopRunners stops the runners of the store. The next command starts new ones
// at the same address, with the current environment.
func (w *workspace) stopRunners() {
	w.t.Helper()
	deploying.Lock()
	defer deploying.Unlock()
	if d := stores[w.dataDir]; d != nil {
		for _, p := range d.runners {
			p.stop(w.t)
		}
		d.runners = nil
	}
}

func withoutLyticsVariables(env []string) (kept []string) {
	for _, kv := range env {
		if !strings.HasPrefix(kv, "TF_") && !strings.HasPrefix(kv, "LYTICS_") {
			kept = append(kept, kv)
		}
	}
	return kept
}

// providerEnv is the environment of Terraform: all settings, or only the
// address of the runner.
func (w *workspace) providerEnv() []string {
	w.t.Helper()
	d := w.deploy()
	env := withoutLyticsVariables(os.Environ())
	for k, v := range w.env {
		if d == nil || !strings.HasPrefix(k, "LYTICS_") {
			env = append(env, k+"="+v)
		}
	}
	if d != nil {
		env = append(env, "LYTICS_RUNNER_URL="+d.url, "LYTICS_RUNNER_TOKEN="+runnerToken)
	}
	return env
}

// open opens the jobs.API of the store from this process.
func (w *workspace) open() (jobs.API, error) {
	if deployment() == embedded {
		return engine.New(engine.Options{DataDir: w.dataDir, EncryptionKeyFile: w.env["LYTICS_ENCRYPTION_KEY_FILE"]}), nil
	}
	deploying.Lock()
	d := stores[w.dataDir]
	deploying.Unlock()
	if d == nil || d.url == "" {
		return nil, errors.New("the runners have not started yet")
	}
	return client.New(client.Config{URL: d.url, Token: jobs.NewSecret(runnerToken), Release: "dev"})
}

// secondPageHeld holds the second page of an import until the fault is cleared, so that its
// run cannot end before the test has done what it does during the run.
var secondPageHeld = sandboxtest.Fault{Kind: "slow", On: "FetchResults", Match: "lytics_digest", After: 1, Delay: "24h", Times: -1}

// waitForCommit waits until a run has committed events to stream s. It returns
// false if ended is closed first: the run has ended, or has failed early.
func (w *workspace) waitForCommit(ended <-chan struct{}) bool {
	for w.committed() == 0 {
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// committed returns the number of events that were committed to stream s.
func (w *workspace) committed() int64 {
	api, err := w.open()
	if err != nil {
		return 0
	}
	defer func() { _ = api.Close() }()
	streams, err := api.Streams(w.t.Context())
	if err != nil {
		return 0 // the stream does not exist yet
	}
	for _, s := range streams {
		if s.Name == "s" {
			return s.Events
		}
	}
	return 0
}

// checklist 58: a runner with another store is an error.
func TestRunnerWithAnotherStoreIsAnError(t *testing.T) {
	t.Parallel()
	only(t, "TestLostDataDirectoryIsAnErrorWithNextSteps", oneRunner)
	w := smallImport(t)
	w.apply()
	before, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if err != nil {
		t.Fatal(err)
	}
	w.stopRunners()
	away := w.dataDir + ".away"
	if err := os.Rename(w.dataDir, away); err != nil {
		t.Fatal(err)
	}
	text, code := w.tryApply()
	if code != 1 {
		t.Fatalf("apply with an empty store gave %d:\n%s", code, text)
	}
	wantError(t, text, "not the store that the state belongs to", "runner at http://127.0.0.1", "Nothing was removed from state")
	after, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	if err != nil || string(after) != string(before) {
		t.Fatalf("the state changed (%v)", err)
	}
	w.stopRunners()
	if err := errors.Join(os.Rename(w.dataDir, w.dataDir+".other"), os.Rename(away, w.dataDir)); err != nil {
		t.Fatal(err)
	}
	w.wantNoChanges()
	wantEach(t, w.events("s"), 10)
}

// checklist 46 58: a runner that is down, or that refuses the token, is an
// error and not an empty store.
func TestUnreachableRunnerIsAnError(t *testing.T) {
	t.Parallel()
	only(t, "there is no runner", oneRunner, fleet)
	w := smallImport(t)
	w.apply()
	ask := func(env ...string) string {
		cmd := w.command(t.Context(), "plan", "-input=false", "-no-color")
		cmd.Env = append(cmd.Env, env...)
		text, code := w.run(cmd)
		if code != 1 {
			t.Fatalf("plan with %v gave %d:\n%s", env, code, text)
		}
		return text
	}
	wantError(t, ask("LYTICS_RUNNER_TOKEN=another-token-than-that"), "refuses the token", "Nothing was removed from state")
	wantError(t, ask("LYTICS_RUNNER_URL=http://127.0.0.1:1"), "No answer from the runner at http://127.0.0.1:1")
	w.wantNoChanges()
}

// smallImport imports ten rows.
func smallImport(t *testing.T) *workspace {
	t.Helper()
	s := sandboxtest.Shared(t)
	db := database(t, s)
	people(t, s, db, 10)
	return newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
}

// checklist 39 44: a runner is killed during a run. Another runner, or the
// restarted one, continues the run from its cursor, and the apply that waits
// for the run succeeds.
func TestRunContinuesAfterItsRunnerIsKilled(t *testing.T) {
	t.Parallel()
	only(t, "TestAKilledApplyConverges", oneRunner, fleet)
	const rows = 50_000
	s := sandboxtest.Start(t)
	db := database(t, s)
	people(t, s, db, rows)
	s.SetFault(t, secondPageHeld)
	w := newWorkspace(t, s, providerHCL+authorizationHCL+importHCL(db, "people", ""))
	d := w.deploy()
	killed, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(killed)
		if !w.waitForCommit(ended) {
			t.Error("the run ended before it committed events")
			return
		}
		first := d.runners[0]
		_ = first.cmd.Process.Kill()
		<-first.exited
		p, _ := w.startRunner(w.dataDir, strings.TrimPrefix(d.url, "http://"), d.database)
		d.runners[0] = p
		s.ClearFaults(t)
	}()
	text, code := w.tryApply()
	close(ended)
	<-killed
	if code != 0 {
		t.Fatalf("terraform apply failed:\n%s", text)
	}
	wantEach(t, w.events("s"), rows)
	w.wantNoChanges()
	runs := w.runs()
	if len(runs) != 1 {
		t.Fatalf("%d runs", len(runs))
	}
}
