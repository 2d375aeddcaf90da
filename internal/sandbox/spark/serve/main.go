// Command serve runs one Spark Thrift Server with Delta that several sandboxes
// share (sandbox -engine spark -spark-url URL), until its standard input ends
// or it is interrupted. It prints the server's URL when it answers.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/home"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/process"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir := flag.String("home", "", "the folder that Spark is installed in")
	data := flag.String("data", "", "the folder for tables and logs (default: a temporary one, removed at the end)")
	file := flag.String("url-file", "", "a file to write the URL to as well")
	flag.Parse()
	if err := serve(ctx, *dir, *data, *file); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "serve Spark:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, dir, data, file string) (err error) {
	if dir == "" {
		return errors.New("-home is missing: name the folder that Spark is installed in")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	if data == "" {
		if data, err = os.MkdirTemp("", "sandbox-spark"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	} else if data, err = filepath.Abs(data); err != nil {
		return err
	}
	server, err := process.Serve(ctx, process.Options{Home: home.Home{Dir: dir}, DataDir: data}, spark.StartTimeout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	if file != "" {
		if err := os.WriteFile(file, []byte(server.URL), 0o600); err != nil {
			return err
		}
		defer func() { _ = os.Remove(file) }()
	}
	fmt.Println(server.URL)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, os.Stdin)
	}()
	select {
	case <-ctx.Done():
		return nil
	case <-ended:
		return nil
	case <-server.Ended():
		return server.Err()
	}
}
