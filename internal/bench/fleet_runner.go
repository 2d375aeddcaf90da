package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner"
)

// fleetProcess is a running child with a runner.
type fleetProcess struct {
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	results *json.Decoder
}

// startFleetRunner starts a child that is a runner until its standard input ends.
func (b *bench) startFleetRunner(ctx context.Context, w work) (*fleetProcess, error) {
	if b.options.profiles != "" {
		b.profiled++
		w.Profile = filepath.Join(b.options.profiles, fmt.Sprintf("%02d-%s-%s.pprof", b.profiled, w.Kind, w.Name))
	}
	text, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	p := &fleetProcess{cmd: exec.CommandContext(ctx, b.self, childArgument, string(text))}
	p.cmd.Stderr = os.Stderr
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.results = json.NewDecoder(bufio.NewReader(stdout))
	return p, p.cmd.Start()
}

// usage asks the child for its CPU time and memory so far.
func (p *fleetProcess) usage() (result, error) {
	var r result
	_, failed := io.WriteString(p.stdin, "\n")
	if err := p.results.Decode(&r); err != nil {
		return r, errors.Join(failed, err)
	}
	if r.Error != "" { // the child ended, and said why
		return r, errors.New(r.Error)
	}
	return r, nil
}

// stop ends the child, and returns the error that it had, unless usage returned it.
func (p *fleetProcess) stop() error {
	if err := p.stdin.Close(); err != nil {
		return err
	}
	var last result
	for !last.Final {
		if err := p.results.Decode(&last); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return errors.Join(err, p.cmd.Wait())
		}
	}
	if err := p.cmd.Wait(); last.Final && last.Error == "" {
		return err
	}
	if last.Error != "" {
		return errors.New(last.Error)
	}
	return nil
}

// fleetRunner is the child: one runner of a fleet, as a user runs it. For each line of
// its standard input it reports its CPU time and memory so far.
func fleetRunner(ctx context.Context, w work, report func(result)) (r result, err error) {
	e := engine.New(engine.Options{
		DataDir: filepath.Join(w.Dir, "data"), DatabaseURL: jobs.NewSecret(w.Database), EncryptionKeyFile: filepath.Join(w.Dir, "key"),
		AllowPrivateHosts: true, Getenv: func(string) string { return "token" }, Name: "runner-" + w.Name,
		Work: func(context.Context, jobs.Job, engine.Progress) error { return nil },
	})
	defer func() { err = errors.Join(err, e.Close()) }()
	daemon, err := runner.New(e, runner.Config{
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), AllowPrivateHosts: true,
		// Nothing fails or is late, so nothing is sent there.
		Alerts: runner.AlertConfig{URL: "http://127.0.0.1:1/", Secret: jobs.NewSecret("a secret of a benchmark that alerts nobody")},
	})
	if err != nil {
		return r, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- daemon.Run(ctx) }()
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			asked <- struct{}{}
		}
	}()
	scrape := time.NewTicker(fleetScrape)
	defer scrape.Stop()
	for {
		select {
		case _, more := <-asked:
			if !more {
				stop()
				return used(), <-ended
			}
			report(used())
		case <-scrape.C:
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", nil)
			if err != nil {
				return r, err
			}
			daemon.Metrics().ServeHTTP(discarded{http.Header{}}, request)
		case err := <-ended:
			return r, errors.Join(errors.New("the runner ended"), err)
		}
	}
}

// used is the CPU time and the peak memory of this process so far.
func used() result {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it fails for wrong arguments only
	return result{CPU: cpuTime(), Memory: peak(&u)}
}

// discarded is a response that nobody reads.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header { return d.header }

func (discarded) Write(p []byte) (int, error) { return len(p), nil }

func (discarded) WriteHeader(int) {}
