// Command sandbox is a local stand-in for a Databricks SQL warehouse and for S3,
// and speaks their protocols. See README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	// A second signal kills the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, stdin *os.File, stdout, stderr io.Writer) (err error) {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if o.exitWithParent {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		go untilParentEnds(ctx, stdin, cancel)
	}
	progress := func(text string) { _, _ = fmt.Fprintln(stderr, text) }
	s, err := start(ctx, o, progress)
	if err != nil {
		if ctx.Err() != nil { // interrupted while starting
			return nil
		}
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if o.readyFile != "" {
		if err := s.connection.write(o.readyFile); err != nil {
			return err
		}
		defer func() { _ = os.Remove(o.readyFile) }()
	}
	s.connection.print(stdout)
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	}
}

// untilParentEnds calls cancel when the parent process has ended.
func untilParentEnds(ctx context.Context, stdin *os.File, cancel func()) {
	defer cancel()
	closed := make(chan struct{})
	// The end of standard input means that the parent has ended only if it is a
	// pipe: /dev/null is at its end from the start.
	if info, err := stdin.Stat(); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
		go func() {
			defer close(closed)
			_, _ = io.Copy(io.Discard, stdin)
		}()
	}
	parent := os.Getppid()
	ticker := time.NewTicker(500 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-closed:
			return
		case <-ticker.C:
			// When its parent ends, a process gets another parent.
			if os.Getppid() != parent {
				return
			}
		}
	}
}
