// Command peers moves one table from one sandbox with the product and with sling, a tool for
// the same task, and compares the whole commands: "terraform apply" of an import into the
// embedded stream, and "sling run" into a file of JSON lines. The commands are paired and
// their order alternates, so that other work on the machine disturbs both.
//
// The sandbox serves TLS, and each client gets the form of results that it asks for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-peers:", err)
		os.Exit(1)
	}
}

type options struct {
	sandbox, provider, sling string
	rows, pairs              int
}

func run(ctx context.Context) (err error) {
	var o options
	flag.StringVar(&o.sandbox, "sandbox", "build/sandbox", "the sandbox's binary")
	flag.StringVar(&o.provider, "provider", "build/terraform-provider-lytics", "the provider's binary")
	flag.StringVar(&o.sling, "sling", "", "sling's binary, which make bench-peers installs")
	flag.IntVar(&o.rows, "rows", 1_000_000, "rows of the table")
	flag.IntVar(&o.pairs, "pairs", 5, "pairs of commands")
	flag.Parse()
	if o.rows < 1 || o.pairs < 1 {
		return errors.New("-rows and -pairs must be at least 1")
	}
	dir, err := os.MkdirTemp("", "lytics-peers")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	source, err := startSource(ctx, o.sandbox, filepath.Join(dir, "sandbox"), o.rows)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Stop()) }()
	product, err := newTerraform(source, o.provider)
	if err != nil {
		return err
	}
	peer, version, err := newSling(ctx, source, o.sling)
	if err != nil {
		return err
	}
	fmt.Printf("%d rows of ten columns, %s\n", o.rows, version)
	var pairs []pair
	for i := range o.pairs {
		one, err := measurePair(ctx, dir, i, o.rows, product, peer)
		if err != nil {
			return err
		}
		fmt.Printf("pair %d: sling %s, terraform apply %s; load of the machine %s\n", i+1, one.sling, one.product, load())
		pairs = append(pairs, one)
	}
	report(os.Stdout, pairs)
	return nil
}

// mover is a command that moves the table once. It is prepared in an empty directory, and
// its result is counted there after the measurement.
type mover interface {
	command(ctx context.Context, dir string) (*exec.Cmd, error)
	moved(dir string, output []byte) (rows int, err error)
}

// measurePair runs both commands. The one that is first in a pair is second in the next.
func measurePair(ctx context.Context, dir string, n, rows int, product, peer mover) (p pair, err error) {
	first := func() (err error) { p.sling, err = measure(ctx, dir, "sling", rows, peer); return err }
	second := func() (err error) { p.product, err = measure(ctx, dir, "terraform", rows, product); return err }
	if n%2 == 1 {
		first, second = second, first
	}
	if err := first(); err != nil {
		return p, err
	}
	return p, second()
}

// measure runs a command in a new directory, and removes what it wrote.
func measure(ctx context.Context, parent, name string, rows int, m mover) (c cost, err error) {
	dir, err := os.MkdirTemp(parent, name)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	cmd, err := m.command(ctx, dir)
	if err != nil {
		return c, err
	}
	begun := time.Now()
	output, err := cmd.CombinedOutput()
	c.wall = time.Since(begun)
	if err != nil {
		return c, fmt.Errorf("%s: %w\n%s", name, err, output)
	}
	// The kernel adds to a process's times those of its children that it waited for, and
	// terraform waits for its plugin.
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	n, err := m.moved(dir, output)
	if err != nil {
		return c, fmt.Errorf("counting the rows of %s: %w\n%s", name, err, output)
	}
	if n != rows {
		return c, fmt.Errorf("%s moved %d rows, want %d\n%s", name, n, rows, output)
	}
	return c, nil
}
