// Package pgserver starts temporary PostgreSQL servers on loopback, for tests and
// benchmarks. It finds initdb and postgres on PATH and in Debian's directories.
package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Password is the password of lytics, the only user. Tests check that it
// appears in no output.
const Password = "canary&9f3a/pw" // #nosec G101 -- of a server on loopback that ends with the process

// Server is a running server. It ends with this process, however that ends, and its
// files with it.
type Server struct {
	dir  string
	port int
	icu  bool
	// process is that of the shell that watches over the server.
	process *os.Process
	stdin   io.Closer
	ended   chan struct{}
}

// Start starts a server with these settings, each as NAME=VALUE. Without PostgreSQL
// the error wraps exec.ErrNotFound.
func Start(settings ...string) (*Server, error) {
	initdb, err := find("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := find("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	s, err := start(initdb, postgres, dir, settings)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.icu = s.exec(`CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'`) == nil
	return s, nil
}

// find returns the path of one of PostgreSQL's programs.
func find(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil {
		return path, nil
	}
	var newest string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/pgsql-*/bin/", "/opt/homebrew/opt/postgresql@*/bin/"} {
		found, _ := filepath.Glob(pattern + program)
		if len(found) > 0 {
			newest = found[len(found)-1]
		}
	}
	if newest == "" {
		return "", err
	}
	return newest, nil
}

func start(initdb, postgres, dir string, settings []string) (*Server, error) {
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(Password+"\n"), 0o600); err != nil {
		return nil, err
	}
	if err := giveAway(dir, password); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	// Resolve links: postgres is next to the initdb that the link points to.
	if resolved, err := filepath.EvalSymlinks(initdb); err == nil {
		initdb = resolved
	}
	cmd := exec.CommandContext(
		context.Background(),
		initdb,
		"-D",
		data,
		"-U",
		"lytics",
		"--pwfile",
		password,
		"-A",
		"scram-sha-256",
		"-E",
		"UTF8",
		"--locale",
		"C",
		"--no-sync",
	) // #nosec G204
	cmd.Dir = dir
	demote(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	var failed error
	for range 3 { // another program may take the port
		s := &Server{dir: dir, ended: make(chan struct{})}
		if s.port, failed = freePort(); failed != nil {
			return nil, failed
		}
		if failed = s.serve(postgres, data, settings); failed == nil {
			return s, nil
		}
	}
	return nil, failed
}

// watch runs the server until its standard input is closed, which happens when
// this process ends for any reason, and removes the server's files.
const watch = `exec 3<&0
"$@" & server=$!
(
	read -r _ <&3
	: >"$PGTEST_DIR/stopping"
	kill -INT $server
	while kill -0 $server; do sleep 0.1; done
	rm -rf "$PGTEST_DIR"
) >/dev/null 2>&1 & watcher=$!
wait $server
[ -e "$PGTEST_DIR/stopping" ] || kill $watcher`

func (s *Server) serve(postgres, data string, settings []string) error {
	args := []string{"-c", watch, "sh", postgres, "-D", data, "-p", strconv.Itoa(s.port), "-k", s.dir}
	for _, setting := range append([]string{"listen_addresses=127.0.0.1", "log_min_messages=fatal"}, settings...) {
		args = append(args, "-c", setting)
	}
	var log bytes.Buffer
	cmd := exec.CommandContext(context.Background(), "sh", args...) // #nosec G204
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), "PGTEST_DIR="+s.dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	demote(cmd)
	var err error
	if s.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.process = cmd.Process
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	for {
		err := s.exec(`SELECT 1`)
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server did not start: %w: %s", err, strings.TrimSpace(log.String()))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func freePort() (int, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("no port in %v", l.Addr())
	}
	return addr.Port, nil
}

// URL returns the URL of a database of the server.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("lytics", Password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// CreateDatabase makes a database from a template. If possible, a database from
// template0 sorts text by English rules, as many databases do.
func (s *Server) CreateDatabase(name, template string) error {
	query := `CREATE DATABASE ` + name + ` TEMPLATE ` + template + ` ENCODING 'UTF8' LOCALE 'C'`
	if s.icu {
		query += ` LOCALE_PROVIDER icu ICU_LOCALE 'en'`
	}
	return s.exec(query)
}

func (s *Server) exec(sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// PID is the id of the process that is the ancestor of all processes of the server.
func (s *Server) PID() int { return s.process.Pid }

// Stop ends the server and waits until its files are removed.
func (s *Server) Stop() error {
	err := s.stdin.Close()
	<-s.ended
	for {
		if _, missing := os.Stat(s.dir); errors.Is(missing, fs.ErrNotExist) {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
