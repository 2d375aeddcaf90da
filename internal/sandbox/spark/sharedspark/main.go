// Command sharedspark starts a Spark, runs a command with the Spark's URL in the
// environment variable LYTICS_SPARK_URL, and stops the Spark when the command ends.
// So many test binaries can share one Spark.
//
//	go run ./spark/sharedspark -home DIR COMMAND [ARGUMENT...]
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
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
)

func main() {
	dir := flag.String("home", "", "the directory that `make spark` filled")
	in := flag.String("in", "", "the working directory of the command")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := runWithSpark(ctx, *dir, *in, flag.Args())
	stop()
	var ended *exec.ExitError
	switch {
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		os.Exit(ended.ExitCode()) // the command has printed its error
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "sharedspark:", err)
		os.Exit(1)
	}
}

func runWithSpark(ctx context.Context, dir, in string, command []string) (err error) {
	if dir == "" || len(command) == 0 {
		return errors.New("missing argument: name the directory of Spark with -home, and the command to run")
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
	server, err := process.Serve(
		ctx,
		process.Options{Home: sparkdist.Installation{Dir: dir}, DataDir: data, SmallStatements: true},
		spark.StartTimeout,
	)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	_, _ = fmt.Fprintf(os.Stderr, "Spark answers at %s after %.0f s\n", server.URL, time.Since(begun).Seconds())

	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = in, os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "LYTICS_SPARK_URL="+server.URL)
	// SIGTERM lets a command such as make end its child processes.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	if err = cmd.Run(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "the end of Spark's log:\n%s\n", server.LogTail())
	}
	return errors.Join(err, server.Err())
}
