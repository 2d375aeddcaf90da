package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/cli"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/client"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/config"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/engine"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/jobs"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/runner/api"
)

// measureEvents compares the command events, which prints a stream, with reading the
// segments of the stream and discarding them.
func measureEvents(ctx context.Context, b *bench) error {
	s, err := b.duckdb(ctx)
	if err != nil {
		return err
	}
	w := work{Sandbox: s, Table: "usual", Rows: b.options.rows, Dir: b.store("import")} // filled by measureImport
	if _, err := os.Stat(w.Dir); err != nil {
		if err := s.table(ctx, w.Table, w.Rows); err != nil {
			return err
		}
		w.Kind = "import"
		if _, err := b.process(ctx, w, 0); err != nil {
			return err
		}
	}
	best := map[string]result{}
	for range 3 * b.options.runs { // short measurements, in turn
		for _, w.Kind = range []string{"floor-segments", "events", "events-runner"} {
			r, err := b.process(ctx, w, 0)
			if err != nil {
				return err
			}
			if known, ok := best[w.Kind]; !ok || r.CPU < known.CPU {
				best[w.Kind] = r
			}
		}
	}
	floor, local, runner := best["floor-segments"], best["events"], best["events-runner"]
	b.add(figure{
		Name: "events STREAM, rows per CPU-second", Floor: "reading the segments -> discard",
		Measured: local.perCPU(), Base: floor.perCPU(), Unit: "rows/s", Ratio: local.perCPU() / floor.perCPU(), Goal: 0.5, AtLeast: true,
		Note: "with the opening of the store",
	})
	b.add(figure{
		Name: "events STREAM from a runner, rows per CPU-second", Floor: "the same",
		Measured: runner.perCPU(), Base: floor.perCPU(), Unit: "rows/s", Ratio: runner.perCPU() / floor.perCPU(),
		Note: "the runner and the command together",
	})
	return nil
}

// printEvents executes the command events on a store.
func printEvents(ctx context.Context, w work, _ func(result)) (result, error) {
	watch := startWatch()
	return runEvents(ctx, w, watch, []string{"--data-dir", filepath.Join(w.Dir, "data")}, func(_ context.Context, t config.Target) (jobs.API, error) {
		return engine.New(engine.OptionsFromConfig(t.Engine, "bench")), nil
	})
}

const runnerToken = "bench-token-of-the-runner"

// printRunnersEvents executes the command events with a runner of this process.
func printRunnersEvents(ctx context.Context, w work, _ func(result)) (r result, err error) {
	e := engine.New(engine.Options{DataDir: filepath.Join(w.Dir, "data"), EncryptionKeyFile: filepath.Join(w.Dir, "key")})
	defer func() { err = errors.Join(err, e.Close()) }()
	token := jobs.NewSecret(runnerToken)
	server := httptest.NewServer(api.New(api.Config{API: e, Token: token, Release: "bench"}).Handler())
	defer server.Close()
	watch := startWatch()
	return runEvents(ctx, w, watch, []string{"--url", server.URL}, func(context.Context, config.Target) (jobs.API, error) {
		return client.New(client.Config{URL: server.URL, Token: token, Release: "bench"})
	})
}

func runEvents(
	ctx context.Context, w work, watch stopwatch, target []string, open func(context.Context, config.Target) (jobs.API, error),
) (result, error) {
	out := &byteCounter{}
	program := cli.Program{Version: "bench", Open: open, LookupEnv: func(name string) (string, bool) {
		if name == "LYTICS_RUNNER_TOKEN" {
			return runnerToken, true
		}
		return "", false
	}}
	if code := cli.Run(ctx, append([]string{"events", "events"}, target...), program, out, os.Stderr); code != 0 {
		return result{}, fmt.Errorf("the command events ended with code %d", code)
	}
	r := watch.stop(int64(w.Rows))
	r.Bytes = out.bytes
	if out.bytes < int64(w.Rows) {
		return r, fmt.Errorf("the command events printed %d bytes for %d rows", out.bytes, w.Rows)
	}
	return r, nil
}

// byteCounter discards what is written.
type byteCounter struct{ bytes int64 }

func (c *byteCounter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

// floorSegments reads the files of a store's streams and discards them.
func floorSegments(_ context.Context, w work, _ func(result)) (result, error) {
	buffer := make([]byte, 256<<10)
	watch := startWatch()
	segments := os.DirFS(filepath.Join(w.Dir, "data", "streams", "events"))
	err := fs.WalkDir(segments, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := segments.Open(path)
		if err != nil {
			return err
		}
		for err == nil {
			_, err = f.Read(buffer)
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return errors.Join(err, f.Close())
	})
	return watch.stop(int64(w.Rows)), err
}
