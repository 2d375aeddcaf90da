// Package process runs the sandbox's program, and says how to reach what runs.
// The demo and the benchmarks use it as it is; sandboxtest makes of it what
// tests ask for.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// Ready is what the sandbox's ready file says.
type Ready struct {
	// Host has a scheme, as an authorization's host for local use has:
	// "http://127.0.0.1".
	Host         string `json:"host"`
	Port         int    `json:"port"`
	HTTPPath     string `json:"http_path"`
	Token        string `json:"token"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	CAFile       string `json:"ca_file"`
	AdminURL     string `json:"admin_url"`
	SparkURL     string `json:"spark_url"`
	S3           struct {
		Endpoint  string `json:"endpoint"`
		Region    string `json:"region"`
		Bucket    string `json:"bucket"`
		AccessKey string `json:"access_key"`
		SecretKey string `json:"secret_key"`
	} `json:"s3"`
}

// Options configure Start.
type Options struct {
	Binary string
	Args   []string
	Stdout io.Writer
	Stderr io.Writer
	// Timeout bounds the time to the ready file.
	Timeout time.Duration
}

// Sandbox is a running sandbox process.
type Sandbox struct {
	Ready

	process *exec.Cmd
	stdin   io.Closer
	exited  chan struct{}
}

// Start runs a sandbox until Stop, Kill or the end of this process. ctx bounds
// only the start.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	dir, err := os.MkdirTemp("", "lytics-sandbox")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "ready.json")
	args := slices.Concat([]string{"-ready-file", file, "-exit-with-parent"}, o.Args)
	s := &Sandbox{process: exec.CommandContext(context.WithoutCancel(ctx), o.Binary, args...), exited: make(chan struct{})}
	s.process.Stdout, s.process.Stderr = o.Stdout, o.Stderr
	// The sandbox ends when this pipe does, however this process ends.
	if s.stdin, err = s.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.process.Start(); err != nil {
		return nil, fmt.Errorf("the sandbox does not start: %w", err)
	}
	go func() {
		_ = s.process.Wait()
		close(s.exited)
	}()
	if err := s.await(ctx, file, o.Timeout); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

func (s *Sandbox) await(ctx context.Context, file string, timeout time.Duration) error {
	deadline := time.After(timeout)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(file); err == nil && len(text) > 0 {
			if err := json.Unmarshal(text, &s.Ready); err != nil {
				return fmt.Errorf("the sandbox's ready file: %w", err)
			}
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the sandbox ended before it was ready: %s", s.process.ProcessState)
		case <-deadline:
			return fmt.Errorf("the sandbox was not ready within %s", timeout)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// PID is the id of the sandbox's process.
func (s *Sandbox) PID() int { return s.process.Process.Pid }

// Kill ends the sandbox at once, as a crash would. It may be called twice.
func (s *Sandbox) Kill() {
	_ = s.process.Process.Kill()
	<-s.exited
}

// stopTimeout is how long a sandbox may take to end cleanly, with Spark.
const stopTimeout = 15 * time.Second

// Stop ends the sandbox cleanly, or else kills it.
func (s *Sandbox) Stop() error {
	err := s.stdin.Close()
	if errors.Is(err, os.ErrClosed) { // by its end
		err = nil
	}
	select {
	case <-s.exited:
	case <-time.After(stopTimeout):
		s.Kill()
	}
	return err
}
