// Package process runs a Spark Thrift Server with Delta as a child process, on
// loopback, and ends it when the parent process ends.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/hive"
	"github.com/terraform-provider-lytics/terraform-provider-lytics/internal/sandbox/spark/sparkdist"
)

// Server is a running Thrift server.
type Server struct {
	// URL is the server's address.
	URL string

	cmd   *exec.Cmd
	stdin io.Closer
	log   string
	ended chan struct{}
	err   error
}

// Options configure a server.
type Options struct {
	Home sparkdist.Installation
	// DataDir holds tables, metastore, logs and temporary files.
	DataDir string
	// SmallStatements tunes Spark for many small statements; large ones are slow.
	SmallStatements bool
	// EventLog is a directory for Spark's event log; empty writes none.
	EventLog string
}

// start starts the server process and returns at once.
func start(ctx context.Context, o Options) (*Server, error) {
	if err := o.Home.Check(); err != nil {
		return nil, err
	}
	java, err := sparkdist.JavaPath(ctx)
	if err != nil {
		return nil, err
	}
	// Sessions that open at the same time each create tmp/hive, with a call that
	// fails if it exists. So it is created here.
	for _, dir := range []string{"tmp", "warehouse", "tmp/hive"} {
		if err := os.MkdirAll(filepath.Join(o.DataDir, dir), 0o700); err != nil {
			return nil, fmt.Errorf("create Spark's directories: %w", err)
		}
	}
	if o.EventLog != "" {
		if err := os.MkdirAll(o.EventLog, 0o700); err != nil {
			return nil, fmt.Errorf("create the directory of Spark's event log: %w", err)
		}
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	args, err := arguments(o, port)
	if err != nil {
		return nil, err
	}
	s := &Server{
		URL: fmt.Sprintf("http://127.0.0.1:%d/cliservice", port), ended: make(chan struct{}),
		log: filepath.Join(o.DataDir, "spark.log"),
	}
	log, err := os.Create(s.log)
	if err != nil {
		return nil, fmt.Errorf("create Spark's log: %w", err)
	}
	defer func() { _ = log.Close() }()
	s.cmd = guardedCommand(java, args)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = o.DataDir, log, log
	s.cmd.Env = append(
		slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "SPARK_") || strings.HasPrefix(kv, "HADOOP_") }),
		"SPARK_LOCAL_IP=127.0.0.1",
		"SPARK_LOCAL_HOSTNAME=localhost",
	)
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Spark: %w", err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

// portAttempts is how often a server is started if another process took its port.
const portAttempts = 3

// Serve starts a server and returns when it answers, or with the reason why not.
func Serve(ctx context.Context, o Options, timeout time.Duration) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		s, err := start(ctx, o)
		if err != nil {
			return nil, err
		}
		if err = s.ready(ctx); err == nil {
			return s, nil
		}
		err = errors.Join(err, s.Close())
		if attempt == portAttempts || !s.portTaken() {
			return nil, err
		}
	}
}

// portTaken reports whether the server ended because its port was in use.
func (s *Server) portTaken() bool {
	text, err := os.ReadFile(s.log)
	return err == nil && bytes.Contains(text, []byte("Address already in use"))
}

// freePort returns a free port. Another process can take it before Spark does;
// Serve then tries again.
func freePort(ctx context.Context) (int, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port for Spark: %w", err)
	}
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return 0, err
	}
	var n int
	_, err = fmt.Sscan(port, &n)
	return n, err
}

// ready returns when the server opens a session, or with the reason why it cannot.
func (s *Server) ready(ctx context.Context) error {
	client := hive.NewClient(s.URL)
	defer client.Close()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("Spark did not answer in time: %w\n%s", context.Cause(ctx), s.LogTail())
		case <-s.ended:
			return s.Err()
		case <-ticker.C:
			if session, err := client.OpenSession(ctx, nil); err == nil {
				return session.Close(ctx)
			}
		}
	}
}

// Ended is closed when the process has ended.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Err returns why the process ended; nil while it runs.
func (s *Server) Err() error {
	select {
	case <-s.ended:
		return fmt.Errorf("Spark has ended (%w)\n%s", s.err, s.LogTail())
	default:
		return nil
	}
}

// LogTail returns the end of the server's log.
func (s *Server) LogTail() string {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	const enough = 3000
	return strings.ToValidUTF8(string(text[max(0, len(text)-enough):]), "")
}

// Close ends the server and waits until it has ended.
func (s *Server) Close() error {
	// The guard kills Spark when its standard input ends. The process group is
	// killed too, in case the guard hangs.
	err := s.stdin.Close()
	if errors.Is(err, os.ErrClosed) {
		err = nil // the process had already ended
	}
	err = errors.Join(err, kill(s.cmd))
	<-s.ended
	return err
}
