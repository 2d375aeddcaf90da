// Package pgtest provides PostgreSQL for tests: one temporary server for each
// test binary, started by the first test that needs it, and an empty database for
// each test. It finds initdb and postgres on PATH and in Debian's directories.
//
// Without PostgreSQL the tests are skipped. With LYTICS_TEST_REQUIRE_POSTGRES=1
// they fail instead, so that CI cannot skip them unnoticed.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// RequireEnv names the variable that makes a missing PostgreSQL a failure.
const RequireEnv = "LYTICS_TEST_REQUIRE_POSTGRES"

// Password is the password of lytics, the only user. Tests check that it
// appears in no output.
const Password = "canary&9f3a/pw" // #nosec G101 -- of a server on loopback that ends with the test

// start returns the server of this process.
var start = sync.OnceValues(newServer)

var databases atomic.Int64

// URL returns the URL of a new, empty database for the test. If possible, the
// database sorts text by English rules, as many databases do, so that a query
// that needs the order of bytes must say so.
func URL(tb testing.TB) string {
	tb.Helper()
	s := started(tb)
	name, err := s.create("template0")
	if err != nil {
		tb.Fatalf("a database for the test: %v", err)
	}
	return s.url(name)
}

// Copy is URL for a database that is not empty: it is a copy of one that the first
// caller's prepare has filled. There is one such database in a process, so all callers
// give the same prepare.
func Copy(tb testing.TB, prepare func(url string) error) string {
	tb.Helper()
	s := started(tb)
	s.preparing.Do(func() {
		if s.prepared, s.prepareErr = s.create("template0"); s.prepareErr == nil {
			s.prepareErr = prepare(s.url(s.prepared))
		}
	})
	if s.prepareErr != nil {
		tb.Fatalf("the database to copy: %v", s.prepareErr)
	}
	name, err := s.create(s.prepared)
	if err != nil {
		tb.Fatalf("a copied database for the test: %v", err)
	}
	return s.url(name)
}

// started returns the server, and skips or fails the test if there is none.
func started(tb testing.TB) *server {
	tb.Helper()
	if testing.Short() {
		tb.Skip("LEFT OUT of make unit: it needs PostgreSQL, and make test runs it")
	}
	s, err := start()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) && os.Getenv(RequireEnv) == "" {
			tb.Skipf("LEFT OUT, because there is no PostgreSQL: %v. Debian's package postgresql has it", err)
		}
		tb.Fatalf("PostgreSQL for tests: %v", err)
	}
	return s
}

type server struct {
	port int
	icu  bool

	// prepared is the database that Copy copies.
	preparing  sync.Once
	prepared   string
	prepareErr error
}

func (s *server) url(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword("lytics", Password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func (s *server) exec(sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// create makes a database from a template, and returns its name.
func (s *server) create(template string) (name string, err error) {
	name = fmt.Sprintf("test_%d", databases.Add(1))
	query := `CREATE DATABASE ` + name + ` TEMPLATE ` + template + ` ENCODING 'UTF8' LOCALE 'C'`
	if s.icu {
		query += ` LOCALE_PROVIDER icu ICU_LOCALE 'en'`
	}
	return name, s.exec(query)
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

func newServer() (*server, error) {
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
	s, err := run(initdb, postgres, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.icu = s.exec(`CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'`) == nil
	return s, nil
}

func run(initdb, postgres, dir string) (*server, error) {
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
		s := &server{}
		if s.port, failed = freePort(); failed != nil {
			return nil, failed
		}
		if failed = s.serve(postgres, dir, data); failed == nil {
			return s, nil
		}
	}
	return nil, failed
}

// watch runs the server until its standard input is closed, which happens when
// the test process ends for any reason, and removes the server's files.
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

func (s *server) serve(postgres, dir, data string) error {
	var log bytes.Buffer
	cmd := exec.CommandContext(
		context.Background(),
		"sh",
		"-c",
		watch,
		"sh",
		postgres,
		"-D",
		data,
		"-p",
		strconv.Itoa(s.port),
		"-k",
		dir, // #nosec G204
		"-c",
		"listen_addresses=127.0.0.1",
		"-c",
		"fsync=off",
		"-c",
		"synchronous_commit=off",
		"-c",
		"full_page_writes=off",
		"-c",
		"max_connections=300",
		"-c",
		"shared_buffers=32MB",
		"-c",
		"autovacuum=off",
		"-c",
		"log_min_messages=fatal",
	)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "PGTEST_DIR="+dir)
	cmd.Stdout, cmd.Stderr = &log, &log
	demote(cmd)
	// The pipe is never closed: it ends with this process.
	if _, err := cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for {
		err := s.exec(`SELECT 1`)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
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
