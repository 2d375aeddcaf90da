package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandboxtest"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/worker"
)

// runRunner is a runner in a process of its own, on the directory of its second argument.
// It prints the process ids of its workers.
func runRunner() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() { // ends the process when the test process ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	c := worker.Config{
		Command: worker.Command(os.Executable, workerArgument), Version: version, Log: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Setup: worker.Setup{Settings: fmt.Appendf(nil, `{"Dir": %q, "Work": true}`, os.Args[2]), Environment: os.Environ(), MemoryMB: 512},
	}
	pool := worker.NewPool(c)
	o := settings{Dir: os.Args[2]}.options()
	o.Workers = pool
	e := engine.New(o)
	r, err := runner.New(e, runner.Config{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	return errors.Join(r.Run(ctx), e.Close(), pool.Close())
}

// runnerProcess starts runRunner.
func runnerProcess(t *testing.T, dir string) (cmd *exec.Cmd, out *lines) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd, out = exec.Command(program, runnerArgument, dir), &lines{}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	return cmd, out
}

// withoutRunner makes a store on which no runner is connected.
func withoutRunner(t *testing.T) *fixture {
	t.Helper()
	f := newFixture(t, nil)
	f.stop()
	return f
}

// alive reports whether a process exists that is not a zombie.
func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(text), ") ")
	return err == nil && !strings.HasPrefix(rest, "Z")
}

func onlyLinux(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("LEFT OUT: there is no /proc to look at processes")
	}
}

// checklist 38: a runner is killed with SIGKILL during a run. Its worker ends too, and the
// next runner continues the run.
func TestAWorkerEndsWithItsRunner(t *testing.T) {
	t.Parallel()
	onlyLinux(t)
	f := withoutRunner(t)
	cmd, out := runnerProcess(t, f.Dir)
	eventually(t, "a runner", f.runnerAlive)
	run := f.start("blocks")
	f.running(run.ID)
	pid := out.pid(t)
	if !alive(pid) {
		t.Fatalf("process %d, which executes the run, does not exist", pid)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the end of the worker", func() bool { return !alive(pid) })
	if run, err := f.apply.Run(t.Context(), run.ID); err != nil || !run.Status.Active() {
		t.Errorf("%+v, %v", run, err)
	}
}

// A runner is stopped as a terminal and an init system do it: by a signal to the runner
// and to its workers. The run is handed over, and no process is left.
func TestARunnerThatStopsHandsOverTheRunsOfItsWorkers(t *testing.T) {
	t.Parallel()
	onlyLinux(t)
	for name, s := range map[string]os.Signal{"terminal": os.Interrupt, "init system": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := withoutRunner(t)
			cmd, out := runnerProcess(t, f.Dir)
			eventually(t, "a runner", f.runnerAlive)
			run := f.start("blocks")
			f.running(run.ID)
			pid := out.pid(t)
			for _, p := range []int{pid, cmd.Process.Pid} {
				process, err := os.FindProcess(p)
				if err != nil {
					t.Fatal(err)
				}
				if err := process.Signal(s); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Errorf("the runner: %v", err)
			}
			if alive(pid) {
				t.Errorf("worker %d outlived its runner", pid)
			}
			got, err := f.apply.Run(t.Context(), run.ID)
			if err != nil || got.Status != jobs.StatusQueued || got.Phase != "queued: its runner stopped" || got.Attempt != 1 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func (f *fixture) runnerAlive() bool {
	info, err := f.apply.Store(f.t.Context(), false)
	return err == nil && info.RunnerAlive
}

// checklist 75: the runner's secrets are in no argument and no environment of a worker,
// which has them all the same: a token that is read from a variable there works.
func TestAWorkersArgumentsAndEnvironmentHaveNoSecrets(t *testing.T) {
	t.Parallel()
	onlyLinux(t)
	warehouse := sandboxtest.Start(t, sandboxtest.WithArgs("-token", canary), sandboxtest.WithFaults(sandboxtest.Fault{
		Kind: "slow", On: "ExecuteStatement", Match: "lytics_digest", Delay: "1h"}))
	warehouse.Exec(t, "CREATE SCHEMA main.sales", "CREATE TABLE main.sales.people (id BIGINT, ts TIMESTAMP)",
		"INSERT INTO main.sales.people SELECT id, timestamp_micros(1700000000000000 + id) FROM range(100)")
	f := newFixture(t, warehouse)
	var err error
	f.auth, err = f.apply.CreateAuthorization(t.Context(), jobs.AuthorizationChange{AuthorizationSpec: jobs.AuthorizationSpec{
		Label: "from a variable", Host: warehouse.Host, Port: warehouse.Port, HTTPPath: warehouse.HTTPPath, TokenEnv: canaryVariable}})
	if err != nil {
		t.Fatal(err)
	}
	run := f.start("people")
	f.running(run.ID) // connected with the token
	pid := f.pids.last()
	for _, file := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), file))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(canary)) || bytes.Contains(text, []byte("LYTICS_")) {
			t.Errorf("%s of process %d: %q", file, pid, text)
		}
	}
	if err := f.apply.CancelRun(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	if run = f.ended(run.ID); run.Status != jobs.StatusCancelled {
		t.Errorf("%+v", run)
	}
}
