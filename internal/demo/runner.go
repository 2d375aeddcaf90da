package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// runner is the process of a runner on a separate store.
type runner struct {
	cli.Ready
	// command is the command line of the runner.
	command []string
	dir     string
	out     screen

	process *exec.Cmd
	exited  chan error
	log     *os.File
}

// runnerTimeout bounds the runner's start and its stop. A test runs the demo on a busy machine.
const runnerTimeout = 3 * time.Minute

// startRunner starts a runner that uses the sandbox's warehouse and bucket.
func (s *session) startRunner(ctx context.Context, dir string) (_ *runner, err error) {
	r := &runner{dir: dir, out: s.out, exited: make(chan error, 1)}
	// All settings are in a file, so that the user can start the runner again.
	file, ready := filepath.Join(dir, "runner.yaml"), filepath.Join(dir, "ready.json")
	text, err := yaml.Marshal(map[string]any{
		"data_dir": filepath.Join(dir, "runner"), "encryption_key_file": filepath.Join(filepath.Dir(dir), "encryption.key"),
		"allow_private_hosts": true, "listen": cmp.Or(s.listen, listen(ctx)),
		// The volume that a sandbox has by itself.
		"staging": map[string]any{"volume": map[string]any{"catalog": "main", "schema": "default", "volume": "staging"}},
	})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	r.command = []string{s.provider, "runner", "--config", file}
	if r.log, err = os.Create(filepath.Join(dir, "runner.log")); err != nil {
		return nil, err
	}
	r.process = exec.CommandContext(context.WithoutCancel(ctx), r.command[0], append(r.command[1:], "--ready-file", ready)...)
	r.process.Env = plainEnvironment()
	r.process.Stdout, r.process.Stderr = r.log, r.log
	if err := r.process.Start(); err != nil {
		return nil, fmt.Errorf("the runner does not start: %w", err)
	}
	go func() { r.exited <- r.process.Wait() }()
	deadline := time.After(runnerTimeout)
	for {
		if text, err := os.ReadFile(ready); err == nil {
			return r, json.Unmarshal(text, &r.Ready)
		}
		select {
		case err := <-r.exited:
			r.exited <- err
			log, _ := os.ReadFile(r.log.Name())
			return nil, fmt.Errorf("the runner ended before it was ready: %w\n%s", err, log)
		case <-deadline:
			return nil, errors.Join(fmt.Errorf("the runner was not ready after %s", runnerTimeout), r.stop())
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), r.stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// listen returns the runner's default address, or a free one if that is in use.
func listen(ctx context.Context) string {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", api.DefaultListen)
	if err != nil {
		return "127.0.0.1:0"
	}
	_ = l.Close()
	return api.DefaultListen
}

// plainEnvironment is the environment of this process without the variables
// that configure the provider, the runner and the command line.
func plainEnvironment() []string {
	var out []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "LYTICS_") {
			out = append(out, kv)
		}
	}
	return out
}

func (r *runner) token() (string, error) {
	text, err := os.ReadFile(r.TokenFile)
	return strings.TrimSpace(string(text)), err
}

// stop ends the runner cleanly.
func (r *runner) stop() error {
	defer func() { _ = r.log.Close() }()
	if err := r.process.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(err, r.process.Process.Kill())
	}
	select {
	case err := <-r.exited:
		return err
	case <-time.After(runnerTimeout):
		return errors.Join(fmt.Errorf("the runner did not stop within %s; its log is %s", runnerTimeout, r.log.Name()), r.process.Process.Kill())
	}
}

// ask executes a command of the command line on the runner.
func (r *runner) ask(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, r.command[0], append(args, "--url", r.URL, "--token-file", r.TokenFile)...)
	cmd.Env = plainEnvironment()
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("terraform-provider-lytics %s: %w\n%s", strings.Join(args, " "), err, errOut.String())
	}
	return out.Bytes(), nil
}

// show prints a command and its output.
func (r *runner) show(ctx context.Context, args ...string) error {
	text, err := r.ask(ctx, args...)
	if err != nil {
		return err
	}
	r.out.print("\n  %s\n", r.out.dim("terraform-provider-lytics "+strings.Join(args, " ")))
	_, err = r.out.indented().Write(text)
	return err
}
