// Command lend starts a Spark, runs a command to which its URL is known as
// LYTICS_SPARK_URL, and ends the Spark with it: so that many test binaries need
// one Spark, and none is left behind.
//
//	go run ./spark/lend -home DIR COMMAND [ARGUMENT...]
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

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/home"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
)

func main() {
	dir := flag.String("home", "", "the folder that `make spark` filled")
	in := flag.String("in", "", "the folder to run the command in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := lend(ctx, *dir, *in, flag.Args())
	stop()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		os.Exit(ended.ExitCode()) // it has said why
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "lend a Spark:", err)
		os.Exit(1)
	}
}

func lend(ctx context.Context, dir, in string, command []string) (err error) {
	if dir == "" || len(command) == 0 {
		return errors.New("name the folder of Spark with -home, and a command to run")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	data, err := os.MkdirTemp("", "sandbox-spark")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	begun := time.Now()
	server, err := process.Serve(ctx, process.Options{Home: home.Home{Dir: dir}, DataDir: data, Brief: true}, spark.StartTimeout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	_, _ = fmt.Fprintf(os.Stderr, "Spark answers at %s after %.0f s\n", server.URL, time.Since(begun).Seconds())

	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = in, os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "LYTICS_SPARK_URL="+server.URL)
	// A command that is a make has children to end: it is asked to first.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err = cmd.Run(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "the end of Spark's log:\n%s\n", server.LogTail())
	}
	return errors.Join(err, server.Err())
}
